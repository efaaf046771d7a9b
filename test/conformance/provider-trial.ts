/** One real identity provider and its people, through logins and through a gateway: the same questions for each. */
import { decodeJwt } from 'jose';
import { audience, type GatewayStage, type RunningGateway, stageGateway } from '../helpers/gateway.js';
import { ready, speakOauth } from '../helpers/oauth-bearer.js';
import { makeWorkspace, type Workspace } from '../helpers/workspace.js';
import { FormBrowser, type Person } from './form-browser.js';

export interface RealProvider {
  /** With its version. */
  readonly name: string;
  readonly issuer: string;
  stop(): Promise<void>;
}

export type Way = 'device' | 'browser';

export interface LoggedIn {
  readonly workspace: Workspace;
  /** What `dbguard login` said. */
  readonly said: string;
  /** `ada@example.test (SUBJECT at ISSUER)`. */
  readonly who: string;
}

/** Everybody of a trial works on this connection. */
export class ProviderTrial {
  readonly provider: RealProvider;
  readonly #workspaces: Workspace[] = [];
  #failed = 0;
  #stage: GatewayStage | undefined;

  constructor(provider: RealProvider) {
    this.provider = provider;
  }

  get failed(): number {
    return this.#failed;
  }

  say(held: boolean, what: string): void {
    if (!held) this.#failed++;
    console.log(`${held ? '  held   ' : '  FAILED '} ${what}`);
  }

  /** A machine of their own. Throws where the login fails, with its words. @param client another one than dbguard's own */
  async logIn(person: Person, way: Way, client = 'dbguard'): Promise<LoggedIn> {
    const { issuer } = this.provider;
    const workspace = makeWorkspace();
    this.#workspaces.push(workspace);
    workspace.configure({ identity: { issuer, client_id: client } });
    const options = way === 'browser' ? ['--browser'] : [];
    const login = workspace.dbguard(['login', '--no-open', '--issuer', issuer, '--client-id', client, ...options]);
    let page = '';
    for await (const line of login.iterable({ from: 'stderr' })) {
      const address = /\(or open {2}(\S+) \)/.exec(line)?.[1] ?? /^ {2}(http\S+)$/.exec(line)?.[1];
      if (address === undefined) continue;
      page = await new FormBrowser(person).through(address);
      // else it waits until the code is over
      if (!/\b(Done|Successful)\b/.test(page)) login.kill('SIGTERM');
    }
    const { exitCode, stdout, stderr } = await login;
    if (exitCode !== 0) throw new Error(`${stderr.slice(-500)}; the last page: ${page}`);
    const who = (await workspace.dbguard(['whoami'])).stdout.split('\n')[0] ?? '';
    return { workspace, said: stdout, who };
  }

  /** As `dbguard token` prints it. */
  async token({ workspace }: LoggedIn): Promise<string> {
    const { exitCode, stdout, stderr } = await workspace.dbguard(['token', '--audience', audience]);
    if (exitCode !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  /** Both ways reach a level. Returns who that is at the issuer. */
  async levels(person: Person, levels: Readonly<Record<Way, string>>): Promise<string> {
    const device = await this.logIn(person, 'device');
    this.say(device.said.includes(`evidence  ${levels.device}`), `${person.username}, device code: ${levels.device}`);
    const browser = await this.logIn(person, 'browser');
    this.say(browser.said.includes(`evidence  ${levels.browser}`), `${person.username}, browser: ${levels.browser}`);
    this.say(device.who === browser.who, `the same subject each time: ${device.who}`);
    return device.who;
  }

  /** A login that is over is renewed without anybody. */
  async renewed(login: LoggedIn): Promise<void> {
    const first = await this.token(login);
    const { exp = 0 } = decodeJwt(first);
    await new Promise((resolve) => setTimeout(resolve, exp * 1000 - Date.now() + 1000));
    const second = decodeJwt(await this.token(login));
    this.say((second.exp ?? 0) > exp && second.sub === decodeJwt(first).sub, 'refresh: a fresh token after the first');
  }

  /** In front of a server with a table `orders`. @param serve over the usual `serve` */
  async gateway(serve: Readonly<Record<string, unknown>>): Promise<RunningGateway> {
    const { issuer } = this.provider;
    const idp = { issuer, clientId: 'dbguard', subject: '', email: '', approve: unused, close: async () => undefined };
    this.#stage = await stageGateway({ idp });
    await this.#stage.postgres.query('CREATE TABLE orders (id int)');
    this.#stage.configure(serve);
    return this.#stage.start();
  }

  /** By token and by OAUTHBEARER; what nobody can be asked about is denied. @param writes whether INSERT passes */
  async works(gateway: RunningGateway, token: string, user: string, writes: boolean): Promise<void> {
    const client = await gateway.connect(token, { user });
    const { rows } = await client.query("SELECT current_setting('dbguard.subject') AS subject");
    this.say(rows[0].subject === user, `a token as the password: in as ${rows[0].subject}`);
    const codeOf = (sql: string) =>
      client.query(sql).then(
        () => 'ran',
        ({ code }) => String(code),
      );
    const inserted = await codeOf('INSERT INTO orders VALUES (1)');
    this.say(
      (inserted === 'ran') === writes,
      `${user}: INSERT ${writes ? 'runs' : 'is denied, by the profile of a group'}`,
    );
    this.say((await codeOf('DROP TABLE orders')) === '42501', `${user}: DROP is denied`);
    await client.end();
    const said = await speakOauth(gateway.oauth, this.#stage?.ca ?? '', user, `Bearer ${token}`);
    this.say(said.includes(ready), `${user}: OAUTHBEARER`);
  }

  /** Everything is sealed, and stands in transcripts that hold. @param people each by name in one of them */
  async proven(gateway: RunningGateway, people: readonly string[]): Promise<void> {
    const stage = this.#stage;
    if (!stage) return;
    this.say((await gateway.stop()) === 0, 'the gateway ends with nothing left behind');
    const config = ['--config', `${stage.workspace.project}/dbguard.yaml`];
    const verified = await stage.workspace.dbguard(['transcripts', 'verify', '--all', ...config]);
    const told = /\d+ proven.*/.exec(verified.stdout)?.[0];
    this.say(verified.exitCode === 0, `verify: ${told ?? verified.stdout + verified.stderr}`);
    const { stdout } = await stage.workspace.dbguard(['transcripts', 'list', '--json', ...config]);
    for (const name of people) this.say(stdout.includes(name), `${name} stands in a transcript`);
  }

  async stop(): Promise<void> {
    for (const workspace of this.#workspaces) workspace.remove();
    await Promise.all([this.#stage?.close(), this.provider.stop()]);
  }
}

async function unused(): Promise<string> {
  throw new Error('people of a real provider have pages of its own');
}

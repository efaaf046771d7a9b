/**
 * Three gateways that share nothing but a bucket, behind HAProxy, and a hundred clients that write rows all the while: replicas
 * are killed and restarted, the bucket and the issuer go away, a person is removed. What was acknowledged has to be in the
 * database and in a transcript that holds; nobody else may have been let in, and the server's own log knows no stranger.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { stringify } from 'yaml';
import { CLOCK_SKEW } from '../../src/identity/issuer.js';
import { freePort } from '../helpers/free-port.js';
import { type GatewayStage, type RunningGateway, stageGateway } from '../helpers/gateway.js';
import { type S3Server, startS3, testKey } from '../helpers/s3.js';
import { startBalancer } from './haproxy.js';
import { installed } from './installed.js';
import { Ledger } from './ledger.js';

const people = Array.from({ length: 10 }, (_, n) => `p${n}`);
const clientsEach = 10;
const address = (name: string): string => `${name}@example.test`;

interface Replica {
  readonly config: string;
  readonly home: string;
  readonly listen: number;
  readonly http: number;
  running: RunningGateway;
}

/** @param awaySeconds how long the bucket and the issuer are away, each. Resolves to how many trials failed. */
export async function tryReplicas(awaySeconds: number): Promise<number> {
  const haproxy = installed('haproxy');
  if (haproxy === undefined) {
    console.log('Replicas: skipped, haproxy is not installed');
    return 0;
  }
  const s3 = await startS3('evidence');
  s3.pageSize = 1000;
  const logs = { logging_collector: 'on', log_directory: 'log', log_filename: 'server.log', log_destination: 'csvlog' };
  const settings = { ...logs, log_connections: 'on', max_connections: '400' };
  const env = { AWS_ACCESS_KEY_ID: testKey.id, AWS_SECRET_ACCESS_KEY: testKey.secret };
  const stage = await stageGateway({ postgres: { settings }, env });
  try {
    return await new Trial(stage, s3, haproxy, awaySeconds).run();
  } finally {
    await Promise.all([stage.close(), s3.close()]);
  }
}

class Trial {
  readonly #stage: GatewayStage;
  readonly #s3: S3Server;
  readonly #haproxy: string;
  readonly #awayMs: number;
  readonly #replicas: Replica[] = [];
  readonly #url: string;
  #port = 0;
  #failed = 0;

  constructor(stage: GatewayStage, s3: S3Server, haproxy: string, awaySeconds: number) {
    this.#stage = stage;
    this.#s3 = s3;
    this.#haproxy = haproxy;
    this.#awayMs = awaySeconds * 1000;
    this.#url = stage.postgres.url('postgres', 'app', 'app-secret');
  }

  async run(): Promise<number> {
    const { postgres, people: issuer } = this.#stage;
    await postgres.query("CREATE ROLE app LOGIN PASSWORD 'app-secret'");
    await postgres.query('CREATE TABLE ledger (client int, entry int); GRANT ALL ON ledger TO app');
    for (const name of ['a', 'b', 'c']) this.#replicas.push(await this.#replica(name));
    const balancer = await startBalancer(this.#haproxy, this.#replicas);
    this.#port = balancer.port;
    const tokens = await Promise.all(people.map((name) => this.#stage.tokenOf(name)));
    const ledger = new Ledger(people.length * clientsEach, (client) => {
      const which = client % people.length;
      return this.#connect(tokens[which] ?? '', people[which] ?? '');
    });
    try {
      await ledger.grows(500);
      this.#say(ledger.connected === people.length * clientsEach, `${ledger.connected} clients at work`);
      await this.#killed(ledger);
      await this.#rolled(ledger);
      await this.#bucketAway(ledger);
      issuer.away = true;
      await this.#tokens(ledger);
      issuer.away = false;
      await this.#removed(ledger);
    } finally {
      await ledger.stop();
      await balancer.stop();
    }
    const codes = await Promise.all(this.#replicas.map(({ running }) => running.stop()));
    this.#say(codes.join() === '0,0,0', `SIGTERM: everything is uploaded (${codes.join(', ')})`);
    await this.#accounted(ledger);
    return this.#failed;
  }

  async #killed(ledger: Ledger): Promise<void> {
    const [first] = this.#replicas as [Replica];
    const direct = await first.running.connect(await this.#stage.tokenOf('p0'), { user: address('p0') });
    await direct.query('BEGIN');
    await direct.query('INSERT INTO ledger VALUES (9999, 1)');
    first.running.process.kill('SIGKILL');
    await first.running.process;
    await ledger.grows(300);
    first.running = await this.#start(first);
    await ledger.grows(300);
    const [row] = await this.#stage.postgres.query('SELECT count(*)::int AS n FROM ledger WHERE client = 9999');
    this.#say(row?.n === 0, 'kill -9: what was not committed is not there, all others go on');
  }

  async #rolled(ledger: Ledger): Promise<void> {
    const codes: (number | undefined)[] = [];
    for (const replica of this.#replicas) {
      codes.push(await replica.running.stop());
      replica.running = await this.#start(replica);
      await ledger.grows(300);
    }
    this.#say(
      codes.every((code) => code === 0),
      `rolling restart under load (${codes.join(', ')})`,
    );
  }

  async #bucketAway(ledger: Ledger): Promise<void> {
    this.#s3.fault = () => ({ status: 503, code: 'ServiceUnavailable' });
    const before = ledger.written;
    const fresh = await failure(this.#connect(await this.#stage.tokenOf('p1'), 'p1'));
    await sleep(this.#awayMs);
    const during = ledger.written - before;
    this.#s3.fault = () => undefined;
    this.#say(
      fresh === '08006' && during > 0,
      `bucket away: no new session (${fresh}), ${during} rows by those that are open`,
    );
    await ledger.grows(300);
  }

  /** With the issuer away. */
  async #tokens(ledger: Ledger): Promise<void> {
    const came = async (claims: object) => failure(this.#connect(await this.#stage.tokenOf('p2', { ...claims }), 'p2'));
    await sleep(this.#awayMs);
    this.#say((await came({})) === undefined, 'issuer away: its keys are known');
    const now = Math.floor(Date.now() / 1000);
    const [within, beyond] = [await came({ iat: now + CLOCK_SKEW - 5 }), await came({ iat: now + CLOCK_SKEW + 60 })];
    const skews = `${CLOCK_SKEW} s and no more (${within ?? 'in'}, ${beyond ?? 'in'})`;
    this.#say(within === undefined && beyond === '28P01', `clocks that go apart by ${skews}`);
    // it has ended already, by a clock that goes right
    const exp = Math.floor(Date.now() / 1000) - CLOCK_SKEW + 15;
    const ending = await this.#stage.tokenOf('p3', { iat: exp - 60, exp });
    const client = await this.#connect(ending, 'p3');
    let again: string | undefined;
    for (const end = Date.now() + 60_000; again === undefined && Date.now() < end; await sleep(500))
      again = await failure(this.#connect(ending, 'p3'));
    const still = await failure(client.query('SELECT 1').then(() => client));
    this.#say(
      again === '28P01' && still === undefined,
      `a token that ends in mid-session opens nothing more (${again})`,
    );
    await ledger.grows(300);
  }

  async #removed(ledger: Ledger): Promise<void> {
    for (const replica of this.#replicas) this.#configure(replica, people.slice(0, -1));
    const last = (client: number): boolean => client % people.length === people.length - 1;
    await ledger.until(() => ledger.clientsConnected(last) === 0);
    const left = ledger.writtenBy(last);
    await ledger.grows(500);
    const codes = ledger.lastErrors(last);
    const out = ledger.writtenBy(last) === left && codes.every((code) => code === '28000');
    this.#say(out, `a person removed: out within seconds, and never in again (${[...new Set(codes)].join()})`);
  }

  /** Nothing lost, nobody let in. */
  async #accounted(ledger: Ledger): Promise<void> {
    const rows = await this.#stage.postgres.query<{ client: number; entry: number }>('SELECT * FROM ledger');
    const stored = new Set(rows.map(({ client, entry }) => `${client}, ${entry}`));
    const lost = ledger.acknowledged.filter((one) => !stored.has(one));
    this.#say(
      lost.length === 0,
      `${ledger.acknowledged.length} rows acknowledged, ${lost.length} of them not in the database`,
    );
    const recorded = ledger.recordedIn(this.#s3.buckets.get('evidence'));
    const untold = [...stored].filter((one) => !recorded.has(one));
    this.#say(untold.length === 0, `${stored.size} rows in the database, ${untold.length} of them in no transcript`);
    const config = ['--config', this.#replicas[0]?.config ?? ''];
    const verified = await this.#stage.workspace.dbguard(['transcripts', 'verify', '--all', ...config]);
    const told = /\d+ proven.*/.exec(verified.stdout)?.[0];
    this.#say(/ 0 changed or forged/.test(verified.stdout), `verify: ${told ?? verified.stdout + verified.stderr}`);
    const [row] = await this.#stage.postgres.query<{ data_directory: string }>('SHOW data_directory');
    const log = join(row?.data_directory ?? '', 'log', 'server.csv');
    const reconciled = await this.#stage.workspace.dbguard([
      'transcripts',
      'reconcile',
      '--user',
      'app',
      log,
      ...config,
    ]);
    this.#say(
      reconciled.exitCode === 0,
      `reconcile: ${reconciled.stdout.trim().split('\n').at(-1)} ${reconciled.stderr}`,
    );
    console.log(`  errors that clients saw: ${JSON.stringify(ledger.errors)}`);
  }

  async #replica(name: string): Promise<Replica> {
    const { workspace } = this.#stage;
    const home = join(workspace.home, name);
    mkdirSync(home, { mode: 0o700 });
    const [listen, http] = [await freePort(), await freePort()];
    const replica = { config: join(workspace.project, `${name}.yaml`), home, listen, http };
    this.#configure(replica, people);
    return { ...replica, running: await this.#start(replica) };
  }

  #start({ config, home }: Pick<Replica, 'config' | 'home'>): Promise<RunningGateway> {
    return this.#stage.start({ config, env: { DBGUARD_HOME: home } });
  }

  #configure({ config, listen, http }: Pick<Replica, 'config' | 'listen' | 'http'>, known: readonly string[]): void {
    const grants = known.map((name) => [address(name), { connections: ['shop'] }]);
    const ports = { listen: `127.0.0.1:${listen}`, listen_oauth: undefined, http: `127.0.0.1:${http}` };
    const serve = { ...ports, people: Object.fromEntries(grants), limits: { per_person: 40 } };
    const bucket = { url: 's3://evidence/gateway', endpoint: this.#s3.endpoint, region: 'eu-central-1' };
    const connections = { shop: { url: this.#url, environment: 'development' } };
    writeFileSync(config, stringify({ version: 1, ...this.#stage.settings(serve, { bucket, connections }) }));
  }

  async #connect(token: string, name: string): Promise<pg.Client> {
    const ssl = { ca: this.#stage.ca, host: '127.0.0.1' };
    const who = { user: address(name), database: 'shop', password: token };
    const client = new pg.Client({ host: '127.0.0.1', port: this.#port, ...who, ssl });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  #say(held: boolean, what: string): void {
    if (!held) this.#failed++;
    console.log(`${held ? '  held   ' : '  FAILED '} ${what}`);
  }
}

/** SQLSTATE, or what else went wrong; undefined where it went well. The client is closed. */
async function failure(connecting: Promise<pg.Client>): Promise<string | undefined> {
  try {
    await (await connecting).end();
    return undefined;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return code ?? message;
  }
}

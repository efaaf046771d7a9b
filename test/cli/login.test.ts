import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Test, test } from 'tap';
import { encode } from 'uqr';
import type { CommandContext } from '../../src/cli/command.js';
import { run as login } from '../../src/cli/commands/login.js';
import { run as logout } from '../../src/cli/commands/logout.js';
import { run as whoami } from '../../src/cli/commands/whoami.js';
import type { OptionsOf } from '../../src/cli/table.js';
import { openTokenStore } from '../../src/io/login/token-store.js';
import { Browser, clientId, type ProviderOptions, startProvider } from '../identity/provider.js';

class Sink extends Writable {
  text = '';
  isTTY = false;
  onText: (text: string) => void = () => {};
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk;
    this.onText(this.text);
    done();
  }
}

/** A person at a terminal with a provider that they can log in at. */
async function world(t: Test, options: ProviderOptions = {}) {
  const provider = await startProvider({ returnsDeviceNonce: true, ...options });
  t.teardown(() => provider.close());
  const stdin = Object.assign(new PassThrough(), { isTTY: false });
  const [stdout, stderr] = [new Sink(), new Sink()];
  const cwd = t.testdir({ 'no-project': {} });
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    DBGUARD_HOME: join(cwd, 'home'),
    DBGUARD_TOKEN_STORE: 'file',
    DBGUARD_ISSUER: provider.issuer,
    DBGUARD_CLIENT_ID: clientId,
  };
  const context: CommandContext = { stdin, stdout, stderr, env, cwd: join(cwd, 'no-project') };
  const confirmOnSight = () => {
    stderr.onText = (text) => {
      const link = text.match(/\(or open {2}(\S+) \)/)?.[1];
      if (link === undefined) return;
      stderr.onText = () => {};
      new Browser().confirmDevice(link).catch(() => {});
    };
  };
  const loggedIn = async (flags: OptionsOf<'login'> = {}) => {
    stderr.text = '';
    confirmOnSight();
    return login(context, [], flags);
  };
  return { provider, context, env, cwd, stdin, stdout, stderr, confirmOnSight, loggedIn };
}

test('login: the code and the page on stderr, the login on stdout', async (t) => {
  const { stdout, stderr, loggedIn, provider } = await world(t);
  t.equal(await loggedIn(), 0);
  t.match(stderr.text, `Open      ${provider.issuer}/device\n`);
  t.match(stderr.text, /and enter [A-Z]{4}-[A-Z]{4}\n/);
  t.match(
    stdout.text,
    /^Logged in as dev-1@example\.test until .*, renewed by itself\.\n {2}evidence {2}nonce: .*\n {2}kept in {3}an encrypted file in .*\n$/,
  );
  t.notMatch(stderr.text, /Press Enter/, 'nobody sits at this terminal');
});

test('whoami: words, JSON, and nobody', async (t) => {
  const { context, stdout, loggedIn, provider } = await world(t);
  await t.rejects(whoami(context, [], {}), { code: 'login-required', hint: 'Run: dbguard login' });
  await loggedIn();
  stdout.text = '';
  t.equal(await whoami(context, [], {}), 0);
  t.match(stdout.text, /^dev-1@example\.test \(dev-1 at http:.*\)\n {2}login {5}device, .*; valid until /);
  t.match(stdout.text, /evidence {2}nonce: the issuer signed the key/);
  stdout.text = '';
  await whoami(context, [], { json: true });
  t.match(JSON.parse(stdout.text), {
    subject: { iss: provider.issuer, sub: 'dev-1', email: 'dev-1@example.test' },
    level: 'nonce',
    method: 'device',
    expired: false,
    renewable: true,
    keyThumbprint: /^[\w-]{43}$/,
  });
});

test('nothing that is printed holds a token or a private key', async (t) => {
  const { context, env, stdout, stderr, loggedIn, provider } = await world(t);
  await loggedIn();
  await whoami(context, [], {});
  await whoami(context, [], { json: true });
  const stored = await openTokenStore(env).get(`${provider.issuer} ${clientId}`);
  const secrets = [stored?.idToken, stored?.refreshToken, stored?.loginKey.d, stored?.salt];
  for (const secret of secrets) t.notOk((stdout.text + stderr.text).includes(secret ?? 'missing'));
});

test('profiles: several logins side by side; outside of a project the only one is found', async (t) => {
  const { context, env, stdout, loggedIn } = await world(t);
  await loggedIn();
  const { DBGUARD_ISSUER: _issuer, ...elsewhere } = env;
  await whoami({ ...context, env: elsewhere }, [], {});
  t.match(stdout.text, /dev-1@example\.test/);
  await loggedIn({ profile: 'work' });
  await t.rejects(whoami({ ...context, env: elsewhere }, [], {}), { code: 'usage', hint: /"work"/ });
  stdout.text = '';
  await whoami({ ...context, env: elsewhere }, [], { profile: 'work' });
  t.match(stdout.text, /profile {3}work/);
  await logout(context, [], { profile: 'work' });
  await t.rejects(whoami(context, [], { profile: 'work' }), { code: 'login-required' });
  t.equal(await whoami(context, [], {}), 0);
});

test('logout: forgets here and at the issuer, and says when the issuer could not be told', async (t) => {
  const { context, stdout, stderr, loggedIn, provider } = await world(t);
  await loggedIn();
  stdout.text = '';
  t.equal(await logout(context, [], {}), 0);
  t.equal(stdout.text, 'Logged out dev-1@example.test.\n');
  t.ok(provider.log.some(({ path }) => path === '/token/revocation'));
  t.equal(await logout(context, [], {}), 0);
  t.match(stdout.text, /Nobody was logged in/);
  await loggedIn();
  stderr.text = '';
  await provider.close();
  t.equal(await logout(context, [], {}), 0);
  t.match(stderr.text, /issuer could not be told: .*cannot be reached/);
  await t.rejects(whoami(context, [], {}), { code: 'login-required' });
});

test('nothing configured; a token store that cannot be', async (t) => {
  const { context, env } = await world(t);
  const { DBGUARD_ISSUER: _issuer, DBGUARD_CLIENT_ID: _client, ...bare } = env;
  await t.rejects(login({ ...context, env: bare }, [], {}), { code: 'config-missing', hint: /--issuer/ });
  const refused = login({ ...context, env: { ...env, DBGUARD_TOKEN_STORE: 'nonsense' } }, [], {});
  await t.rejects(refused, { code: 'usage' }, 'before anybody is asked to confirm anything');
});

test('a policy that demands more than the issuer gives: nothing is kept', async (t) => {
  const { context, loggedIn } = await world(t, { returnsDeviceNonce: false });
  const { issuer, client } = { issuer: context.env.DBGUARD_ISSUER, client: clientId };
  const yaml = `version: 1\nidentity: { issuer: ${issuer}, client_id: ${client}, minimum_level: nonce }\n`;
  writeFileSync(join(context.cwd, 'dbguard.yaml'), yaml);
  await t.rejects(loggedIn(), {
    code: 'identity-insufficient',
    message: /evidence level asserted, the policy demands nonce/,
    hint: /--browser/,
  });
  await t.rejects(whoami(context, [], {}), { code: 'login-required' });
});

test('--token-file', async (t) => {
  const { context, cwd } = await world(t);
  const path = join(cwd, 'token');
  writeFileSync(path, 'not.a.token');
  const error: unknown = await login(context, [], { tokenFile: path }).catch((thrown) => thrown);
  t.match(error, { code: 'login-failed', message: /not a signed JWT/ });
});

test('Enter opens the browser with the page as its only argument; --no-open does not offer it', async (t) => {
  if (process.platform !== 'linux') return;
  const { context, env, cwd, stdin, stderr, loggedIn, confirmOnSight } = await world(t);
  const opened = join(cwd, 'opened');
  const program = join(cwd, 'xdg-open');
  writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$@" > '${opened}'\n`);
  chmodSync(program, 0o755);
  Object.assign(env, { DISPLAY: ':0', PATH: `${cwd}${delimiter}${env.PATH}` });
  stdin.isTTY = true;
  stderr.isTTY = true;

  stderr.onText = (text) => {
    if (!text.includes('Press Enter')) return;
    stderr.onText = () => {};
    stdin.write('\n');
  };
  const leaveWords = async () => {
    while (!stderr.text.includes('Your words:')) await sleep(20);
    stdin.write('\n');
  };
  const pending = login(context, [], {});
  while (!existsSync(opened) || readFileSync(opened, 'utf8') === '') await sleep(20);
  t.match(readFileSync(opened, 'utf8'), /^http:\/\/127\.0\.0\.1:\d+\/device\?user_code=[A-Z-]+\n$/);
  confirmOnSight();
  stderr.write('\n');
  await leaveWords();
  t.equal(await pending, 0);
  t.ok(stdin.isPaused(), 'the terminal is let go');

  stderr.text = '';
  const again = loggedIn({ open: false });
  await leaveWords();
  await again;
  t.notMatch(stderr.text, /Press Enter/);
});

test('--qr: the page with its code, to be read from the screen', async (t) => {
  const { stderr, loggedIn, provider } = await world(t);
  await loggedIn({ qr: true });
  const page = stderr.text.match(/\(or open {2}(\S+) \)/)?.[1] ?? '';
  t.ok(page.startsWith(provider.issuer));
  const drawn = stderr.text.slice(0, stderr.text.indexOf('\n\n'));
  t.strictSame(modules(drawn), encode(page, { border: 2 }).data);
  await loggedIn();
  t.notMatch(stderr.text, /[▀▄█]/);
});

/** Half blocks back to rows of dark (true) and light modules. */
function modules(drawn: string): boolean[][] {
  const lines = drawn.split('\n');
  const rows = lines.flatMap((line) => [
    [...line].map((block) => block === ' ' || block === '▄'),
    [...line].map((block) => block === ' ' || block === '▀'),
  ]);
  const size = lines[0]?.length ?? 0;
  return rows.slice(0, size);
}

test('--browser: the page is shown, the browser comes back, level nonce although the device flow has none', async (t) => {
  const { context, stdout, stderr } = await world(t, { returnsDeviceNonce: false });
  stderr.onText = (text) => {
    const page = text.match(/\n\n {2}(http\S+)\n/)?.[1];
    if (page === undefined) return;
    stderr.onText = () => {};
    void new Browser().go(page);
  };
  t.equal(await login(context, [], { browser: true }), 0);
  t.match(stdout.text, /evidence {2}nonce/);
});

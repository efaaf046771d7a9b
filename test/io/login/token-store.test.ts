import { spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { generateLoginKey } from '../../../src/identity/binding.js';
import type { Login } from '../../../src/identity/identity.js';
import { type Keychain, KeychainUnavailable } from '../../../src/io/login/keychain.js';
import { FileTokenStore, openTokenStore } from '../../../src/io/login/token-store.js';
import { withFileLock } from '../../../src/io/login/token-store-lock.js';

const login: Login = {
  subject: { iss: 'https://issuer.example', sub: 'u1', email: 'a@b.test' },
  level: 'nonce',
  clientId: 'dbguard',
  idToken: 'header.very-secret-id-token.signature',
  bindingIdToken: 'header.very-secret-id-token.signature',
  refreshToken: 'very-secret-refresh-token',
  expiresAt: 2,
  loggedInAt: 1,
  loginKey: generateLoginKey(),
  salt: Buffer.alloc(16).toString('base64url'),
};
const noKeychain: Keychain = {
  get: async () => {
    throw new KeychainUnavailable('none in this test');
  },
  set: async () => {
    throw new KeychainUnavailable('none in this test');
  },
  delete: async () => {},
};
/** A keychain that works, in memory; the real one is in keychain.test.ts. */
function memoryKeychain(): Keychain & { readonly entries: Map<string, string> } {
  const entries = new Map<string, string>();
  return {
    entries,
    get: async (account) => entries.get(account),
    set: async (account, secret) => void entries.set(account, secret),
    delete: async (account) => void entries.delete(account),
  };
}
const env = (home: string) => ({ DBGUARD_HOME: home, DBGUARD_TOKEN_STORE: 'file' });
const folderOf = (home: string) => join(home, 'state', 'logins');
const loginFile = (home: string) =>
  join(folderOf(home), readdirSync(folderOf(home)).find((n) => n.endsWith('.login')) ?? '');

test('what is set is got, by any instance; files are 0600 and hold no secret in the clear', async (t) => {
  const home = t.testdir();
  const store = openTokenStore(env(home));
  t.equal(await store.get('p'), undefined);
  t.equal(store.version('p'), undefined);
  await store.set('p', login);
  t.strictSame(await openTokenStore(env(home)).get('p'), login);
  t.equal(await store.get('other'), undefined);
  t.match(store.description, /encrypted file in .*its key in a 0600 file beside it/);
  for (const name of readdirSync(folderOf(home))) {
    const path = join(folderOf(home), name);
    t.equal(statSync(path).mode & 0o777, 0o600, name);
    const content = readFileSync(path, 'latin1');
    for (const secret of ['very-secret', login.loginKey.d, 'a@b.test']) t.notOk(content.includes(secret), name);
  }
  t.equal(await store.delete('p'), true);
  t.equal(await store.delete('p'), false);
  t.equal(await store.get('p'), undefined);
});

test('a glance asks no keychain, tells who, and what was changed by hand opens nothing', async (t) => {
  const folder = t.testdir();
  const keychain = memoryKeychain();
  await new FileTokenStore(folder, 'auto', keychain).set('p', login);
  const asked: Keychain = { ...noKeychain, get: async () => t.fail('the keychain was asked') as never };
  t.strictSame(await new FileTokenStore(folder, 'auto', asked).glance('p'), {
    ...{ subject: login.subject, level: 'nonce', expiresAt: 2 },
    renewable: true,
  });
  t.equal(await new FileTokenStore(folder, 'auto', asked).glance('other'), undefined);
  const path = join(folder, readdirSync(folder).find((name) => name.endsWith('.login')) ?? '');
  const text = readFileSync(path, 'utf8');
  t.notMatch(text, /very-secret/);
  writeFileSync(path, text.replace('a@b.test', 'c@d.test'));
  await t.rejects(new FileTokenStore(folder, 'auto', keychain).get('p'), { code: 'token-store' });
  // as an earlier version wrote it
  const { glance: _, ...rest } = JSON.parse(text);
  writeFileSync(path, JSON.stringify(rest));
  t.equal(await new FileTokenStore(folder, 'auto', asked).glance('p'), 'unknown');
});

test('the version changes with each write and delete', async (t) => {
  const home = t.testdir();
  const store = openTokenStore(env(home));
  await store.set('p', login);
  const first = store.version('p');
  await openTokenStore(env(home)).set('p', login);
  t.not(store.version('p'), first);
  await store.delete('p');
  t.equal(store.version('p'), undefined);
});

test('with a keychain only the key is in it; without one the reason is told', async (t) => {
  const folder = t.testdir();
  const keychain = memoryKeychain();
  await new FileTokenStore(folder, 'auto', keychain).set('p', login);
  t.equal(keychain.entries.size, 1);
  t.equal(Buffer.from([...keychain.entries.values()][0] ?? '', 'base64url').length, 32);
  t.strictSame(
    readdirSync(folder).filter((name) => name === 'token.key'),
    [],
  );
  const store = new FileTokenStore(folder, 'auto', keychain);
  t.strictSame(await store.get('p'), login);
  t.match(store.description, /its key in the OS keychain/);

  await t.rejects(new FileTokenStore(folder, 'auto', noKeychain).get('p'), {
    code: 'token-store',
    message: /none in this test/,
    hint: /DBGUARD_TOKEN_STORE=file/,
  });
  await t.rejects(new FileTokenStore(folder, 'file', keychain).get('p'), {
    code: 'token-store',
    hint: /dbguard login/,
  });
  await t.rejects(new FileTokenStore(folder, 'keychain', noKeychain).set('p', login), { code: 'token-store' });

  const fallen = new FileTokenStore(folder, 'auto', noKeychain);
  await fallen.set('p', login);
  t.match(fallen.description, /no keychain here: none in this test/);
  t.strictSame(await new FileTokenStore(folder, 'auto', noKeychain).get('p'), login);
  await t.rejects(new FileTokenStore(folder, 'keychain', keychain).get('p'), { code: 'token-store' });

  keychain.entries.clear();
  await new FileTokenStore(folder, 'keychain', keychain).set('p', login);
  keychain.entries.clear();
  await t.rejects(new FileTokenStore(folder, 'keychain', keychain).get('p'), { message: /key .* is gone/ });
});

test('a login that others may read, a link, and a folder that others may write are refused', async (t) => {
  const home = t.testdir();
  const store = openTokenStore(env(home));
  await store.set('p', login);
  const path = loginFile(home);
  chmodSync(path, 0o640);
  await t.rejects(store.get('p'), { code: 'token-store', message: /other users may open/ });
  chmodSync(path, 0o600);
  renameSync(path, `${path}.real`);
  symlinkSync(`${path}.real`, path);
  await t.rejects(store.get('p'), { code: 'token-store' });
  chmodSync(join(folderOf(home), 'token.key'), 0o644);
  renameSync(`${path}.real`, path);
  await t.rejects(openTokenStore(env(home)).get('p'), { code: 'token-store', message: /token\.key/ });
  chmodSync(folderOf(home), 0o777);
  t.throws(() => openTokenStore(env(home)), { code: 'config-invalid' });
});

test('a changed byte, a file of another profile, junk and a lost key are refused without quoting anything', async (t) => {
  const home = t.testdir();
  const store = openTokenStore(env(home));
  await store.set('p', login);
  const path = loginFile(home);
  const good = readFileSync(path, 'utf8');
  const sealed = JSON.parse(good);
  for (const field of ['iv', 'tag', 'data']) {
    const changed = { ...sealed, [field]: `${sealed[field][0] === 'A' ? 'B' : 'A'}${sealed[field].slice(1)}` };
    writeFileSync(path, JSON.stringify(changed));
    await t.rejects(store.get('p'), { code: 'token-store', message: /damaged/, hint: /dbguard login/ }, field);
  }
  for (const junk of [
    '',
    '{',
    'null',
    '{"v":1}',
    JSON.stringify({ ...sealed, v: 2 }),
    JSON.stringify({ ...sealed, tag: 'AAAA' }),
  ]) {
    writeFileSync(path, junk);
    await t.rejects(store.get('p'), { code: 'token-store', message: /damaged/ }, junk.slice(0, 20));
  }
  writeFileSync(path, good);
  await store.set('q', login);
  const other = readdirSync(folderOf(home)).find((name) => name.endsWith('.login') && !path.endsWith(name)) ?? '';
  renameSync(path, join(folderOf(home), other));
  await t.rejects(store.get('q'), { message: /damaged/ }, 'another profile’s file');
  writeFileSync(join(folderOf(home), 'token.key'), 'short', { mode: 0o600 });
  await t.rejects(openTokenStore(env(home)).get('q'), { message: /gone/ });
  const fresh = openTokenStore(env(home));
  await fresh.set('q', login);
  t.strictSame(await openTokenStore(env(home)).get('q'), login, 'logging in again mends it');
});

test('concurrent updates of several instances lose nothing', async (t) => {
  const home = t.testdir();
  await openTokenStore(env(home)).set('p', { ...login, expiresAt: 0 });
  const increment = () =>
    openTokenStore(env(home)).update('p', async (current) => {
      await new Promise((resolve) => setImmediate(resolve));
      return current && { ...current, expiresAt: current.expiresAt + 1 };
    });
  await Promise.all(Array.from({ length: 12 }, increment));
  t.equal((await openTokenStore(env(home)).get('p'))?.expiresAt, 12);
  const unchanged = await openTokenStore(env(home)).update('p', async () => undefined);
  t.equal(unchanged?.expiresAt, 12);
  await t.rejects(
    openTokenStore(env(home)).update('p', async () => {
      throw new Error('refresh failed');
    }),
    /refresh failed/,
  );
  t.strictSame(
    readdirSync(folderOf(home)).filter((name) => /lock|tmp/.test(name)),
    [],
    'nothing is left behind',
  );
});

test('a lock whose owner died or went silent is taken over, a living one is waited for', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'lock');
  const dead = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => dead.once('exit', resolve));
  writeFileSync(path, `${dead.pid} ${hostname()} aa`);
  t.equal(await withFileLock(path, async () => 'taken'), 'taken');

  writeFileSync(path, '1 some-other-host aa');
  const { utimesSync } = await import('node:fs');
  const longAgo = new Date(Date.now() - 3_600_000);
  utimesSync(path, longAgo, longAgo);
  t.equal(await withFileLock(path, async () => 'taken'), 'taken');

  const order: string[] = [];
  let letGo = () => {};
  const held = withFileLock(path, async () => {
    await new Promise<void>((resolve) => {
      letGo = resolve;
    });
    order.push('first');
  });
  const waiting = withFileLock(path, async () => void order.push('second'));
  setImmediate(() => letGo());
  await Promise.all([held, waiting]);
  t.strictSame(order, ['first', 'second']);
});

test('several processes write at once, one is killed while it holds the lock', async (t) => {
  const home = t.testdir();
  await openTokenStore(env(home)).set('p', { ...login, expiresAt: 0 });
  const script = join(home, 'script.mts');
  const url = new URL('../../../src/io/login/token-store.js', import.meta.url).href;
  writeFileSync(
    script,
    `import { openTokenStore } from '${url}';
     const store = openTokenStore(process.env);
     if (process.argv[2] === 'hold') await store.update('p', () => new Promise(() => { setInterval(() => {}, 1000); console.log('holding'); }));
     for (let i = 0; i < 10; i++) await store.update('p', async (login) => ({ ...login, expiresAt: login.expiresAt + 1 }));`,
  );
  const start = (mode: string) =>
    spawn(process.execPath, [...process.execArgv, script, mode], {
      env: { ...process.env, ...env(home) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const holder = start('hold');
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  const writers = [start('write'), start('write'), start('write')];
  const exits = writers.map((writer) => new Promise((resolve) => writer.once('exit', resolve)));
  holder.kill('SIGKILL');
  t.strictSame(await Promise.all(exits), [0, 0, 0]);
  t.equal((await openTokenStore(env(home)).get('p'))?.expiresAt, 30);
});

test('a full or read-only folder is an error with a next step, and the old login stays', async (t) => {
  const home = t.testdir();
  const store = openTokenStore(env(home));
  await store.set('p', login);
  const path = loginFile(home);
  renameSync(path, `${path}.kept`);
  mkdirSync(path);
  await t.rejects(store.set('p', login), { code: 'token-store', hint: /DBGUARD_HOME/ });
  t.strictSame(
    readdirSync(folderOf(home)).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('an unknown DBGUARD_TOKEN_STORE is refused rather than guessed', async (t) => {
  t.throws(() => openTokenStore({ DBGUARD_HOME: t.testdir(), DBGUARD_TOKEN_STORE: 'keyring' }), { code: 'usage' });
});

/**
 * The real Secret Service: gnome-keyring under a private D-Bus session, and a D-Bus session whose service never starts.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { KeychainUnavailable, osKeychain } from '../../../src/io/login/keychain.js';

const has = (program: string) => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`]);
    return true;
  } catch {
    return false;
  }
};
/** keytar's addon wants libsecret, which a machine with D-Bus need not have. */
const hasLibsecret = (() => {
  try {
    createRequire(import.meta.url)('keytar');
    return true;
  } catch {
    return false;
  }
})();
const hasBus = process.platform === 'linux' && has('dbus-run-session') && hasLibsecret;
const hasKeyring = hasBus && has('gnome-keyring-daemon');
const store = fileURLToPath(new URL('../../../src/io/login/token-store.ts', import.meta.url));

/** Runs `script` (an ES module) within its own D-Bus session. */
function inSession(home: string, setUp: string, script: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const file = join(home, 'script.mts');
  writeFileSync(file, script);
  const command = `${setUp}\nexec "$NODE" ${process.execArgv.map((arg) => `'${arg}'`).join(' ')} '${file}'`;
  const child = spawn('dbus-run-session', ['--', 'sh', '-c', command], {
    env: { ...process.env, NODE: process.execPath, HOME: home, XDG_RUNTIME_DIR: home, DBGUARD_HOME: home, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => (code === 0 ? resolve(out) : reject(new Error(`exit ${code}: ${out} ${err}`))));
  });
}

const script = `
import { openTokenStore } from '${store.replace(/\.ts$/, '.js')}';
const login = { marker: 'kept' };
const first = openTokenStore(process.env);
await first.set('p', login as never);
const second = openTokenStore(process.env);
console.log(JSON.stringify({ login: await second.get('p'), description: first.description, gone: await second.delete('p') }));
`;

test('no D-Bus session: no waiting, a reason', { skip: process.platform !== 'linux' }, async (t) => {
  await t.rejects(osKeychain({}, 3000).get('x'), new KeychainUnavailable('no D-Bus session, so no Secret Service'));
});

test('an unlocked gnome-keyring holds the key', {
  skip: hasKeyring ? false : 'gnome-keyring is not installed',
}, async (t) => {
  const home = t.testdir();
  const unlock = `printf 'a test password' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1`;
  const out = await inSession(home, unlock, script, { DBGUARD_TOKEN_STORE: 'keychain' });
  const { login, description, gone } = JSON.parse(out);
  t.strictSame(login, { marker: 'kept' });
  t.match(description, /its key in the OS keychain/);
  t.equal(gone, true);
});

test('a daemon that never answers costs the limit, not the process', {
  skip: hasBus ? false : 'no dbus-run-session, or no libsecret',
}, async (t) => {
  const home = t.testdir();
  const services = join(home, 'dbus-1', 'services');
  mkdirSync(services, { recursive: true });
  writeFileSync(
    join(services, 'org.freedesktop.secrets.service'),
    '[D-BUS Service]\nName=org.freedesktop.secrets\nExec=/bin/sleep 5\n',
  );
  const out = await inSession(home, '', script, { XDG_DATA_DIRS: home, DBGUARD_TOKEN_STORE: 'auto' });
  const { login, description } = JSON.parse(out);
  t.strictSame(login, { marker: 'kept' });
  t.match(description, /a 0600 file beside it .no keychain here: no answer within 3 s/);
});

const secretScript = `
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { osKeychain } from '${store.replace('token-store.ts', 'keychain.js')}';
const secret = ['never', 'in', 'arguments'].join('-');
const call = osKeychain(process.env, 1500).set('account', secret).catch(() => {});
let helpers = 0;
let found = 0;
const until = Date.now() + 1200;
while (Date.now() < until) {
  for (const pid of readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
    try {
      const text = readFileSync('/proc/' + pid + '/cmdline', 'latin1') + readFileSync('/proc/' + pid + '/environ', 'latin1');
      if (text.includes('keychain-helper')) helpers++;
      if (text.includes(secret)) found++;
    } catch {}
  }
  await sleep(50);
}
await call;
console.log(JSON.stringify({ helpers, found }));
`;

test('attack: another process of this user reads arguments and environments', {
  skip: hasBus ? false : 'no dbus-run-session, or no libsecret',
}, async (t) => {
  const home = t.testdir();
  const services = join(home, 'dbus-1', 'services');
  mkdirSync(services, { recursive: true });
  writeFileSync(
    join(services, 'org.freedesktop.secrets.service'),
    '[D-BUS Service]\nName=org.freedesktop.secrets\nExec=/bin/sleep 5\n',
  );
  const { helpers, found } = JSON.parse(await inSession(home, '', secretScript, { XDG_DATA_DIRS: home }));
  t.ok(helpers > 0, 'the helper was running while we looked');
  t.equal(found, 0);
});

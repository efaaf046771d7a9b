import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { openDirectoryBucket } from '../../../src/io/bucket/directory.js';
import { privateDir, stateDirPaths, stateDirs } from '../../../src/io/files/state-dirs.js';

const mode = (path: string) => statSync(path).mode & 0o777;

test('DBGUARD_HOME holds everything, 0700, made only when read', async (t) => {
  const home = join(t.testdir(), 'home');
  const dirs = stateDirs({ DBGUARD_HOME: home });
  t.throws(() => statSync(home), { code: 'ENOENT' });
  t.equal(dirs.state, join(home, 'state'));
  t.equal(mode(dirs.state), 0o700);
  t.throws(() => statSync(join(home, 'config')), { code: 'ENOENT' });
  t.equal(mode(dirs.runtime), 0o700);
  t.equal(mode(dirs.config), 0o700);
});

test('XDG variables, their defaults, and relative ones ignored', async (t) => {
  t.strictSame(stateDirPaths({ HOME: '/h', XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s', XDG_RUNTIME_DIR: '/r' }), {
    config: '/c/dbguard',
    state: '/s/dbguard',
    runtime: '/r/dbguard',
    cache: '/h/.cache/dbguard',
  });
  const defaults = stateDirPaths({ HOME: '/h', XDG_CONFIG_HOME: 'relative', XDG_STATE_HOME: '' });
  t.equal(defaults.config, '/h/.config/dbguard');
  t.equal(defaults.state, '/h/.local/state/dbguard');
  t.ok(defaults.runtime.startsWith(join(tmpdir(), 'dbguard-')));
  t.ok(stateDirPaths({}).config.startsWith(homedir()));
});

test('a folder that others may write is refused, one that others may read is tightened', async (t) => {
  const home = t.testdir({ state: {}, config: {} });
  chmodSync(join(home, 'state'), 0o777);
  chmodSync(join(home, 'config'), 0o755);
  const dirs = stateDirs({ DBGUARD_HOME: home });
  t.throws(() => dirs.state, { code: 'config-invalid', message: /other users may write/ });
  chmodSync(join(home, 'state'), 0o755);
  t.equal(mode(dirs.state), 0o700);
  t.equal(mode(dirs.config), 0o755, 'people keep their configuration in a repository');
});

test('a folder of another user is refused', {
  skip: process.getuid?.() === 0 ? false : 'needs root to make one',
}, async (t) => {
  const { chownSync, lchownSync } = await import('node:fs');
  const home = t.testdir({ run: {}, mine: {} });
  chownSync(join(home, 'run'), 12345, 12345);
  t.throws(() => stateDirs({ DBGUARD_HOME: home }).runtime, { code: 'config-invalid', message: /another user/ });
  symlinkSync(join(home, 'mine'), join(home, 'link'));
  t.equal(privateDir(join(home, 'link')), join(home, 'link'));
  lchownSync(join(home, 'link'), 12345, 12345);
  t.throws(() => privateDir(join(home, 'link')), { code: 'config-invalid', message: /another user/ });
});

test('what cannot be made says what to do', async (t) => {
  const home = t.testdir();
  writeFileSync(join(home, 'file'), '');
  t.throws(() => privateDir(join(home, 'file', 'below')), { code: 'config-invalid', hint: /DBGUARD_HOME/ });
  mkdirSync(join(home, 'dir'), { mode: 0o700 });
  t.throws(() => privateDir(join(home, 'file')), { code: 'config-invalid' });
});

test('a place where no folder can be made is an error at once', { skip: process.platform !== 'linux' }, async (t) => {
  t.throws(() => privateDir('/proc/dbguard/state'), {
    code: 'config-invalid',
    message: /cannot use the folder \/proc/,
  });
  await t.rejects(openDirectoryBucket('/proc/dbguard').create('v1/a', Buffer.from('x')), { code: /^bucket-/ });
});

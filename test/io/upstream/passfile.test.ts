import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { findInPassfile, lookUpPassword } from '../../../src/io/upstream/passfile.js';

const login = {
  host: { host: 'db.example.com', hostaddr: undefined, port: 5432 },
  user: 'app',
  database: 'shop',
};

function found(text: string, overrides: { host?: string; port?: number; user?: string; database?: string } = {}) {
  const { host = 'db.example.com', port = 5432, ...rest } = overrides;
  return lookUpPassword(text, { ...login, ...rest, host: { host, hostaddr: undefined, port } })?.reveal();
}

t.test('the first line that matches decides', async (t) => {
  const text = [
    '# comment',
    '',
    'other:5432:shop:app:wrong',
    'db.example.com:5433:shop:app:other-port',
    'db.example.com:*:shop:app:right',
    '*:*:*:*:fallback',
  ].join('\n');
  t.equal(found(text), 'right');
  t.equal(found(text, { port: 5433 }), 'other-port');
  t.equal(found(text, { database: 'other' }), 'fallback');
  t.equal(found('db.example.com:5432:shop:other:x'), undefined);
  t.equal(found(''), undefined);
});

t.test('escapes: colons and backslashes in fields and password', async (t) => {
  t.equal(found('\\:\\:1:5432:shop:app:v6', { host: '::1' }), 'v6');
  t.equal(found('*:*:*:a\\\\b:x', { user: 'a\\b' }), 'x');
  t.equal(found('*:*:*:*:p\\:w\\\\d'), 'p:w\\d');
  t.equal(found('*:*:*:*:ends:here'), 'ends', 'an unescaped colon ends the password, as in libpq');
  t.equal(found('\\*:*:*:*:x'), undefined, 'an escaped star is a name');
  t.equal(found('\\*:*:*:*:x', { host: '*' }), 'x');
});

t.test('line ends, empty passwords and unfinished lines', async (t) => {
  t.equal(found('*:*:*:*:windows\r\n'), 'windows');
  t.equal(found('*:*:*:*: blanks count '), ' blanks count ');
  t.equal(found('*:*:*:*:'), undefined);
  t.equal(found('*:*:*:*\n*:*:*:*:next'), 'next');
});

t.test('localhost stands for the standard socket folder, too', async (t) => {
  t.equal(found('localhost:*:*:*:x', { host: '/var/run/postgresql' }), 'x');
  t.equal(found('/var/run/postgresql:*:*:*:x', { host: '/var/run/postgresql' }), 'x');
  t.equal(found('localhost:*:*:*:x', { host: '/elsewhere' }), undefined);
});

t.test('a file that others may read is ignored, and why is said', async (t) => {
  const dir = t.testdir({ pgpass: '*:*:*:*:secret-word' });
  const path = join(dir, 'pgpass');
  await chmod(path, 0o644);
  const open = await findInPassfile(path, login);
  t.equal(open.password, undefined);
  t.match(open.note, /ignored: others may read it \(chmod 0600/);
  t.notMatch(open.note, 'secret-word');
  await chmod(path, 0o600);
  t.equal((await findInPassfile(path, login)).password?.reveal(), 'secret-word');
});

t.test('no file, and something that is no file', async (t) => {
  const dir = t.testdir();
  t.same(await findInPassfile(join(dir, 'none'), login), { password: undefined, note: undefined });
  t.same(await findInPassfile(undefined, login), { password: undefined, note: undefined });
  await mkdir(join(dir, 'folder'));
  t.match((await findInPassfile(join(dir, 'folder'), login)).note, /not a plain file/);
  await writeFile(join(dir, 'empty'), '', { mode: 0o600 });
  t.same(await findInPassfile(join(dir, 'empty'), login), { password: undefined, note: undefined });
});

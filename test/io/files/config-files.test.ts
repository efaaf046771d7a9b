import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  configPaths,
  findRepositoryFile,
  loadConfigs,
  loadConfigsOrFail,
  writeConfigFile,
} from '../../../src/io/files/config-files.js';

const minimal = 'version: 1\n';

t.test('the nearest file of the folder or one above it', async (t) => {
  const root = t.testdir({ 'dbguard.yaml': minimal, a: { b: {}, 'dbguard.yaml': minimal }, c: {} });
  t.equal(findRepositoryFile(join(root, 'a', 'b')), join(root, 'a', 'dbguard.yaml'));
  t.equal(findRepositoryFile(join(root, 'a')), join(root, 'a', 'dbguard.yaml'));
  t.equal(findRepositoryFile(join(root, 'c')), join(root, 'dbguard.yaml'));
});

t.test('organisation, user and repository, highest first; a named file in the repository’s place', async (t) => {
  const home = t.testdir({
    config: { 'organisation.yaml': minimal, 'dbguard.yaml': minimal },
    work: { 'dbguard.yaml': minimal, 'other.yaml': minimal },
  });
  const search = { cwd: join(home, 'work'), env: { DBGUARD_HOME: home } };
  const levels = (more = {}) => loadConfigs({ ...search, ...more }).map((one) => [one.level, one.config.file]);
  t.strictSame(levels(), [
    ['organisation', '../config/organisation.yaml'],
    ['user', '../config/dbguard.yaml'],
    ['repository', 'dbguard.yaml'],
  ]);
  const named = [
    ['organisation', '../config/organisation.yaml'],
    ['user', '../config/dbguard.yaml'],
    ['user', 'other.yaml'],
  ];
  t.strictSame(levels({ named: 'other.yaml' }), named);
  t.strictSame(levels({ env: { DBGUARD_HOME: home, DBGUARD_CONFIG: 'other.yaml' } }), named);
  t.strictSame(
    levels({ named: 'dbguard.yaml', env: { DBGUARD_HOME: home, DBGUARD_CONFIG: 'nowhere.yaml' } }).at(-1),
    ['user', 'dbguard.yaml'],
    'the flag wins over the environment',
  );
});

t.test('the user’s own file is not taken a second time as the repository’s', async (t) => {
  const home = t.testdir({ config: { 'dbguard.yaml': minimal } });
  const paths = configPaths({ cwd: join(home, 'config'), env: { DBGUARD_HOME: home } });
  t.strictSame(
    paths.map((one) => one.level),
    ['user'],
  );
});

t.test('a relative bucket belongs beside its file', async (t) => {
  const root = t.testdir({ 'dbguard.yaml': 'version: 1\nbucket: file:./transcripts\n', deep: { er: {} } });
  const [loaded] = loadConfigs({ cwd: join(root, 'deep', 'er'), env: { DBGUARD_HOME: join(root, 'home') } });
  t.strictSame(loaded?.config.bucket, { kind: 'file', path: join(root, 'transcripts') });
});

t.test('what fails, and how', async (t) => {
  const root = t.testdir({
    broken: { 'dbguard.yaml': 'version: 2\n' },
    folder: { 'dbguard.yaml': {} },
    latin: {},
    empty: {},
  });
  writeFileSync(join(root, 'latin', 'dbguard.yaml'), Buffer.from([0x76, 0xff, 0xfe]));
  const env = { DBGUARD_HOME: join(root, 'home') };
  const load = (folder: string, named?: string) => () => loadConfigs({ cwd: join(root, folder), env, named });
  t.throws(load('broken'), { code: 'config-invalid', message: /^dbguard\.yaml:1:10: version/ });
  t.throws(load('folder'), { code: 'config-invalid', message: /is not a file/ });
  t.throws(load('latin'), { code: 'config-invalid', message: /cannot read/ });
  t.throws(load('empty', 'nope.yaml'), { code: 'config-missing', message: /no file .*nope\.yaml/ });
});

t.test('no file at all', async (t) => {
  const search = { cwd: '/', env: { DBGUARD_HOME: t.testdir() } };
  t.strictSame(loadConfigs(search), []);
  t.throws(() => loadConfigsOrFail(search), { code: 'config-missing', hint: /dbguard init/ });
});

t.test('a user folder that others may write to is refused: the policy in it could be theirs', async (t) => {
  const home = t.testdir({ config: { 'dbguard.yaml': minimal } });
  chmodSync(join(home, 'config'), 0o777);
  t.throws(() => loadConfigs({ cwd: '/', env: { DBGUARD_HOME: home } }), { code: 'config-invalid' });
});

t.test('writing replaces only when asked, and whole', async (t) => {
  const path = join(t.testdir(), 'dbguard.yaml');
  writeConfigFile(path, 'one', { replace: false, mode: 0o644 });
  t.throws(() => writeConfigFile(path, 'two', { replace: false, mode: 0o644 }), { code: 'usage' });
  t.equal(readFileSync(path, 'utf8'), 'one');
  writeConfigFile(path, 'two', { replace: true, mode: 0o644 });
  t.equal(readFileSync(path, 'utf8'), 'two');
  mkdirSync(join(path, '..', 'sub'));
  t.throws(() => writeConfigFile(join(path, 'x'), 'two', { replace: false, mode: 0o644 }), { code: 'usage' });
});

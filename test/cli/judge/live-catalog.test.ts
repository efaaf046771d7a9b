/** `explain` and `policy test` by the catalog of a real server. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startPostgres } from '../../helpers/postgres.js';
import { runCommand, type Surroundings } from '../run-command.js';

const server = await startPostgres({ version: 15 });
t.teardown(() => server.stop());
await server.query(`
  CREATE TABLE orders (id int PRIMARY KEY, note text);
  CREATE FUNCTION note_of(n int) RETURNS text STABLE LANGUAGE sql AS 'SELECT note FROM orders WHERE id = n';
  CREATE FUNCTION purge() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM orders; RETURN 1; END $$;
  CREATE VIEW purged AS SELECT purge()`);

function configured(t: Test, url: string): Surroundings {
  const cwd = t.testdir({ 'migration.sql': 'SELECT note_of(1);\nSELECT purge();\n' });
  const home = join(cwd, 'home');
  writeFileSync(
    join(cwd, 'dbguard.yaml'),
    `version: 1\nconnections: { main: { url: "${url}", environment: development } }\n`,
  );
  return { cwd, env: { DBGUARD_HOME: home } };
}

const decision = async (args: readonly string[], where: Surroundings): Promise<unknown> =>
  JSON.parse((await runCommand('explain', ['--json', ...args], where)).stdout).decision;

t.test('explain knows what the functions of the connection do', async (t) => {
  const where = configured(t, server.url());
  t.equal(await decision(['SELECT note_of(1)'], where), 'ask', 'nobody knows it without the database');
  t.equal(await decision(['--connection', 'main', 'SELECT note_of(1)'], where), 'allow');
  t.equal(await decision(['--connection', 'main', 'SELECT purge()'], where), 'ask');
  t.equal(await decision(['SELECT * FROM purged'], where), 'allow');
  t.equal(await decision(['--connection', 'main', 'SELECT * FROM purged'], where), 'ask');
  t.equal(await decision(['--connection', 'main', '--offline', 'SELECT * FROM purged'], where), 'allow');
});

t.test('policy test too', async (t) => {
  const { code, stdout } = await runCommand(
    'policy test',
    ['migration.sql', '--connection', 'main', '--json'],
    configured(t, server.url()),
  );
  t.equal(code, 1);
  const tested = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.match(tested, [
    { decision: 'allow', line: 1 },
    { decision: 'ask', line: 2, rule: 'builtin:delete-unbounded' },
  ]);
});

t.test('a connection that is not there or not known is an error, not a guess', async (t) => {
  const gone = configured(t, 'postgresql://postgres@127.0.0.1:1/postgres');
  await t.rejects(runCommand('explain', ['--connection', 'main', 'SELECT 1'], gone), { code: 'upstream-unreachable' });
  await t.rejects(runCommand('explain', ['--connection', 'other', 'SELECT 1'], gone), { code: 'connection-unknown' });
});

/** What the server is sure to refuse is asked of nobody, and its error is the server's own; what it would do is asked about. */
import pg from 'pg';
import t, { type Test } from 'tap';
import { parseConfig } from '../../../src/policy/config.js';
import { compilePolicy } from '../../../src/policy/engine.js';
import { chosenVersion, startPostgres } from '../../helpers/postgres.js';
import { startProxyInProcess } from '../../helpers/proxy-in-process.js';

const server = await startPostgres({ version: chosenVersion });
t.teardown(() => server.stop());
await server.query(`
  CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT n, 'x' FROM generate_series(1, 5000) n;
  CREATE VIEW recent AS SELECT * FROM orders; CREATE FUNCTION touch() RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE SCHEMA app; CREATE TYPE mood AS ENUM ('sad'); CREATE SEQUENCE numbers;
  CREATE ROLE reader LOGIN PASSWORD 'reader'; GRANT SELECT ON orders TO reader`);

/** For an owner: what is named is not there, or what is made is. */
const wrongNames = [
  'DELETE FROM gone',
  '  DELETE FROM gone WHERE id > 0 RETURNING id',
  'UPDATE orders SET gone = 1',
  'WITH old AS (SELECT 1) DELETE FROM orders WHERE gone',
  'INSERT INTO orders SELECT * FROM gone; ',
  'DROP TABLE gone',
  'DROP TABLE orders, gone',
  'DROP VIEW gone',
  'DROP INDEX gone',
  'DROP SEQUENCE app.numbers',
  'DROP FUNCTION gone()',
  'DROP SCHEMA gone',
  'DROP TYPE gone',
  'TRUNCATE gone',
  'ALTER TABLE gone ADD COLUMN a int',
  'ALTER TABLE orders DROP COLUMN gone',
  'ALTER TABLE orders ADD COLUMN note text',
  'ALTER TABLE orders ALTER COLUMN gone SET NOT NULL',
  'ALTER TABLE gone RENAME TO orders',
  'ALTER TABLE orders RENAME COLUMN gone TO a',
  'CREATE TABLE orders (id int)',
  'CREATE INDEX ON gone (id)',
  "CREATE TYPE mood AS ENUM ('x')",
  'CREATE SCHEMA app',
];

/** For a login that may read. */
const withoutRights = [
  'DELETE FROM orders',
  'DELETE FROM orders WHERE id < 0',
  "UPDATE orders SET note = 'y'",
  'TRUNCATE orders',
  'DROP TABLE orders CASCADE',
  'DROP VIEW recent',
  'ALTER TABLE orders DROP COLUMN note',
  'CREATE TABLE app.mine (id int)',
  'CREATE INDEX ON orders (note)',
];

/** What an owner may do, and names rightly. */
const sound = [
  'DELETE FROM orders',
  "WITH old AS (UPDATE orders SET note = 'y' RETURNING id) SELECT count(*) FROM old",
  'TRUNCATE orders',
  'DROP TABLE orders CASCADE',
  'DROP VIEW recent',
  'DROP FUNCTION touch()',
  'DROP SCHEMA app',
  'ALTER TABLE orders DROP COLUMN note',
  'ALTER TABLE orders ADD COLUMN a int, DROP COLUMN a',
  'CREATE TABLE app.orders (id int)',
  'CREATE INDEX ON orders (note)',
  // the server would refuse these too, and only their run can say so: somebody is asked
  'DROP TABLE gone; DROP TABLE orders CASCADE',
  'DROP ROLE gone',
  // nor is anything that reaches further left to the server, be it there or not
  "SELECT pg_file_write('x', 'y', false)",
  "SELECT dblink_exec('dbname=postgres', 'DROP TABLE orders')",
  "UPDATE orders SET note = pg_read_file('gone')",
];

async function stage(user?: string, password?: string, policy = compilePolicy([])) {
  const url = user === undefined ? server.url() : server.url('postgres', user, password);
  const harness = await startProxyInProcess({ upstreamUrl: url, policy, catalogPollMs: 60_000 });
  t.teardown(() => harness.close());
  const clients = [];
  for (const connectionString of [harness.url(), url]) {
    const client = new pg.Client({ connectionString });
    await client.connect();
    t.teardown(() => client.end());
    clients.push(client);
  }
  const [guarded, direct] = clients as [pg.Client, pg.Client];
  return { harness, guarded, direct };
}

const errorOf = (ran: Promise<unknown>) => ran.then(() => undefined).catch((error: pg.DatabaseError) => error);

async function same(t: Test, { harness, guarded, direct }: Awaited<ReturnType<typeof stage>>, sql: string) {
  for (const begin of ['', 'BEGIN'])
    for (const values of [undefined, []]) {
      if (begin) for (const client of [guarded, direct]) await client.query(begin);
      const [here, there] = [await errorOf(guarded.query(sql, values)), await errorOf(direct.query(sql, values))];
      const how = `${begin} ${sql}${values ? ', in the extended protocol' : ''}`;
      t.equal(here?.message, there?.message, how);
      t.equal(here?.code, there?.code, how);
      t.equal(here?.detail, there?.detail, how);
      if (here?.position !== undefined) t.equal(here.position, there?.position, how);
      for (const client of [guarded, direct]) await client.query('ROLLBACK');
    }
  t.same(harness.requests.splice(0), [], `nobody is asked: ${sql}`);
}

t.test('names of what is not there', async (t) => {
  const both = await stage();
  for (const sql of wrongNames) await same(t, both, sql);
});

t.test('what the login may not do', async (t) => {
  const both = await stage('reader', 'reader');
  for (const sql of withoutRights) await same(t, both, sql);
});

t.test('what it may do is asked about, and nothing of it is left', async (t) => {
  const { harness, guarded, direct } = await stage();
  for (const sql of sound) {
    t.match(await errorOf(guarded.query(sql)), { code: '42501', message: /dbguard/ }, sql);
    t.equal(harness.requests.splice(0).length, 1, sql);
  }
  const { rows } = await direct.query("SELECT count(*)::int, min(note) AS note FROM orders WHERE note = 'x'");
  t.same(rows, [{ count: 5000, note: 'x' }]);
});

t.test('where an entry of access is about it, a hint says why nobody is asked to let it run as its role', async (t) => {
  const entry = `version: 1
access: [{ name: orders, role: writer, tables: [orders], effects: [drop, delete], then: ask }]`;
  const policy = compilePolicy([{ level: 'user', config: parseConfig(entry, 'dbguard.yaml') }]);
  const { harness, guarded } = await stage('reader', 'reader', policy);
  const error = await errorOf(guarded.query('DROP TABLE orders CASCADE'));
  t.match(error, {
    code: '42501',
    message: 'must be owner of table orders',
    hint: /as writer, but not this one, because/,
  });
  t.same(harness.requests, []);
});

t.test('it is in the journal as what the server refused', async (t) => {
  const { harness, guarded } = await stage('reader', 'reader');
  await errorOf(guarded.query('DELETE FROM orders'));
  await errorOf(guarded.query('DROP TABLE orders'));
  t.match(
    harness.recorder.of('outcome').filter(({ how }) => how === 'rejected'),
    [{ sqlstate: '42501' }, { sqlstate: '42501' }],
  );
});

t.test('a name that another session makes meanwhile: what runs by then is undone, and asked about', async (t) => {
  const { harness, guarded, direct } = await stage();
  let round = 0;
  const racing = (async () => {
    while (round >= 0) {
      await direct.query('CREATE TABLE racing (id int)');
      await direct.query('DROP TABLE IF EXISTS racing');
    }
  })();
  for (; round < 20; round++) {
    const error = await errorOf(guarded.query('DROP TABLE racing'));
    const asked = harness.requests.splice(0).length;
    t.equal(/dbguard/.test(error?.message ?? '') ? 1 : 0, asked, String(error?.message));
    t.ok(error instanceof Error, 'it never ran');
  }
  round = -1;
  await racing;
});

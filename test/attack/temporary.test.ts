/** A session may do as it likes with its own temporary tables, and with nothing that only looks like one. */
import pg from 'pg';
import t, { type Test } from 'tap';
import { compilePolicy } from '../../src/policy/engine.js';
import { startPostgres } from '../helpers/postgres.js';
import { type ProxyInProcess, startProxyInProcess } from '../helpers/proxy-in-process.js';

const server = await startPostgres({ version: 15 });
t.teardown(() => server.stop());
await server.query(`
  CREATE TABLE orders (id int);
  CREATE SCHEMA app;
  CREATE TABLE app.hidden (id int);
  INSERT INTO orders SELECT generate_series(1, 20);
  INSERT INTO app.hidden SELECT generate_series(1, 20)`);

async function connect(t: Test): Promise<{ harness: ProxyInProcess; client: pg.Client }> {
  const harness = await startProxyInProcess({
    upstreamUrl: server.url(),
    policy: compilePolicy([]),
    catalogPollMs: 60_000,
  });
  harness.answer = async (request) =>
    /^(CREATE (TABLE|RULE r AS ON DELETE TO ruled)|DO)/.test(request.sql)
      ? { decision: 'allow', scope: 'once', by: { kind: 'person' }, previewDigest: '' }
      : { decision: 'deny', by: { kind: 'nobody' } };
  const client = new pg.Client({ connectionString: harness.url() });
  client.on('error', () => {});
  await client.connect();
  t.teardown(async () => {
    await client.end();
    await harness.close();
  });
  return { harness, client };
}

async function untouched(t: Test): Promise<void> {
  const [row] = await server.query('SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM app.hidden) AS n');
  t.equal(Number(row?.n), 40, 'no row of a real table is gone');
}

t.test('its own temporary tables', async (t) => {
  const { harness, client } = await connect(t);
  await client.query('CREATE TEMP TABLE batch AS SELECT id FROM orders');
  await client.query('CREATE TEMPORARY TABLE second (id int) ON COMMIT DROP');
  await client.query('SELECT id INTO TEMP third FROM orders');
  for (const sql of [
    'UPDATE batch SET id = 0',
    'DELETE FROM batch',
    'TRUNCATE batch, third',
    'DELETE FROM third WHERE true',
    'DELETE FROM pg_temp.batch',
    'CREATE INDEX ON batch (id)',
    'CREATE UNIQUE INDEX batch_id ON batch (id)',
    'DROP INDEX batch_id',
    'CREATE INDEX third_id ON pg_temp.third (id)',
    'DROP INDEX IF EXISTS pg_temp.third_id',
    "ALTER TABLE batch ADD COLUMN note text DEFAULT 'x', ALTER COLUMN id SET NOT NULL, ADD PRIMARY KEY (id)",
    'ALTER TABLE pg_temp.batch ALTER COLUMN note TYPE varchar USING lower(note), DROP CONSTRAINT batch_pkey',
    'ALTER TABLE batch RENAME COLUMN note TO remark',
    'ALTER TABLE batch DROP COLUMN remark',
    'ANALYZE batch',
    'DROP TABLE batch',
    'CREATE TEMP TABLE batch (id int)',
    'DROP TABLE IF EXISTS batch CASCADE',
  ])
    await client.query(sql);
  t.strictSame(harness.requests, []);
});

t.test('what only looks like one', async (t) => {
  const { harness, client } = await connect(t);
  const asks = async (sql: string, why: string): Promise<void> => {
    const before = harness.requests.length;
    await t.rejects(client.query(sql), { code: '42501' }, why);
    t.equal(harness.requests.length, before + 1, why);
  };
  const isRefused = async (sql: string, why: string): Promise<void> => {
    const before = harness.requests.length;
    await t.rejects(client.query(sql), { code: /^(42P01|42704)$/ }, why);
    t.equal(harness.requests.length, before, `the server has none: ${why}`);
  };
  await client.query('CREATE TEMP TABLE orders (id int)');
  await asks('DELETE FROM orders', 'a real table has the name: which one is meant depends on the search_path');
  await asks('TRUNCATE orders', 'the same');
  await client.query('CREATE TEMP TABLE hidden (id int)');
  await asks('DELETE FROM hidden', 'a real table of another schema has the name');
  await client.query('CREATE TEMP TABLE mine (id int)');
  await asks('DELETE FROM mine; DELETE FROM orders', 'together with another');
  await asks('TRUNCATE mine, orders', 'together with another');
  await isRefused('DELETE FROM public.mine', 'a schema is named');
  await isRefused('CREATE INDEX ON public.mine (id)', 'a schema is named');
  await isRefused('ALTER TABLE public.mine ADD COLUMN a int', 'a schema is named');
  await isRefused('DROP INDEX orders_id', 'nobody made that index here');
  await asks('CREATE INDEX ON orders (id)', 'a real table has the name');
  await asks('ALTER TABLE orders ADD COLUMN a int', 'a real table has the name');
  await asks('ALTER TABLE orders DROP COLUMN id', 'a real table has the name');
  await asks('ALTER TABLE mine INHERIT public.orders', 'a real table gets its rows');
  await asks('ALTER TABLE mine RENAME TO users', 'it would stand before another name');
  await asks('CREATE RULE r AS ON DELETE TO mine DO ALSO DELETE FROM public.orders', 'a rule reaches further');
  await client.query('DELETE FROM mine');
  await client.query('CREATE INDEX ON mine (id)');

  await client.query('DROP TABLE mine');
  await client.query('CREATE TEMP VIEW mine AS SELECT * FROM public.orders');
  await asks('DELETE FROM mine', 'a temporary view over a real table has taken the name');
  await asks('UPDATE mine SET id = 0', 'the same');
  await untouched(t);
});

t.test('a temporary view over a real table, by its schema', async (t) => {
  const { client } = await connect(t);
  await client.query('CREATE TEMP VIEW v AS SELECT * FROM public.orders');
  await t.rejects(client.query('DELETE FROM pg_temp.v'), { code: '42501' });
  await t.rejects(client.query('UPDATE pg_temp.v SET id = 0'), { code: '42501' });
  await untouched(t);
});

t.test('rules and triggers of a temporary table reach further', async (t) => {
  const { client } = await connect(t);
  await client.query('CREATE TEMP TABLE ruled (id int)');
  await client.query('INSERT INTO ruled VALUES (1)');
  await client.query('CREATE RULE r AS ON DELETE TO ruled DO ALSO DELETE FROM public.orders');
  await t.rejects(client.query('DELETE FROM ruled'), { code: '42501' });
  await t.rejects(client.query('DELETE FROM pg_temp.ruled'), { code: '42501' });
  await untouched(t);
});

t.test('a real table that is made later', async (t) => {
  const { harness, client } = await connect(t);
  await client.query('CREATE TEMP TABLE later (id int)');
  await client.query('DELETE FROM later');
  await client.query('CREATE TABLE public.later AS SELECT generate_series(1, 5) AS id');
  t.teardown(() => server.query('DROP TABLE public.later'));
  t.equal(harness.requests.length, 1);
  await client.query('DROP TABLE pg_temp.later');
  await t.rejects(client.query('DELETE FROM later'), { code: '42501' });
});

t.test('nothing is certain after code that cannot be seen', async (t) => {
  const { client } = await connect(t);
  await client.query('CREATE TEMP TABLE mine (id int)');
  await client.query(
    `DO $$ BEGIN EXECUTE 'DROP TABLE mine' || ''; EXECUTE 'CREATE TEMP VIEW mine AS SELECT * FROM orders' || ''; END $$`,
  );
  await t.rejects(client.query('DELETE FROM mine'), { code: '42501' });
  await untouched(t);
});

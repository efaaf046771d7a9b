/** What a person reads about the tables of a statement, from a real catalog. */
import pg from 'pg';
import t from 'tap';
import { measureImpact } from '../../../src/io/catalog/impact.js';
import { compilePolicy } from '../../../src/policy/engine.js';
import { startPostgres } from '../../helpers/postgres.js';
import { startProxyInProcess } from '../../helpers/proxy-in-process.js';

const server = await startPostgres();
t.teardown(() => server.stop());
await server.query(`
  CREATE TABLE customers (id int PRIMARY KEY);
  CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers ON DELETE CASCADE, paid bool);
  CREATE TABLE items (id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE CASCADE);
  CREATE TABLE notes (item_id int REFERENCES items ON DELETE SET NULL);
  CREATE TABLE bills (order_id int REFERENCES orders);
  CREATE VIEW paid AS SELECT * FROM orders WHERE paid;
  CREATE TABLE fresh (id int) WITH (autovacuum_enabled = off);
  CREATE TABLE events (at date) PARTITION BY RANGE (at);
  CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-07-01') WITH (autovacuum_enabled = off);
  CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-07-01') TO ('2027-01-01') WITH (autovacuum_enabled = off);
  INSERT INTO customers VALUES (1);
  INSERT INTO orders SELECT n, 1, true FROM generate_series(1, 1200) n;
  INSERT INTO fresh SELECT generate_series(1, 500);
  INSERT INTO events SELECT date '2026-01-01' + n % 300 FROM generate_series(1, 3000) n;
`);
// not in one transaction: statistics of a partitioned parent are left out on purpose
for (const table of ['customers', 'orders', 'items', 'notes', 'bills', 'events_1', 'events_2']) {
  await server.query(`ANALYZE ${table}`);
}

const harness = await startProxyInProcess({
  upstreamUrl: server.url(),
  policy: compilePolicy([]),
  impact: (candidate, held, session) => measureImpact(candidate, held, session, undefined as never),
});
const client = new pg.Client(harness.url());
await client.connect();
t.teardown(async () => {
  await client.end();
  await harness.close();
});

/** What was shown for a statement, `label: text` in lines. */
async function impactOf(sql: string): Promise<string> {
  harness.answer = async () => ({ decision: 'deny', by: { kind: 'person' }, previewDigest: '' });
  await t.rejects(client.query(sql), { code: '42501' });
  return (harness.requests.at(-1)?.impact.lines ?? []).map(({ label, text }) => `${label}: ${text}`).join('\n');
}

t.test('a deletion is followed through every foreign key that cascades', async (t) => {
  t.strictSame((await impactOf('DELETE FROM customers')).replace(/\d+ kB/, 'N kB').split('\n'), [
    "rows: 1 or none by the planner's estimate",
    'customers: about 1 row, N kB',
    'and orders: about 1,200 rows; those that refer to it are deleted too (ON DELETE CASCADE)',
    'bills: refers to orders; its foreign key stops the deletion',
    'and items: empty when last analyzed; those that refer to orders are deleted too (ON DELETE CASCADE)',
    'and notes: empty when last analyzed; those that refer to items get NULL (ON DELETE SET NULL)',
  ]);
});

t.test('TRUNCATE and DROP with CASCADE name what goes with it', async (t) => {
  const emptied = await impactOf('TRUNCATE customers CASCADE');
  t.match(emptied, 'and orders: about 1,200 rows, emptied too (CASCADE)');
  for (const table of ['items', 'notes', 'bills']) {
    t.match(emptied, `and ${table}: empty when last analyzed, emptied too (CASCADE)`);
  }
  t.match(await impactOf('TRUNCATE customers'), 'orders: refers to it; TRUNCATE fails unless both are emptied');
  const dropped = await impactOf('DROP TABLE orders CASCADE');
  t.match(dropped, /items: loses its foreign key to it \(CASCADE\)/);
  t.match(dropped, 'view paid: depends on it and is dropped too (CASCADE)');
  const narrower = await impactOf('ALTER TABLE orders DROP COLUMN paid CASCADE');
  t.match(narrower, /^view paid: depends on it$/m);
  t.notMatch(narrower, 'items', 'the table stays, and so do references to it');
  t.match(await impactOf('DROP TABLE orders'), /items: refers to it by a foreign key/);
});

t.test('a view says what it is made of, and what hangs on that', async (t) => {
  const lines = await impactOf('DELETE FROM paid');
  t.match(lines, /^paid: a view of orders$/m);
  t.match(lines, /^and items: .*deleted too/m);
  t.notMatch(await impactOf('DROP VIEW paid'), /items/);
});

t.test('tables without statistics, and with partitions', async (t) => {
  t.match(await impactOf('DELETE FROM fresh'), /^fresh: never analyzed, \d+ kB$/m);
  t.match(await impactOf('DELETE FROM events'), /^events: about 3,000 rows, \d+ kB$/m);
});

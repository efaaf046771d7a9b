/** The `migrations` profile through the real proxy: one approval for the schema changes of one transaction. */
import pg from 'pg';
import t, { type Test } from 'tap';
import { previewOf } from '../../src/approval/preview.js';
import { compilePolicy } from '../../src/policy/engine.js';
import { startPostgres } from '../helpers/postgres.js';
import { type ProxyInProcess, startProxyInProcess } from '../helpers/proxy-in-process.js';

const server = await startPostgres({ version: 15 });
t.teardown(() => server.stop());
await server.query('CREATE TABLE orders (id int)');

async function connect(t: Test): Promise<{ harness: ProxyInProcess; client: pg.Client; asked: () => string[] }> {
  const harness = await startProxyInProcess({
    upstreamUrl: server.url(),
    policy: compilePolicy([], { profile: 'migrations' }),
  });
  harness.answer = async (request) =>
    /^(TRUNCATE|GRANT)/.test(request.sql)
      ? { decision: 'deny', by: { kind: 'nobody' } }
      : { decision: 'allow', scope: 'once', by: { kind: 'person' }, previewDigest: '' };
  const client = new pg.Client({ connectionString: harness.url() });
  client.on('error', () => {});
  await client.connect();
  t.teardown(async () => {
    await client.end();
    await harness.close();
  });
  return { harness, client, asked: () => harness.requests.map((request) => request.sql) };
}

t.test('one approval covers the further changes of its transaction, and says so', async (t) => {
  const { harness, client, asked } = await connect(t);
  await client.query('BEGIN');
  await client.query('CREATE TABLE a (id int)');
  const [request] = harness.requests;
  t.match(request && previewOf(request).warnings.join(), /further changes of this transaction/);
  await client.query('ALTER TABLE a ADD COLUMN b int');
  await client.query('CREATE INDEX ON a (b)');
  await client.query('DROP TABLE a');
  t.strictSame(asked(), ['CREATE TABLE a (id int)']);
  const covered = harness.recorder.of('verdict').filter((entry) => entry.scope === 'transaction');
  t.equal(covered.length, 3, 'each of them has a verdict that says what covered it');
  await client.query('COMMIT');
  await client.query('CREATE TABLE b (id int)');
  t.equal(asked().length, 2, 'it ends at COMMIT');
  await client.query('DROP TABLE b');
  t.equal(asked().length, 3, 'and outside of a transaction covers nothing');
});

t.test('it ends at ROLLBACK too', async (t) => {
  const { client, asked } = await connect(t);
  await client.query('BEGIN');
  await client.query('CREATE TABLE c (id int)');
  await client.query('ROLLBACK');
  await client.query('BEGIN');
  await client.query('CREATE TABLE d (id int)');
  await client.query('ROLLBACK');
  t.strictSame(asked(), ['CREATE TABLE c (id int)', 'CREATE TABLE d (id int)']);
});

for (const sql of ['TRUNCATE orders', 'GRANT ALL ON orders TO PUBLIC']) {
  t.test(`it does not cover ${sql}`, async (t) => {
    const { client, asked } = await connect(t);
    await client.query('BEGIN');
    await client.query('CREATE TABLE e (id int)');
    await t.rejects(client.query(sql), { code: '42501' });
    t.strictSame(asked(), ['CREATE TABLE e (id int)', sql]);
  });
}

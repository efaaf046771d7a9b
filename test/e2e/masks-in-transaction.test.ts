/** A masked column that was renamed in an open transaction stays masked there, whatever other clients do meanwhile. */
import pg from 'pg';
import t from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { startProxyProcess } from '../helpers/proxy-process.js';

t.test('DDL that one transaction sees and no other', async (t) => {
  const server = await startPostgres({ version: 15 });
  t.teardown(() => server.stop());
  await server.query(
    `CREATE TABLE customers (id int, name text, ssn text); INSERT INTO customers VALUES (1, 'Ada', 'qzxw-8137')`,
  );
  const guarded = await startProxyProcess(server, {
    policy: { profile: 'observe' },
    config: { mask: [{ column: 'public.customers.ssn', with: null }] },
  });
  t.teardown(() => guarded.stop());
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: guarded.url() });
    client.on('error', () => {});
    await client.connect();
    t.teardown(() => client.end());
    return client;
  };
  const first = await connect();
  const second = await connect();
  const seen = async (sql: string): Promise<string> =>
    first.query(sql).then(
      ({ rows }) => JSON.stringify(rows),
      (error: Error) => error.message,
    );
  await first.query('BEGIN');
  await first.query('ALTER TABLE customers RENAME COLUMN name TO other');
  await first.query('ALTER TABLE customers RENAME COLUMN ssn TO name');
  for (let turn = 0; turn < 5; turn++) {
    await second.query('SELECT pg_sleep(0.05)');
    t.notMatch(await seen('SELECT upper(name) AS x FROM customers'), /QZXW/);
    t.notMatch(await seen('SELECT name FROM customers'), /qzxw/);
    // names that no search_path is needed for
    t.notMatch(await seen('SELECT upper(name) AS x FROM public.customers'), /QZXW/);
  }
  await first.query('ROLLBACK');
  t.match(await seen('SELECT name FROM customers'), /Ada/, 'after it everything is as before');
});

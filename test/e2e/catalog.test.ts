/** The whole of dbguard knows what the database's functions do, and forgets it when they change. */
import pg from 'pg';
import t from 'tap';
import { startPostgres } from '../helpers/postgres.js';
import { startProxyProcess } from '../helpers/proxy-process.js';

for (const version of [15, 18] as const) {
  t.test(`functions of PostgreSQL ${version}`, async (t) => {
    const server = await startPostgres({ version });
    t.teardown(() => server.stop());
    await server.query(`
      CREATE TABLE orders (code int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text, gone timestamptz);
      INSERT INTO orders (note) SELECT 'n' || n FROM generate_series(1, 500) n;
      ANALYZE orders;
      CREATE FUNCTION note_of(n int) RETURNS text STABLE LANGUAGE sql AS 'SELECT note FROM orders WHERE code = n';
      CREATE FUNCTION added(a int, b int) RETURNS int LANGUAGE sql RETURN a + b;
      CREATE FUNCTION purge() RETURNS int LANGUAGE sql BEGIN ATOMIC DELETE FROM orders; SELECT 1; END;
      CREATE VIEW notes AS SELECT note_of(code) FROM orders`);
    const guarded = await startProxyProcess(server);
    t.teardown(() => guarded.stop());
    const client = new pg.Client({ connectionString: guarded.url() });
    await client.connect();
    t.teardown(() => client.end());

    for (const sql of [
      'SELECT note_of(3), added(1, 2)',
      'SELECT * FROM notes LIMIT 1',
      'DELETE FROM orders WHERE code = 1',
      // nearly all of them are NULL, as its statistics say
      'DELETE FROM orders WHERE gone IS NOT NULL',
    ])
      await t.resolves(client.query(sql), sql);
    // nobody is there to ask
    for (const sql of [
      'SELECT purge()',
      'SELECT nobody_knows()',
      'DELETE FROM orders WHERE code > 0',
      'DELETE FROM orders WHERE code < 100000',
      'DELETE FROM orders WHERE code <> 7',
      'DELETE FROM orders WHERE gone IS NOT NULL OR note IS NOT NULL',
    ])
      await t.rejects(client.query(sql), { code: '42501' }, sql);
    t.equal(Number((await server.query('SELECT count(*) AS n FROM orders'))[0]?.n), 499);
  });
}

/**
 * What a server refuses inside of a transaction is not put into one to run as a role, and what it takes there is not kept
 * out of one: the facts are held against real servers, for each kind of statement that PostgreSQL checks by
 * PreventInTransactionBlock, and for its neighbours that it does not check.
 */
import pg from 'pg';
import t from 'tap';
import { neverInTransaction, onlyInTransaction, roleRun } from '../../src/policy/role-commands.js';
import { createAnalyser } from '../../src/sql/analyser.js';
import { postgresAvailable, startPostgres } from '../helpers/postgres.js';

const analyser = await createAnalyser();

const schema = `
  CREATE TABLE orders (id int PRIMARY KEY, state text);
  CREATE INDEX by_state ON orders (state);
  CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM orders;
  CREATE UNIQUE INDEX of_totals ON totals (n);
  CREATE TABLE parts (id int) PARTITION BY RANGE (id);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (9);
  CREATE INDEX of_parts ON parts (id);
  CREATE TYPE mood AS ENUM ('fine');
  CREATE SEQUENCE numbers;`;

const statements = [
  ...['VACUUM', 'VACUUM orders', 'VACUUM (ANALYZE) orders', 'VACUUM FULL orders', 'ANALYZE', 'ANALYZE orders'],
  ...['CLUSTER', 'CLUSTER orders USING by_state', 'CLUSTER parts USING of_parts'],
  ...[
    'REINDEX TABLE orders',
    'REINDEX INDEX by_state',
    'REINDEX SCHEMA public',
    'REINDEX DATABASE postgres',
    'REINDEX SYSTEM postgres',
  ],
  ...[
    'REINDEX TABLE parts',
    'REINDEX INDEX of_parts',
    'REINDEX TABLE CONCURRENTLY orders',
    'REINDEX (CONCURRENTLY) INDEX by_state',
  ],
  ...[
    'CREATE INDEX ON orders (state)',
    'CREATE INDEX CONCURRENTLY ON orders (state)',
    'CREATE UNIQUE INDEX CONCURRENTLY one ON orders (id, state)',
  ],
  ...[
    'DROP INDEX by_state',
    'DROP INDEX CONCURRENTLY by_state',
    'REFRESH MATERIALIZED VIEW totals',
    'REFRESH MATERIALIZED VIEW CONCURRENTLY totals',
  ],
  ...[
    'ALTER TABLE parts DETACH PARTITION parts_1',
    'ALTER TABLE parts DETACH PARTITION parts_1 CONCURRENTLY',
    'ALTER TABLE parts DETACH PARTITION parts_1 FINALIZE',
  ],
  ...[
    'ALTER TABLE orders ADD COLUMN more int',
    'ALTER TABLE orders SET (autovacuum_enabled = off)',
    'ALTER SEQUENCE numbers RESTART',
  ],
  ...[
    'CREATE DATABASE other',
    'DROP DATABASE other',
    'DROP DATABASE other WITH (FORCE)',
    'ALTER DATABASE postgres SET TABLESPACE pg_default',
    'ALTER DATABASE postgres RENAME TO another',
  ],
  ...[
    `CREATE TABLESPACE space LOCATION '/nowhere'`,
    'DROP TABLESPACE space',
    'ALTER TABLESPACE pg_default RENAME TO another',
  ],
  ...['ALTER SYSTEM SET work_mem = 1000', 'ALTER SYSTEM RESET ALL', 'DISCARD ALL', 'DISCARD PLANS', 'DISCARD TEMP'],
  ...[`CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p`, 'DROP SUBSCRIPTION s'],
  ...[
    `COMMIT PREPARED 'x'`,
    `ROLLBACK PREPARED 'x'`,
    `ALTER TYPE mood ADD VALUE 'well'`,
    'LISTEN a',
    'NOTIFY a',
    'CHECKPOINT',
  ],
  ...[
    'CREATE TABLE more (id int)',
    'CREATE TABLE copied AS SELECT * FROM orders',
    'TRUNCATE orders',
    'COMMENT ON TABLE orders IS NULL',
  ],
  ...[
    'DELETE FROM orders',
    'SELECT 1',
    'EXPLAIN DELETE FROM orders',
    'COPY orders TO STDOUT',
    'LOCK TABLE orders',
    'DECLARE c CURSOR FOR SELECT 1',
  ],
  ...[
    'DO $$ BEGIN END $$',
    'SET LOCAL work_mem = 1000',
    'SAVEPOINT a',
    'GRANT SELECT ON orders TO PUBLIC',
    'DROP TABLE orders',
  ],
];

for (const version of [15, 18] as const) {
  if (!postgresAvailable(version)) continue;
  t.test(`PostgreSQL ${version}`, async (t) => {
    const server = await startPostgres({ version, cache: false });
    t.teardown(() => server.stop());
    await server.query(schema);
    const client = new pg.Client(server.url());
    await client.connect();
    t.teardown(() => client.end());
    const code = (sql: string) =>
      client.query(sql).then(
        () => undefined,
        (error: { code?: string }) => error.code,
      );
    for (const sql of statements) {
      const [facts] = analyser.analyse(sql).statements;
      if (facts === undefined) throw new TypeError(`${sql} is a statement`);
      await client.query('BEGIN');
      const refused = (await code(sql)) === '25001';
      await client.query('ROLLBACK');
      if (refused) t.not(roleRun(facts), 'transaction', `refused in a transaction, and put into one: ${sql}`);
      if (neverInTransaction(facts)) t.ok(refused, `taken in a transaction, and kept out of it: ${sql}`);
      if (onlyInTransaction(facts)) t.equal(await code(sql), '25P01', `taken outside of a transaction: ${sql}`);
      if (!refused && roleRun(facts) === 'alone') t.match(facts.command, /^(ANALYZE|CLUSTER|REINDEX)$/, sql);
    }
  });
}

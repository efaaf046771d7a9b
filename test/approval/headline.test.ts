/** The first line of a prompt, of real statements: what it says is what happens. */
import { test } from 'tap';
import { headline } from '../../src/approval/headline.js';
import { compilePolicy } from '../../src/policy/engine.js';
import { createAnalyser } from '../../src/sql/analyser.js';
import { input } from '../policy/facts.js';

const cases: readonly (readonly [sql: string, says: RegExp])[] = [
  ["SELECT setval('orders_id_seq', 1)", /^Set the next number of orders_id_seq$/],
  ['ALTER TABLE orders RENAME COLUMN mail TO email', /^Alter table orders \(rename column mail to email\)$/],
  ['ALTER TABLE orders RENAME TO orders_old', /^Alter table orders \(rename to orders_old\)$/],
  [
    "CREATE OR REPLACE FUNCTION f() RETURNS text LANGUAGE sql AS $$ DELETE FROM orders; SELECT 'x' $$",
    /^Create function f \(or replace\); delete ALL rows of orders whenever its code runs$/,
  ],
  ['TRUNCATE a, b CASCADE', /that refers to them$/],
  ['DROP TABLE a, b, c, d CASCADE', /^Drop .*a, b, c and d and everything that depends on them$/],
  ['SELECT 1; UPDATE a SET x = 1 WHERE id = 1; DROP TABLE b', /^Drop table b, and 2 more statements$/],
  ['CREATE RULE audit AS ON DELETE TO orders DO INSTEAD NOTHING', /^Create a rule on orders$/],
  ['CREATE TRIGGER t AFTER INSERT ON orders EXECUTE FUNCTION f()', /^Create a trigger on orders$/],
  ['ALTER ROLE app SET search_path = evil', /^Change what role app begins its sessions with: search_path$/],
  ['ALTER ROLE ALL SET row_security = off', /^Change what every role begins its sessions with: row_security$/],
  ['ALTER ROLE app LOGIN', /^Alter role app$/],
  ['ALTER SYSTEM SET fsync = off', /^Change the server's configuration: fsync$/],
  ['ALTER DATABASE shop SET fsync = off', /^Change the configuration of the server or the database: shop, fsync$/],
  ["COPY a TO '/tmp/a'", /^Write files of the database server: \/tmp\/a$/],
  ["COPY a FROM '/tmp/a'", /^Read files of the database server: \/tmp\/a$/],
  ['DROP CAST (int AS text)', /^Drop a cast$/],
  ['DROP POLICY p ON orders', /^Drop policy p of orders$/],
  ['DROP TRIGGER t ON shop.orders CASCADE', /^Drop trigger t of shop\.orders and everything/],
  ['ALTER TABLE orders SET UNLOGGED', /\(set unlogged\)$/],
  ['ALTER TABLE orders RESET (fillfactor)', /\(reset options\)$/],
  ['ALTER TABLE orders DETACH PARTITION shop.orders_2024', /\(detach partition orders_2024\)$/],
  ['ALTER TABLE orders DROP CONSTRAINT paid CASCADE', /\(drop constraint paid, CASCADE\)$/],
  ['ALTER TABLE orders ADD CONSTRAINT paid CHECK (a > 0)', /\(add constraint paid\)$/],
  ['ALTER TABLE orders DISABLE TRIGGER audit', /\(disable trigger audit\)$/],
  ['ALTER TABLE orders RENAME CONSTRAINT x TO y', /\(rename constraint x to y\)$/],
  ['ALTER TABLE orders NO INHERIT p', /\(no inherit\)$/],
  ['ALTER LARGE OBJECT 16402 OWNER TO app', /16402, app$/],
  ['ALTER TABLE orders REPLICA IDENTITY FULL', /^Alter table orders \(replica identity\)$/],
  ['SELECT pg_advisory_lock(1), purge_all()', /^Call purge_all, which may change data$/],
  [
    'MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE',
    /^Delete ALL rows of t that the source does not have$/,
  ],
  [
    'MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED BY SOURCE THEN UPDATE SET a = 0',
    /^Delete rows of t; change ALL rows of t that the source does not have$/,
  ],
  ['CREATE CAST (bigint AS mood) WITH FUNCTION f(bigint)', /^Create a cast to mood, which runs code/],
  [
    'CREATE TRANSFORM FOR hstore LANGUAGE plpython3u (FROM SQL WITH FUNCTION f(internal))',
    /^Create a transform of hstore/,
  ],
  ['DROP TRANSFORM FOR hstore LANGUAGE plpython3u', /^Drop a transform/],
  ['CREATE EVENT TRIGGER t ON ddl_command_start EXECUTE FUNCTION f()', /^Create event trigger t, which runs code/],
  ['CREATE EXTENSION dblink', /^Create extension dblink, which runs code/],
  [
    "CREATE USER MAPPING FOR bob SERVER films OPTIONS (user 'bob')",
    /^Create a user mapping for server films, which leads to/,
  ],
  ['CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw', /^Create server s, which leads to another server$/],
  ['IMPORT FOREIGN SCHEMA a FROM SERVER s INTO b', /^Connect from the database server to somewhere else: s/],
  ['SELECT lo_unlink(oid) FROM pg_largeobject_metadata', /^Delete large objects/],
  ['ALTER TABLE ALL IN TABLESPACE old SET TABLESPACE new', /^Alter table old \(every table of this tablespace\)$/],
  ['ALTER INDEX ALL IN TABLESPACE old SET TABLESPACE new', /^Alter index old \(every index of this tablespace\)$/],
  ['WITH d AS (DELETE FROM b RETURNING 1) UPDATE a SET x = 1 WHERE id = 1', /^Delete ALL rows of b/],
];

test('what a headline says', async (t) => {
  const analyser = await createAnalyser();
  const policy = compilePolicy([]);
  for (const [sql, says] of cases) {
    const facts = analyser.analyse(sql);
    const told = headline({ facts, ruling: policy.decide(input(facts)), impact: { lines: [] } });
    t.match(told, says, sql);
  }
});

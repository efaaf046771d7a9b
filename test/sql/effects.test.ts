import t from 'tap';
import { createAnalyser } from '../../src/sql/analyser.js';
import { summary } from './summary.js';

const analyser = await createAnalyser();

/** Statement, then what it does as test/sql/summary.ts writes it. */
const groups: Record<string, readonly (readonly [sql: string, does: string])[]> = {
  reads: [
    ['SELECT 1', ''],
    ['SELECT id, u.name FROM users u WHERE id = $1', 'read users(id name)'],
    ['SELECT * FROM users', 'read! users'],
    ['SELECT * FROM users LIMIT 5', 'read users'],
    ['SELECT count(*) FROM app.users', 'read! app.users()'],
    ['SELECT u FROM users u', 'read! users'],
    [
      'SELECT o.total, u.name FROM orders o JOIN users u ON u.id = o.user_id',
      'read orders(user_id total) users(id name)',
    ],
    ['TABLE users', 'read! users'],
    ['SELECT (SELECT max(id) FROM b) FROM a', 'read! b(id) a(id)'],
    ['SELECT 1 FROM a NATURAL JOIN b', 'read a b'],
    ['SELECT 1 FROM a, LATERAL (SELECT * FROM b WHERE b.x = a.y) s', 'read b, read! a(y)'],
    ['SELECT * FROM generate_series(1, 3) AS g', ''],
    ['SHOW ALL', ''],
  ],
  'WITH queries are not tables, except where they are': [
    ['WITH x AS (SELECT 1) SELECT * FROM x', ''],
    ['WITH users AS (SELECT * FROM users) SELECT * FROM users', 'read! users'],
    ['WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a', 'read! b'],
    ['WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a', ''],
    ['WITH x AS (SELECT 1) SELECT * FROM public.x', 'read! public.x'],
    ['WITH x AS (SELECT 1) SELECT (SELECT count(*) FROM x)', ''],
    ['SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x) s, x', 'read! x'],
    ['WITH x AS (SELECT 1) DELETE FROM x', 'delete! x'],
  ],
  writes: [
    ["INSERT INTO users (email) VALUES ('a')", 'insert users(email)'],
    ['INSERT INTO users SELECT * FROM staging', 'insert users, read! staging'],
    [
      'INSERT INTO t (id, a) VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET a = excluded.a',
      'insert t(id a), update t(a) [on conflict]',
    ],
    ['INSERT INTO t VALUES (1) RETURNING *', 'insert t, read t'],
    ['UPDATE users SET name = $1 WHERE id = $2', 'update users(name), read users(id)'],
    ['UPDATE users SET name = 1', 'update! users(name)'],
    ['DELETE FROM users', 'delete! users'],
    ['DELETE FROM users WHERE id = 1 RETURNING ssn', 'delete users, read users(id ssn)'],
    ['WITH d AS (DELETE FROM users RETURNING id) SELECT * FROM d', 'delete! users, read! users(id)'],
    ['TRUNCATE a, s.b CASCADE', 'truncate! a s.b [CASCADE]'],
    [
      'MERGE INTO t USING s ON t.id = s.id WHEN MATCHED AND s.gone THEN DELETE WHEN MATCHED THEN UPDATE SET a = s.a WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)',
      'delete t, update t(a), insert t(id), read t(id) s(id gone a)',
    ],
    ['MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE', 'delete! t, read! s()'],
    ['MERGE INTO t USING s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE', 'delete! t, read t(id) s(id)'],
    ['SELECT * INTO copy FROM users', 'create copy, read! users'],
    ['CREATE TEMP TABLE copy AS SELECT id FROM users', 'create copy [temporary], read! users(id)'],
    ['SELECT * FROM a JOIN b USING (id) FOR UPDATE OF a', 'lock a [FOR UPDATE], read a b'],
    ['SELECT 1 FROM a WHERE id = 1 FOR KEY SHARE', 'lock a [FOR KEY SHARE], read a(id)'],
  ],
  'EXPLAIN runs only with ANALYZE': [
    ['EXPLAIN DELETE FROM users', 'read! users [explain]'],
    ['EXPLAIN (ANALYZE false) DELETE FROM users', 'read! users [explain]'],
    ['EXPLAIN (ANALYZE 0) DELETE FROM users', 'read! users [explain]'],
    ['EXPLAIN ANALYZE DELETE FROM users', 'delete! users'],
    ['EXPLAIN (COSTS off, ANALYZE) DELETE FROM users', 'delete! users'],
    ['EXPLAIN (ANALYZE on) SELECT evil()', 'function-call? evil'],
    ['EXPLAIN SELECT evil()', 'function-call? evil'],
    ['EXPLAIN SELECT pg_terminate_backend(1)', ''],
    ['EXPLAIN EXECUTE p(pg_terminate_backend(1))', 'backend pg_terminate_backend'],
  ],
  COPY: [
    ['COPY users (id) TO STDOUT', 'read! users(id)'],
    ['COPY users FROM STDIN', 'insert users'],
    ["COPY users TO '/tmp/x'", 'read! users, copy-file /tmp/x [write]'],
    ["COPY users FROM '/tmp/x'", 'insert users, copy-file /tmp/x [read]'],
    ["COPY users FROM PROGRAM 'id'", 'insert users, copy-program id'],
    ['COPY (SELECT id FROM users WHERE id < 3) TO STDOUT', 'read users(id)'],
    ['COPY (DELETE FROM users RETURNING *) TO STDOUT', 'delete! users, read! users'],
    ['COPY users FROM STDIN WHERE evil()', 'insert users, function-call? evil'],
  ],
  functions: [
    ['SELECT now(), lower(a), json_agg(b), pg_catalog.count(*) FROM t', 'read! t(a b)'],
    ["SELECT pg_read_file('/etc/passwd')", 'copy-file /etc/passwd [read]'],
    ["SELECT * FROM pg_catalog.pg_ls_dir('/')", 'copy-file / [read]'],
    ["SELECT lo_export(1, '/tmp/x')", 'copy-file /tmp/x [write]'],
    ["SELECT nextval('app.seq')", 'update app.seq [nextval]'],
    [`SELECT setval('"Seq"', 1)`, 'alter Seq [setval]'],
    ['SELECT pg_advisory_lock(1)', 'lock pg_advisory_lock [ADVISORY]'],
    ["SELECT pg_notify('c', 'x')", 'notify c'],
    ['SELECT pg_reload_conf()', 'config pg_reload_conf'],
    ["SELECT set_config('Role', 'admin', true)", 'session role [admin]'],
    ['SELECT set_config($1, $2, true)', 'session? ?'],
    ["SELECT set_config('role', $1, true)", 'session role [any value]'],
    [
      "SELECT set_config(name, 'x', false) FROM pg_settings WHERE name = 'work_mem'",
      'session work_mem [x], read pg_settings(name)',
    ],
    ["SELECT dblink('host=evil', 'x')", 'network? dblink'],
    ["SELECT query_to_xml('DELETE FROM t', true, true, '')", 'delete! t, execute-code query_to_xml'],
    ["SELECT query_to_xml('DELETE ' || 'FROM t', true, true, '')", 'delete! t, execute-code query_to_xml'],
    ["SELECT query_to_xml($1, true, true, '')", 'execute-code? query_to_xml'],
    ["SELECT table_to_xml('app.users', true, true, '')", 'read! app.users'],
    ["SELECT schema_to_xml('app', true, true, '')", 'read!? app'],
    ['SELECT evil(), app.evil()', 'function-call? evil app.evil'],
    ['SELECT public.count(1)', 'function-call? public.count'],
    ['SELECT pg_catalog.evil()', 'function-call? pg_catalog.evil'],
    ['SELECT 1 FROM t ORDER BY evil(a)', 'function-call? evil, read! t(a)'],
    ['SELECT extensions.uuid_generate_v4(), st_area(g) FROM t', 'read! t(g)'],
    ['SELECT lo_open(1, 131072)', 'function-call lo_open [large object]'],
    ['SELECT a OPERATOR(app.+) b FROM t', 'function-call? app.+, read! t(a b)'],
    ['SELECT a FROM t ORDER BY a USING OPERATOR(app.<)', 'function-call? app.<, read! t(a)'],
    ['SELECT 1 FROM t WHERE a OPERATOR(app.=) ANY (SELECT 1)', 'function-call? app.=, read t(a)'],
    ['SELECT a OPERATOR(pg_catalog.+) 1, b OPERATOR(extensions.<=>) $1 FROM t', 'read! t(a b)'],
    ["SELECT ts_rewrite('a'::tsquery, 'SELECT t, s FROM aliases')", 'read! aliases(t s), execute-code ts_rewrite'],
    ["SELECT ts_rewrite('a'::tsquery, 'b', 'c')", ''],
    ['CALL cleanup(evil())', 'execute-code? cleanup, function-call? evil'],
  ],
  code: [
    ['DO $$ BEGIN DELETE FROM t; END $$', 'delete! t, read'],
    ['DO $$ BEGIN PERFORM evil(); END $$', 'function-call? evil, read'],
    ['DO $$ DECLARE n int := evil(); BEGIN END $$', 'function-call? evil, read'],
    ['DO $$ BEGIN IF (SELECT count(*) FROM t) > 0 THEN TRUNCATE t; END IF; END $$', 'read! t(), truncate! t, read'],
    [
      'DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM t LOOP UPDATE t SET a = 1 WHERE id = r.id; END LOOP; END $$',
      'update t(a), read t(id), read! t',
    ],
    ['DO $$ DECLARE a int[]; BEGIN a[evil()] := other(); END $$', 'function-call? evil other, read'],
    [
      "CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM t; RETURN NEW; END'",
      'create g, delete! t [in definition], execute-code g [language plpgsql, in definition]',
    ],
    ["DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$", 'drop t, read'],
    ["DO $$ BEGIN EXECUTE format('DROP TABLE %I', x); END $$", 'execute-code? [language plpgsql]'],
    [
      "DO $$ DECLARE r record; BEGIN FOR r IN EXECUTE 'DELETE FROM t RETURNING *' LOOP END LOOP; END $$",
      'delete! t, read! t, read',
    ],
    [
      'DO $$ DECLARE r record; c CURSOR FOR SELECT a FROM t; BEGIN r.a := evil(); OPEN c; FETCH c INTO r; END $$',
      'read! t(a), function-call? evil, read',
    ],
    ['DO LANGUAGE plpython3u $$ x $$', 'execute-code? [language plpython3u]'],
    ['DO $$ not plpgsql $$', 'execute-code? [language plpgsql]'],
    ['DO $$ BEGIN COMMIT; END $$', 'transaction [in a body], read'],
    [
      "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DELETE FROM t'",
      'create f, delete! t [in definition], execute-code f [language sql, in definition]',
    ],
    [
      'CREATE FUNCTION f() RETURNS int RETURN evil()',
      'create f, function-call? evil [in definition], execute-code f [language sql, in definition]',
    ],
    [
      'CREATE PROCEDURE p() BEGIN ATOMIC DELETE FROM t; SELECT 1; END',
      'create p, delete! t [in definition], execute-code p [language sql, in definition]',
    ],
    [
      "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE c SECURITY DEFINER AS 'lib', 'sym'",
      'alter f [or replace], execute-code? f [language c, security definer, in definition]',
    ],
    [
      "SELECT query_to_xml('SELECT 1; CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS ''BEGIN END''', true, true, '')",
      'create f, execute-code? f [language plpgsql, in definition], execute-code query_to_xml',
    ],
    ["LOAD 'x'", 'execute-code? x [library]'],
    ['CREATE EXTENSION pg_trgm', 'create pg_trgm, execute-code? pg_trgm [extension script]'],
  ],
  'handles and sessions': [
    ['PREPARE p AS DELETE FROM t', 'prepare p'],
    ['EXECUTE p(1)', 'prepare p'],
    ['EXECUTE p(evil())', 'prepare p, function-call? evil'],
    ['DECLARE c CURSOR FOR SELECT * FROM t', 'cursor c, read! t'],
    ['FETCH ALL FROM c', 'cursor c'],
    ['BEGIN READ WRITE', 'transaction, session transaction_read_only [off]'],
    ['BEGIN ISOLATION LEVEL SERIALIZABLE', 'transaction'],
    ['SET TRANSACTION READ WRITE', 'session transaction_read_only [off]'],
    ['SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE', 'session default_transaction_read_only [off]'],
    ['SET search_path = a, "B"', 'session search_path [a, B]'],
    ['SET LOCAL "ROLE" TO admin', 'session role [admin]'],
    ['SET SESSION AUTHORIZATION bob', 'session session_authorization [bob]'],
    ['RESET ROLE', 'session role'],
    ['RESET ALL', 'session all'],
    ['SET app.tenant = 7', 'session app.tenant [7]'],
    ['LOCK TABLE a', 'lock a [ACCESS EXCLUSIVE]'],
    ['LOCK a IN ROW SHARE MODE', 'lock a [ROW SHARE]'],
    ['VACUUM (FULL, ANALYZE false) a', 'maintenance a [full]'],
    ['ANALYZE a (b)', 'maintenance a(b)'],
    ['NOTIFY c', 'notify c'],
  ],
  DDL: [
    ['CREATE TABLE t (a int DEFAULT evil())', 'create t, function-call? evil [in definition]'],
    ['CREATE TEMP TABLE p () INHERITS (t)', 'create p [temporary], alter t [inherited]'],
    ['CREATE TABLE p PARTITION OF t DEFAULT', 'create p, alter t [partition]'],
    ['ALTER TABLE t DROP COLUMN a CASCADE, ADD COLUMN b int', 'drop t(a) [column, CASCADE], alter t [add column]'],
    ['ALTER TABLE t OWNER TO bob', 'grant t bob [owner]'],
    ['ALTER TABLE t DISABLE TRIGGER ALL', 'alter t [disable trigger all]'],
    ['ALTER TABLE t DISABLE ROW LEVEL SECURITY', 'grant t [disable row security]'],
    ['ALTER TABLE t RENAME a TO b', 'alter t(a) [rename column a to b]'],
    ['DROP TABLE IF EXISTS a, s.b CASCADE', 'drop a s.b [CASCADE]'],
    ['DROP TRIGGER x ON s.t', 'drop s.t [trigger]'],
    ['DROP FUNCTION s.f(int)', 'drop s.f'],
    ['DROP SCHEMA s', 'drop s'],
    ['DROP OWNED BY bob', 'drop! bob [everything owned]'],
    ['CREATE VIEW v AS SELECT a FROM t', 'create v, read! t(a) [in definition]'],
    ['CREATE OR REPLACE VIEW v AS SELECT 1', 'alter v [or replace]'],
    ['CREATE RULE r AS ON INSERT TO t DO ALSO DELETE FROM u', 'alter t [rule], delete! u [in definition]'],
    [
      'CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()',
      'alter t [trigger], execute-code f [trigger]',
    ],
    ['CREATE POLICY p ON t USING (true)', 'grant t [row security policy]'],
    ['GRANT SELECT, UPDATE ON t TO bob', 'grant t bob [select, update]'],
    ['GRANT ALL ON ALL TABLES IN SCHEMA s TO PUBLIC', 'grant s PUBLIC [all]'],
    ['GRANT admin TO bob', 'grant admin bob [membership]'],
    ["ALTER ROLE bob PASSWORD 'x'", 'role bob'],
    ["ALTER SYSTEM SET work_mem = '1GB'", 'config work_mem [1GB]'],
    ['ALTER DATABASE d SET row_security = off', 'config d row_security'],
    ["COMMENT ON COLUMN s.t.a IS 'x'", 'alter s.t(a) [comment]'],
    ["CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p", 'create s, network s'],
    ["CREATE TABLESPACE ts LOCATION '/x'", 'create ts, copy-file /x [write]'],
    ['CREATE INDEX CONCURRENTLY i ON s.t (evil(a))', 'create s.i s.t [concurrently], function-call? evil'],
  ],
  obfuscation: [
    ['/* SELECT */ DELETE/**/FROM/**/users -- WHERE id = 1', 'delete! users'],
    ['DELETE FROM U&"\\0075sers"', 'delete! users'],
    ['dElEtE FrOm "Users"', 'delete! Users'],
    ["SELECT '; --'; DROP TABLE users", ' ; drop users'],
    ['SELECT $a$ $$ ; $a$; DROP TABLE users', ' ; drop users'],
    ["SELECT E'\\'; --'; DROP TABLE users; --'", ' ; drop users'],
    ['SELECT 1;;;DROP TABLE users;;', ' ; drop users'],
    ['/* /* */ ; */ DROP TABLE users', 'drop users'],
  ],
  unparseable: [
    ['SELECT FROM WHERE', 'unparseable: syntax'],
    ['\ufeffSELECT 1', 'unparseable: syntax'],
    ['SELECT 1 \0; DROP TABLE t', 'unparseable: encoding'],
    [`SELECT ${'('.repeat(50_000)}1${')'.repeat(50_000)}`, 'unparseable: too-deep'],
  ],
};

for (const [name, cases] of Object.entries(groups)) {
  t.test(name, (t) => {
    for (const [sql, does] of cases) t.equal(summary(analyser.analyse(sql)), does, sql.slice(0, 120));
    t.end();
  });
}

t.test('names of the session in code: nobody follows them there', (t) => {
  const texts = [
    'PREPARE s AS SELECT 1',
    'EXECUTE s',
    'EXECUTE s(1)',
    'CREATE TABLE a AS EXECUTE s',
    'DEALLOCATE s',
    'DEALLOCATE ALL',
    'DISCARD ALL',
    'DECLARE c CURSOR FOR SELECT 1',
    'FETCH c',
    'MOVE c',
    'CLOSE c',
    'CLOSE ALL',
    'EXPLAIN EXECUTE s',
    'EXPLAIN ANALYZE EXECUTE s',
    'SELECT 1; EXECUTE s; SELECT 2',
  ];
  const carriers = [
    (text: string) => `DO $x$ BEGIN EXECUTE '${text}'; END $x$`,
    (text: string) => `DO $x$ BEGIN IF true THEN EXECUTE '${text}'; END IF; END $x$`,
    (text: string) => `DO $x$ BEGIN FOR i IN 1..2 LOOP EXECUTE '${text}'; END LOOP; END $x$`,
    (text: string) => `SELECT query_to_xml('${text}', true, true, '')`,
    (text: string) => `DO $x$ BEGIN PERFORM query_to_xml('${text}', true, true, ''); END $x$`,
  ];
  for (const text of texts) {
    for (const carry of carriers) {
      const sql = carry(text);
      const effects = analyser.analyse(sql).statements.flatMap((one) => one.effects);
      t.ok(
        effects.some(({ opaque }) => opaque),
        sql,
      );
    }
  }
  t.end();
});

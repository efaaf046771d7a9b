import { type Dialogue, ready } from '../../helpers/dialogue.js';
import { query } from '../../helpers/wire-messages.js';

/** The simple query protocol: one string, any number of statements, one ReadyForQuery. */
export const simpleQuery: readonly Dialogue[] = [
  { name: 'one row', steps: [query('SELECT 1 AS one, NULL AS nothing, true AS yes'), ready()] },
  { name: 'no row, no column', steps: [query('SELECT FROM generate_series(1, 0)'), ready()] },
  { name: 'rows without a column', steps: [query('SELECT FROM generate_series(1, 3)'), ready()] },
  { name: 'the empty string', steps: [query(''), ready()] },
  { name: 'only semicolons, spaces and comments', steps: [query(' ;; -- nothing\n /* at all */ ; '), ready()] },
  { name: 'several statements in one string', steps: [query('SELECT 1; SELECT 2, 3;; SELECT 4;'), ready()] },
  {
    name: 'an error in the middle of a string undoes what came before it',
    setup: 'CREATE TABLE t (a int)',
    steps: [
      query('INSERT INTO t VALUES (1); SELECT 1/0; INSERT INTO t VALUES (2)'),
      ready(),
      query('TABLE t'),
      ready(),
    ],
  },
  {
    name: 'a transaction inside a string splits the implicit one',
    setup: 'CREATE TABLE t (a int)',
    steps: [
      query('INSERT INTO t VALUES (1); BEGIN; INSERT INTO t VALUES (2); COMMIT; INSERT INTO t VALUES (3); SELECT 1/0'),
      ready(),
      query('TABLE t'),
      ready(),
    ],
  },
  { name: 'two strings in one packet', steps: [query('SELECT 1'), query('SELECT 2'), ready(2)] },
  {
    name: 'an error does not reach the next string',
    steps: [query('SELECT no_such_column'), query('SELECT 2'), query('SELECT no_such_function()'), ready(3)],
  },
  { name: 'a syntax error and its position', steps: [query('SELECT 1 FROM FROM'), ready()] },
  { name: 'a syntax error after good statements', steps: [query('SELECT 1; SELEC 2'), ready()] },
  { name: 'an unterminated string', steps: [query("SELECT 'abc"), ready(), query('SELECT 1'), ready()] },
  {
    name: 'an error with detail, hint and context',
    setup: 'CREATE TABLE t (a int PRIMARY KEY, b int CHECK (b > 0))',
    steps: [
      query('INSERT INTO t VALUES (1, 1)'),
      ready(),
      query('INSERT INTO t VALUES (1, 2)'),
      ready(),
      query('INSERT INTO t VALUES (2, -1)'),
      ready(),
      query('SELECT aa FROM t'),
      ready(),
    ],
  },
  {
    name: 'every kind of command tag',
    steps: [
      query('CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 5); UPDATE t SET a = a + 1 WHERE a > 3'),
      ready(),
      query('DELETE FROM t WHERE a = 1; SELECT * FROM t; TRUNCATE t; CREATE TABLE u AS SELECT 1; DROP TABLE t, u'),
      ready(),
      query('SET work_mem TO DEFAULT; SHOW work_mem; BEGIN; LOCK TABLE pg_class IN ACCESS SHARE MODE; COMMIT; VACUUM'),
      ready(),
    ],
  },
  {
    name: 'SQL-level prepared statements and cursors',
    setup: 'CREATE TABLE t AS SELECT generate_series(1, 10) AS a',
    steps: [
      query('PREPARE p (int) AS SELECT a FROM t WHERE a < $1'),
      ready(),
      query('EXECUTE p (3); EXECUTE p (5); DEALLOCATE p; EXECUTE p (1)'),
      ready(),
      query('BEGIN; DECLARE c SCROLL CURSOR FOR SELECT a FROM t ORDER BY a; FETCH 2 FROM c; FETCH BACKWARD 1 FROM c'),
      ready(),
      query('MOVE 3 IN c; FETCH NEXT FROM c; CLOSE c; COMMIT'),
      ready(),
    ],
  },
  {
    name: 'a statement longer than any buffer',
    steps: [query(`SELECT length('${'x'.repeat(5_000_000)}')`), ready()],
  },
  {
    name: 'a result longer than any buffer',
    steps: [
      query("SELECT i, repeat('x', 1000) FROM generate_series(1, 5000) AS i"),
      ready(),
      query('SELECT 1'),
      ready(),
    ],
  },
  { name: 'one value of 20 MB', steps: [query("SELECT repeat('0123456789', 2000000)"), ready()] },
  {
    name: 'names and values outside ASCII',
    steps: [
      query("SELECT 'Pa\u00dfw\u00f6rt \u2168 \ud83d\udc18' AS \"\u540d\u524d\", U&'\\0441\\043b\\043e\\043d'"),
      ready(),
    ],
  },
  {
    name: 'dollar quotes, nested comments and quoted semicolons',
    steps: [
      query(
        "SELECT $a$;$b$;$a$, ';' /* ; /* ; */ ; */ , 'it''s', E'\\';'; SELECT \"a;b\" FROM (SELECT 1 AS \"a;b\") s",
      ),
      ready(),
    ],
  },
  { name: 'EXPLAIN', steps: [query('EXPLAIN (COSTS OFF) SELECT * FROM pg_class WHERE oid = 1'), ready()] },
  {
    name: 'code on the server',
    steps: [
      query(
        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'a is %', a; RETURN a / 0; END $$",
      ),
      ready(),
      query('SELECT f(1)'),
      ready(),
      query("DO $$ BEGIN RAISE WARNING USING MESSAGE = 'careful', DETAIL = 'd', HINT = 'h', ERRCODE = '01999'; END $$"),
      ready(),
    ],
  },
];

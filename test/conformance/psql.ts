/** psql and PostgreSQL's own regression tests, direct and through dbguard: the same text on stdout and stderr. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Target } from './client.js';

/** What psql prints for a script, stdout and stderr in one, line by line. */
export async function runPsql(psql: string, target: Target, script: string, folder = '/'): Promise<string[]> {
  const options = ['-X', '-a', '-q', '-v', 'HIDE_TABLEAM=on', '-v', 'HIDE_TOAST_COMPRESSION=on'];
  // one pipe for both: with two, which line came first would be chance
  const { stdout } = await execa('/bin/sh', ['-c', 'exec "$0" "$@" 2>&1', psql, ...options], {
    input: script,
    reject: false,
    cwd: folder,
    encoding: 'latin1',
    extendEnv: false,
    env: {
      PATH: process.env.PATH ?? '',
      ...{ PGHOST: target.host, PGPORT: String(target.port), PGUSER: target.user, PGPASSWORD: target.password },
      ...{ PGDATABASE: target.database, PGSSLMODE: 'prefer', PGTZ: 'PST8PDT', PGDATESTYLE: 'Postgres, MDY' },
      ...{ PG_ABS_SRCDIR: folder, PG_LIBDIR: folder, PG_DLSUFFIX: '.so', LANG: 'C', LC_ALL: 'C' },
    },
  });
  return stdout.split('\n');
}

/** Everyday psql. */
export const scripts: Readonly<Record<string, string>> = {
  'meta-commands': `CREATE TABLE orders (id serial PRIMARY KEY, note text CHECK (note <> ''));
    CREATE VIEW recent AS SELECT * FROM orders; CREATE INDEX ON orders (note);
    \\d orders
    \\d+ recent
    \\dt
    \\di
    \\df pg_sleep
    \\dn
    \\du
    \\l postgres
    \\sf pg_catalog.pg_relation_size(regclass)
    \\dp orders`,
  'variables, errors, \\gexec, \\gset, \\bind-less pipelines': `\\set ON_ERROR_STOP off
    SELECT 1 AS one \\gset
    SELECT :one + 1;
    SELECT format('SELECT %s', n) FROM generate_series(1, 3) n \\gexec
    SELECT 1/0;
    SELECT syntax error here;
    \\errverbose
    \\x
    SELECT 1 AS a, 2 AS b;
    SELECT 1 AS q \\gdesc`,
  '\\copy and COPY': `CREATE TABLE c (a int, b text);
COPY c FROM STDIN;
1	one
2	two
\\.
\\copy c to stdout (format csv)
COPY c TO STDOUT;
COPY c FROM STDIN;
bad line
\\.
SELECT count(*) FROM c;`,
  'FETCH_COUNT, AUTOCOMMIT and ON_ERROR_ROLLBACK': `\\set FETCH_COUNT 3
    SELECT generate_series(1, 10);
    \\set AUTOCOMMIT off
    \\set ON_ERROR_ROLLBACK on
    CREATE TABLE z (a int);
    INSERT INTO z VALUES ('x');
    INSERT INTO z VALUES (1);
    COMMIT;
    SELECT * FROM z;`,
};

/**
 * A quick subset of src/test/regress/sql that needs no C library and no other test's tables. The files come with
 * PostgreSQL's source: `apt-get source postgresql-15`.
 */
export const regressionTests: readonly string[] = `boolean char varchar text int2 int4 int8 oid float4 float8 bit uuid
  enum money pg_lsn regproc strings numerology point lseg line box path polygon circle date time timetz timestamp timestamptz
  interval inet macaddr macaddr8 horology unicode expressions create_type case arrays json jsonb json_encoding
  jsonpath jsonb_jsonpath select_distinct_on select_into union subselect join_hash transactions random portals_p2
  prepare prepared_xacts limit plpgsql copy2 temp domain rangefuncs alter_generic rowtypes returning conversion
  truncate sequence polymorphism largeobject with xml window rangetypes multirangetypes guc combocid tsrf groupingsets
  insert_conflict matview lock rules triggers merge identity generated password async dbsize init_privs object_address advisory_lock`
  .split(/\s+/)
  .filter((name) => name !== '');

/** undefined: this source has no such test. */
export async function regressionScript(regress: string, name: string): Promise<string | undefined> {
  const file = join(regress, 'sql', `${name}.sql`);
  return existsSync(file) ? readFile(file, 'latin1') : undefined;
}

/** psql and PostgreSQL's own regression tests, direct and through dbguard: the same text on stdout and stderr. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Target } from '../helpers/wire-client.js';

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
      ...{ PGDATABASE: target.database, ...encryption(target), PGTZ: 'PST8PDT', PGDATESTYLE: 'Postgres, MDY' },
      ...{ PG_ABS_SRCDIR: folder, PG_LIBDIR: folder, PG_DLSUFFIX: '.so', LANG: 'C', LC_ALL: 'C' },
    },
  });
  return stdout.split('\n');
}

function encryption({ rootcert }: Target): Record<string, string> {
  return rootcert === undefined ? { PGSSLMODE: 'prefer' } : { PGSSLMODE: 'verify-full', PGSSLROOTCERT: rootcert };
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
 * PostgreSQL's regression tests in the order of its own schedule. They come with its source (`apt-get source
 * postgresql-15`); what needs its C library fails alike on both sides.
 *
 * @param regress the folder src/test/regress
 */
export async function* regressionTests(regress: string): AsyncGenerator<{ name: string; script: string }> {
  const schedule = await readFile(join(regress, 'parallel_schedule'), 'latin1');
  const names = [...schedule.matchAll(/^test: (.*)$/gm)].flatMap(([, line = '']) => line.split(' '));
  for (const name of names) {
    const file = join(regress, 'sql', `${name}.sql`);
    if (existsSync(file)) yield { name, script: await readFile(file, 'latin1') };
  }
}

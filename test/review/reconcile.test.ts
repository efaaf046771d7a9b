/** What real servers log, in each of their formats, beside what `dbguard run` records. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import t, { type Test } from 'tap';
import { developer, script } from '../e2e/developer.js';
import type { PostgresVersion } from '../helpers/postgres.js';

const pgAudit = existsSync('/usr/lib/postgresql/15/lib/pgaudit.so');
const noPgAudit = 'postgresql-15-pgaudit is not installed';

async function world(t: Test, version: PostgresVersion, settings: Readonly<Record<string, string>>) {
  const logs = { logging_collector: 'on', log_directory: 'log', log_filename: 'server.log', log_timezone: 'UTC' };
  const formats = { log_destination: 'stderr,csvlog,jsonlog' };
  const { postgres, workspace, run, config } = await developer(t, {
    postgres: { version, settings: { ...logs, ...formats, ...settings } },
  });
  await postgres.query(`create role app login password 'app-secret'`);
  await postgres.query(
    'create table orders (id int, note text); insert into orders values (1); grant all on orders to app',
  );
  const url = postgres.url('postgres', 'app', 'app-secret');
  workspace.configure({
    ...config,
    connections: { main: { url, environment: 'development' } },
    // the catalog is asked on a connection of dbguard's own
    mask: [{ column: 'public.orders.note', with: 'null' }],
  });
  const [row] = await postgres.query<{ data_directory: string }>('show data_directory');
  const folder = join(row?.data_directory ?? '', 'log');
  const reconcile = async (...files: readonly string[]) => {
    const result = await workspace.dbguard([
      'transcripts',
      'reconcile',
      '--user',
      'app',
      ...files.map((file) => join(folder, file)),
    ]);
    return { code: result.exitCode, out: String(result.stdout), err: String(result.stderr) };
  };
  return { run, reconcile, url, files: () => readdirSync(folder).sort() };
}

/** Past dbguard, with the real credentials. */
async function goAround(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString, application_name: 'dbguard/imitated' });
  await client.connect();
  await client.query(sql);
  await client.end();
}

/** Statements whose text imitates the log. */
const imitation = '2026-01-01 00:00:00 UTC [1] LOG:  connection authorized: user=app database=postgres';
const work = script(`
  for (const before of ['\\n', '\\r', '\\u2028', '"\\n', '",\\n']) await attempt("select '" + before + "${imitation}'");
  return attempt('select * from orders');
`);

t.test('log_connections: stderr, csvlog, jsonlog', async (t) => {
  const { run, reconcile, url, files } = await world(t, 18, {
    log_connections: 'all',
    log_statement: 'all',
  });
  t.strictSame(files(), ['server.csv', 'server.json', 'server.log']);
  const guarded = await run(work);
  t.match(guarded, { exitCode: 0, stdout: /"id":1/ });
  for (const file of files()) {
    const { code, out, err } = await reconcile(file);
    t.equal(out, '', `${file}: not even dbguard's own connections`);
    t.match(err, /^[3-9] connections in the log, [3-9] connections in transcripts; 0 connections went around dbguard$/);
    t.equal(code, 0);
  }
  const all = await reconcile(...files());
  t.strictSame([all.code, all.out], [0, ''], 'three forms of one log are one log');
  await goAround(url, 'select 2');
  for (const file of files()) {
    const { code, out, err } = await reconcile(file);
    t.match(out, /^\S+Z {2}backend \d+ {2}user app, database postgres, application dbguard\/imitated$/, file);
    t.match(err, /1 connection went around/);
    t.equal(code, 1);
  }
});

t.test('pgAudit: each statement, also without log_connections', { skip: !pgAudit && noPgAudit }, async (t) => {
  const audit = { shared_preload_libraries: 'pgaudit', 'pgaudit.log': 'all' };
  const { run, reconcile, url, files } = await world(t, 15, { ...audit, log_line_prefix: '%m [%p] %q%u@%d ' });
  t.match(await run(work), { exitCode: 0 });
  for (const file of files()) {
    const { code, out, err } = await reconcile(file);
    t.equal(out, '', file);
    t.match(
      err,
      /^0 connections and \d+ audited statements in the log, .*; 0 connections and 0 statements went around/,
    );
    t.equal(code, 0);
  }
  await goAround(url, `select 'a,"b"', 2 -- first line\nfrom orders`);
  for (const file of files()) {
    const { code, out, err } = await reconcile(file);
    t.match(
      out,
      /^\S+Z {2}backend \d+ {2}user app, database postgres {2}SELECT: select 'a,"b"', 2 -- first line/,
      file,
    );
    t.match(err, /0 connections and 1 statement went around/);
    t.equal(code, 1);
  }
});

/** What SQL could tell an agent about logins: of dbguard to the server, of others to it, of it to other servers. */
import t from 'tap';
import { developer, script } from '../e2e/developer.js';

const replication = 'replication-secret-77c1';
const foreign = 'foreign-secret-30aa';
const { run, postgres } = await developer(t, {
  postgres: { settings: { primary_conninfo: `host=primary user=replicator password=${replication}` } },
});
await postgres.query('create extension if not exists postgres_fdw').catch(() => undefined);
await postgres.query('create foreign data wrapper elsewhere');
await postgres.query('create server other foreign data wrapper elsewhere');
await postgres.query(`create user mapping for postgres server other options (user 'u', password '${foreign}')`);
const [stored] = await postgres.query<{ rolpassword: string }>(
  "select rolpassword from pg_authid where rolname = 'postgres'",
);

const ways = [
  'select rolpassword from pg_authid',
  'select passwd from pg_shadow',
  'select to_jsonb(a) from pg_authid a',
  'select a::text from pg_shadow a',
  'table pg_catalog.pg_authid',
  "select query_to_xml('select rolpassword from pg_authid', true, false, '')",
  "select table_to_xml('pg_authid', true, false, '')",
  "select pg_read_file(current_setting('hba_file'))",
  "select pg_read_binary_file('postgresql.auto.conf')",
  'select * from pg_hba_file_rules',
  "select lo_import(current_setting('hba_file'))",
  "copy (select 1) to program 'env'",
  "do $$ begin raise notice '%', (select rolpassword from pg_authid limit 1); end $$",
  'select * from pg_stat_activity',
  'select * from pg_file_settings',
  'select umoptions from pg_user_mappings',
  'select umoptions from pg_user_mapping',
  'select option_value from information_schema.user_mapping_options',
  'select umoptions from information_schema._pg_user_mappings',
];

const { stdout, stderr } = await run(
  script(`
    const told = {};
    client.on('notice', (notice) => { told.notices = (told.notices ?? '') + notice.message; });
    for (const sql of ${JSON.stringify(ways)}) told[sql] = await attempt(sql);
    return told;`),
);
t.match(stdout, '{', stderr);
const told = JSON.parse(String(stdout));
for (const sql of [...ways, 'notices']) {
  t.test(sql, async (t) => {
    const text = JSON.stringify(told[sql] ?? '');
    for (const secret of [postgres.password, stored?.rolpassword ?? '?', replication, foreign]) {
      t.notOk(text.includes(secret), `${secret}: ${text.slice(0, 200)}`);
    }
  });
}

/** Every function of the server by which code could tell a trial from the real run, held against the catalog itself. */
import { test } from 'tap';
import { undecidedBy } from '../../../src/proxy/dry-run/undecided.js';
import { factsObstacle } from '../../../src/proxy/dry-run/undoable.js';
import { createAnalyser } from '../../../src/sql/analyser.js';
import { startPostgres } from '../../helpers/postgres.js';

/** Volatile, or about the session, and yet the same in both: who asks, what the catalog says, how the server is set up. */
const same = new Set(
  `amvalidate current_database current_schema current_user get_current_ts_config getdatabaseencoding getpgusername
  inet_client_addr inet_server_addr inet_server_port json_build_array json_build_object jsonb_build_array
  jsonb_build_object now pg_available_extension_versions pg_available_extensions pg_client_encoding pg_config
  pg_collation_actual_version pg_database_collation_actual_version pg_current_logfile pg_event_trigger_ddl_commands
  pg_event_trigger_dropped_objects pg_event_trigger_table_rewrite_oid pg_event_trigger_table_rewrite_reason
  pg_get_catalog_foreign_keys pg_get_keywords pg_is_in_recovery pg_is_wal_replay_paused pg_jit_available
  pg_listening_channels pg_my_temp_schema pg_numa_available pg_partition_ancestors pg_partition_tree
  pg_timezone_abbrevs_abbrevs pg_timezone_abbrevs_zone pg_timezone_names pg_trigger_depth session_user system_user
  transaction_timestamp version plpgsql_call_handler plpgsql_inline_handler plpgsql_validator`.split(/\s+/),
);

test('what the server calls volatile, or keeps about the session, is not called exact', async (t) => {
  const server = await startPostgres({ version: 18 });
  t.teardown(() => server.stop());
  const analyser = await createAnalyser();
  const rows = await server.query<{ name: string }>(`
    SELECT DISTINCT proname AS name FROM pg_proc
     WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f'
       AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype, 'index_am_handler'::regtype,
         'table_am_handler'::regtype)
       AND (provolatile = 'v' OR provolatile = 's' AND (pronargs = 0 OR proname ~ '^pg_stat_'))`);
  t.ok(rows.length > 300);
  const missing = rows.filter(({ name }) => {
    const facts = analyser.analyse(`SELECT pg_catalog."${name}"()`);
    return !same.has(name) && undecidedBy(facts) === undefined && factsObstacle(facts) === undefined;
  });
  t.strictSame(missing, [], 'each stands in undecided.ts, or here as what is the same');
});

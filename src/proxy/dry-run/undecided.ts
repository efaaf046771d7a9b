/**
 * What makes a trial say little of the real run: code that looks at the clock, at the transaction or at settings can tell
 * the one from the other, and do something else.
 */
import type { Facts } from '../../sql/facts.js';

/**
 * Whose values are others when the statement really runs: the time, chance, the transaction, and what the trial sets for
 * itself (its time limits, its savepoint). now() and its like stand for the statement's own time, which nobody chooses.
 */
const differing: ReadonlySet<string> = new Set(
  `clock_timestamp statement_timestamp timeofday random random_normal pg_backend_pid current_setting pg_sleep
  txid_current txid_current_if_assigned txid_current_snapshot txid_snapshot_xmax txid_status pg_current_xact_id
  pg_current_xact_id_if_assigned pg_current_snapshot pg_snapshot_xmax pg_xact_status lastval currval nextval
  pg_sequence_last_value pg_current_wal_lsn pg_current_wal_insert_lsn pg_blocking_pids pg_lock_status
  pg_try_advisory_lock pg_try_advisory_xact_lock pg_try_advisory_lock_shared pg_show_all_settings pg_cursor
  pg_prepared_statement pg_prepared_xact setseed inet_client_port pg_postmaster_start_time age mxid_age`.split(/\s+/),
);
/** Whole families of them: statistics, sizes, the log, chance, the text that runs. A test holds them against the catalog. */
const differingFamilies = new RegExp(
  `^(?:pg_stat_|pg_stats_|pg_statio_|pg_last_|pg_current_|pg_replication_origin_|pg_show_replication|pg_wal_|pg_xact_|pg_control_
  |pg_sleep|pg_get_(?:aios|backend_|loaded_|multixact_|replication_slots|sequence_data|shmem_|wait_events|wal_)|pg_available_wal
  |pg_(?:database|indexes|relation|table|tablespace|total_relation)_size$|pg_(?:export|safe)_snapshot|pg_notification_queue
  |pg_isolation_|pg_conf_load_time|pg_relation_file|pg_filenode_|pg_column_toast_chunk|current_query$|uuidv|gen_random_uuid$
  |array_(?:sample|shuffle)$|setval$|bernoulli$|system$|currtid|lo(?:read|_get|_close|_lseek|_tell))`.replace(
    /\s+/g,
    '',
  ),
);
const state = /^pg_(settings|locks|stat|cursors|prepared|sequences|replication|backend_memory|shmem|aios|dsm)/;
const hiddenColumns: ReadonlySet<string> = new Set(['xmin', 'xmax', 'cmin', 'cmax', 'last_value']);

/** The first thing in it that may decide otherwise: `clock_timestamp()`, `pg_locks`. */
export function undecidedBy({ statements }: Facts): string | undefined {
  for (const { functions, effects } of statements) {
    const call = functions.find(differs);
    if (call !== undefined) return `${call}()`;
    for (const { targets } of effects) {
      for (const { type, name, columns } of targets) {
        if (type === 'sequence' || ((type === 'table' || type === 'view') && state.test(name))) return name;
        const hidden = columns?.find((column) => hiddenColumns.has(column));
        if (hidden !== undefined) return hidden;
      }
    }
  }
  return undefined;
}

function differs(name: string): boolean {
  const bare = name.slice(name.lastIndexOf('.') + 1);
  return differing.has(bare) || differingFamilies.test(bare);
}

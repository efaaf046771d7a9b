/**
 * What PostgreSQL's own functions, and those of well-known extensions, do besides computing a value. Names that are
 * in no group and not free of side effects (pg-catalog-functions.ts) are somebody's own: nothing is known about them.
 *
 * Source: pg_proc, and the manual's chapters "System Administration Functions", "Large Objects", "XML Functions",
 * and appendix F. A test holds that each volatile function of the real servers is in exactly one group.
 */
import type { EffectFields, EffectKind, TargetType } from '../facts.js';
import { sideEffectFree, sideEffectFreeExtensions } from './pg-catalog-functions.js';

export interface FunctionBehaviour {
  readonly effect: EffectKind | 'none';
  /** Which argument (from 0) names what is touched, and what it is. The whole function is the target otherwise. */
  readonly argument?: { readonly at: number; readonly type: TargetType };
  /** This argument is SQL that will be run. */
  readonly sqlArgument?: number;
  /** It runs that SQL, gives its rows, and does nothing else. */
  readonly ownRows?: true;
  /** What is touched cannot be seen from the call. */
  readonly opaque?: boolean;
  readonly fields?: EffectFields;
  readonly detail?: string;
}

interface Group extends FunctionBehaviour {
  readonly names: string;
}

const builtIns: readonly Group[] = [
  {
    // Volatile for good reasons (time, randomness, statistics, snapshots), without anything left behind.
    effect: 'none',
    names: `amvalidate array_sample array_shuffle bernoulli clock_timestamp currtid2 current_query currval
      dsnowball_init dsnowball_lexize gen_random_uuid lastval lo_close lo_lseek lo_lseek64 lo_tell lo_tell64
      pg_available_wal_summaries pg_blocking_pids pg_collation_actual_version pg_control_checkpoint pg_control_init
      pg_control_recovery pg_control_system pg_current_logfile pg_current_wal_flush_lsn pg_current_wal_insert_lsn
      pg_current_wal_lsn pg_database_collation_actual_version pg_database_size pg_export_snapshot pg_get_aios
      pg_get_backend_memory_contexts pg_get_loaded_modules pg_get_multixact_members pg_get_sequence_data
      pg_get_shmem_allocations pg_get_shmem_allocations_numa pg_get_wait_events pg_get_wal_replay_pause_state
      pg_get_wal_resource_managers pg_get_wal_summarizer_state
      pg_indexes_size pg_is_in_recovery pg_is_wal_replay_paused pg_isolation_test_session_is_blocked pg_jit_available
      pg_last_committed_xact pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp
      pg_lock_status pg_notification_queue_usage pg_partition_ancestors pg_partition_tree pg_prepared_xact
      pg_relation_size pg_replication_origin_progress pg_replication_origin_session_is_setup
      pg_replication_origin_session_progress pg_safe_snapshot_blocking_pids pg_sequence_last_value
      pg_show_replication_origin_status pg_sleep pg_sleep_for pg_sleep_until
      pg_stat_clear_snapshot pg_stat_force_next_flush pg_stat_get_backend_io pg_stat_get_backend_wal pg_stat_get_io
      pg_stat_get_recovery_prefetch pg_stat_get_xact_blocks_fetched pg_stat_get_xact_blocks_hit
      pg_stat_get_xact_function_calls pg_stat_get_xact_function_self_time pg_stat_get_xact_function_total_time
      pg_stat_get_xact_numscans pg_stat_get_xact_tuples_deleted pg_stat_get_xact_tuples_fetched
      pg_stat_get_xact_tuples_hot_updated pg_stat_get_xact_tuples_inserted pg_stat_get_xact_tuples_newpage_updated
      pg_stat_get_xact_tuples_returned pg_stat_get_xact_tuples_updated pg_stat_have_stats pg_table_size
      pg_tablespace_size pg_total_relation_size pg_wal_summary_contents pg_xact_commit_timestamp
      pg_xact_commit_timestamp_origin pg_xact_status random random_normal setseed system timeofday txid_status uuidv4
      uuidv7`,
  },
  {
    // Words of the grammar since PostgreSQL 17; an older server has such functions only where somebody made them.
    effect: 'none',
    names: 'json_exists json_query json_scalar json_serialize json_value merge_action',
  },
  {
    // Only the server itself can call these: triggers, handlers of access methods and languages.
    effect: 'none',
    names: `RI_FKey_cascade_del RI_FKey_cascade_upd RI_FKey_check_ins RI_FKey_check_upd RI_FKey_noaction_del
      RI_FKey_noaction_upd RI_FKey_restrict_del RI_FKey_restrict_upd RI_FKey_setdefault_del RI_FKey_setdefault_upd
      RI_FKey_setnull_del RI_FKey_setnull_upd brinhandler bthandler ginhandler gisthandler hashhandler
      heap_tableam_handler plpgsql_call_handler plpgsql_inline_handler plpgsql_validator spghandler
      suppress_redundant_updates_trigger tsvector_update_trigger tsvector_update_trigger_column unique_key_recheck`,
  },
  {
    // Ordinary: an INSERT with a serial column does the same.
    effect: 'update',
    argument: { at: 0, type: 'sequence' },
    fields: { sequence: 'nextval' },
    detail: 'nextval',
    names: 'nextval',
  },
  {
    effect: 'alter',
    argument: { at: 0, type: 'sequence' },
    fields: { sequence: 'setval' },
    detail: 'setval',
    names: 'setval',
  },
  {
    effect: 'lock',
    fields: { lockMode: 'ADVISORY' },
    detail: 'ADVISORY',
    names: `pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all
      pg_advisory_unlock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_lock
      pg_try_advisory_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared`,
  },
  { effect: 'notify', argument: { at: 0, type: 'channel' }, names: 'pg_notify' },
  { effect: 'session', argument: { at: 0, type: 'setting' }, names: 'set_config' },
  { effect: 'config', names: 'pg_reload_conf pg_rotate_logfile pg_rotate_logfile_old' },
  { effect: 'backend', names: 'pg_cancel_backend pg_log_backend_memory_contexts pg_terminate_backend' },
  {
    effect: 'copy-file',
    argument: { at: 0, type: 'file' },
    fields: { file: 'read' },
    detail: 'read',
    names: `pg_ls_archive_statusdir pg_ls_dir pg_ls_logdir pg_ls_logicalmapdir pg_ls_logicalsnapdir pg_ls_replslotdir
      pg_ls_summariesdir pg_ls_tmpdir pg_ls_waldir pg_read_binary_file pg_read_file pg_read_file_old pg_stat_file
      pg_hba_file_rules pg_ident_file_mappings pg_show_all_file_settings lo_import`,
  },
  {
    effect: 'copy-file',
    argument: { at: 1, type: 'file' },
    fields: { file: 'write' },
    detail: 'write',
    names: 'lo_export',
  },
  { effect: 'read', detail: 'large object', names: 'lo_get loread' },
  {
    effect: 'function-call',
    detail: 'large object',
    names: 'lo_creat lo_create lo_from_bytea lo_open lo_put lo_truncate lo_truncate64 lo_unlink lowrite',
  },
  {
    effect: 'maintenance',
    argument: { at: 0, type: 'index' },
    names: 'brin_desummarize_range brin_summarize_new_values brin_summarize_range gin_clean_pending_list',
  },
  {
    effect: 'function-call',
    detail: 'replication',
    names: `pg_copy_logical_replication_slot pg_copy_physical_replication_slot pg_create_logical_replication_slot
      pg_create_physical_replication_slot pg_drop_replication_slot pg_log_standby_snapshot pg_logical_emit_message
      pg_logical_slot_get_binary_changes pg_logical_slot_get_changes pg_logical_slot_peek_binary_changes
      pg_logical_slot_peek_changes pg_replication_origin_advance pg_replication_origin_create
      pg_replication_origin_drop pg_replication_origin_session_reset pg_replication_origin_session_setup
      pg_replication_origin_xact_reset pg_replication_origin_xact_setup pg_replication_slot_advance
      pg_sync_replication_slots`,
  },
  {
    effect: 'function-call',
    detail: 'backup and recovery',
    names: `pg_backup_start pg_backup_stop pg_create_restore_point pg_promote pg_start_backup pg_stop_backup
      pg_switch_wal pg_wal_replay_pause pg_wal_replay_resume`,
  },
  {
    effect: 'function-call',
    detail: 'statistics',
    names: `pg_clear_attribute_stats pg_clear_relation_stats pg_restore_attribute_stats pg_restore_relation_stats
      pg_stat_reset pg_stat_reset_backend_stats pg_stat_reset_replication_slot pg_stat_reset_shared
      pg_stat_reset_single_function_counters pg_stat_reset_single_table_counters pg_stat_reset_slru
      pg_stat_reset_subscription_stats`,
  },
  {
    effect: 'function-call',
    detail: 'catalog',
    names: `binary_upgrade_add_sub_rel_state binary_upgrade_create_empty_extension
      binary_upgrade_set_next_attribute_versions
      binary_upgrade_logical_slot_has_caught_up binary_upgrade_replorigin_advance binary_upgrade_set_missing_value
      binary_upgrade_set_next_array_pg_type_oid binary_upgrade_set_next_heap_pg_class_oid
      binary_upgrade_set_next_heap_relfilenode binary_upgrade_set_next_index_pg_class_oid
      binary_upgrade_set_next_index_relfilenode binary_upgrade_set_next_multirange_array_pg_type_oid
      binary_upgrade_set_next_multirange_pg_type_oid binary_upgrade_set_next_pg_authid_oid
      binary_upgrade_set_next_pg_enum_oid binary_upgrade_set_next_pg_tablespace_oid
      binary_upgrade_set_next_pg_type_oid binary_upgrade_set_next_toast_pg_class_oid
      binary_upgrade_set_next_toast_relfilenode binary_upgrade_set_record_init_privs pg_extension_config_dump
      pg_import_system_collations pg_nextoid pg_stop_making_pinned_objects`,
  },
  {
    effect: 'execute-code',
    sqlArgument: 0,
    names: 'query_to_xml query_to_xml_and_xmlschema query_to_xmlschema ts_stat',
  },
  { effect: 'execute-code', sqlArgument: 1, names: 'ts_rewrite' },
  // Fetches, but no row description says what: nothing could be masked.
  {
    effect: 'cursor',
    argument: { at: 0, type: 'cursor' },
    opaque: true,
    names: 'cursor_to_xml cursor_to_xmlschema',
  },
  {
    // Stable, yet they read a whole table that only their argument names.
    effect: 'read',
    argument: { at: 0, type: 'table' },
    names: 'table_to_xml table_to_xml_and_xmlschema table_to_xmlschema',
  },
  {
    effect: 'read',
    argument: { at: 0, type: 'schema' },
    opaque: true,
    names: `schema_to_xml schema_to_xml_and_xmlschema schema_to_xmlschema database_to_xml
      database_to_xml_and_xmlschema database_to_xmlschema`,
  },
];

const extensions: readonly Group[] = [
  {
    effect: 'none',
    names: `bt_index_check bt_index_parent_check dintdict_init dintdict_lexize dxsyn_init dxsyn_lexize fips_mode
      gen_random_bytes gen_salt gin_index_check isn_weak normal_rand page_checksum pg_buffercache_numa_pages
      pg_buffercache_pages pg_buffercache_summary pg_buffercache_usage_counts pg_check_frozen pg_check_visible
      pg_freespace pg_prewarm pg_relpages pg_stat_statements pg_stat_statements_info pg_visibility pg_visibility_map
      pg_visibility_map_summary pgp_pub_encrypt pgp_pub_encrypt_bytea pgp_sym_encrypt pgp_sym_encrypt_bytea pgrowlocks
      pgstatginindex pgstathashindex pgstatindex pgstattuple pgstattuple_approx set_limit ssl_cipher
      ssl_client_cert_present ssl_client_dn ssl_client_dn_field ssl_client_serial ssl_extension_info ssl_is_used
      ssl_issuer_dn ssl_issuer_field ssl_version system_rows system_time unaccent_init unaccent_lexize uuid_generate_v1
      uuid_generate_v1mc uuid_generate_v4 verify_heapam`,
  },
  {
    // pgvector, TimescaleDB and PostGIS, which do not come with PostgreSQL. PostGIS: see isPostgisFunction.
    effect: 'none',
    names: `cosine_distance inner_product l1_distance l2_distance l2_norm l2_normalize vector_dims vector_norm
      binary_quantize subvector time_bucket time_bucket_gapfill first last locf interpolate approximate_row_count
      approx_percentile approx_percentile_rank percentile_agg uddsketch tdigest approx_count_distinct distinct_count
      postgis_version postgis_full_version postgis_lib_version geometrytype`,
  },
  {
    // Inspection of raw pages: whatever a column mask hides can be read there.
    effect: 'read',
    argument: { at: 0, type: 'table' },
    detail: 'raw pages',
    names: `get_raw_page bt_metap bt_multi_page_stats bt_page_items bt_page_stats hash_bitmap_info`,
  },
  {
    effect: 'none',
    names: `brin_metapage_info brin_page_items brin_page_type brin_revmap_data fsm_page_contents gin_leafpage_items
      gin_metapage_info gin_page_opaque_info gist_page_items gist_page_items_bytea gist_page_opaque_info
      hash_metapage_info hash_page_items hash_page_stats hash_page_type heap_page_item_attrs heap_page_items
      heap_tuple_infomask_flags page_header tuple_data_split`,
  },
  {
    effect: 'function-call',
    names: `autoprewarm_dump_now autoprewarm_start_worker lo_manage pg_buffercache_evict pg_buffercache_evict_all
      pg_buffercache_evict_relation pg_stat_statements_reset pg_truncate_visibility_map xslt_process`,
  },
  {
    effect: 'network',
    opaque: true,
    names: `dblink dblink_build_sql_delete dblink_build_sql_insert dblink_build_sql_update dblink_cancel_query
      dblink_close dblink_connect dblink_connect_u dblink_current_query dblink_disconnect dblink_error_message
      dblink_exec dblink_fdw_validator dblink_fetch dblink_get_connections dblink_get_notify dblink_get_pkey
      dblink_get_result dblink_is_busy dblink_open dblink_send_query http http_delete http_get http_head http_patch
      http_post http_put postgres_fdw_disconnect postgres_fdw_disconnect_all postgres_fdw_get_connections`,
  },
  {
    effect: 'none',
    names: 'file_fdw_handler file_fdw_validator postgres_fdw_handler postgres_fdw_validator',
  },
  { effect: 'execute-code', sqlArgument: 0, ownRows: true, names: 'crosstab crosstab2 crosstab3 crosstab4 crosstabn' },
  { effect: 'read', argument: { at: 0, type: 'table' }, opaque: true, names: 'connectby' },
  { effect: 'read', argument: { at: 2, type: 'table' }, opaque: true, names: 'xpath_table' },
  {
    effect: 'copy-file',
    fields: { file: 'write' },
    detail: 'write',
    argument: { at: 0, type: 'file' },
    names: 'pg_file_write pg_file_sync pg_file_rename pg_file_unlink',
  },
  {
    effect: 'copy-file',
    fields: { file: 'read' },
    detail: 'read',
    argument: { at: 0, type: 'file' },
    names: 'pg_file_read pg_logdir_ls',
  },
];

/** Type names that the grammar leaves as function calls: `uuid('...')` is a cast. */
const casts = `uuid jsonb json inet cidr macaddr bytea tsvector tsquery hstore citext ltree vector geometry geography
  regclass regcollation regconfig regdictionary regnamespace regoper regoperator regproc regprocedure regrole regtype
  oid tid xid cid pg_lsn jsonpath xml name`;

const none: FunctionBehaviour = { effect: 'none' };

/** Built once per analyser: name -> behaviour. */
export class BuiltInFunctions {
  readonly #builtIns = new Map<string, FunctionBehaviour>();
  readonly #extensions = new Map<string, FunctionBehaviour>();

  constructor() {
    for (const name of words(`${sideEffectFree} ${casts}`)) this.#builtIns.set(name, none);
    for (const name of words(sideEffectFreeExtensions)) this.#extensions.set(name, none);
    fill(this.#builtIns, builtIns);
    fill(this.#extensions, extensions);
  }

  /** `schema` as the text names it. Undefined: not one of PostgreSQL's, nor of an extension that we know. */
  find(schema: string | undefined, name: string): FunctionBehaviour | undefined {
    if (schema === undefined || schema === 'pg_catalog') {
      const own = this.#builtIns.get(name);
      if (own !== undefined || schema !== undefined) return own;
    }
    if (schema === 'information_schema') return name.startsWith('_pg_') ? none : undefined;
    // Extensions live in any schema. Without the catalog a name like theirs is taken for theirs; a function of that
    // name could only have been made by a CREATE FUNCTION, which is asked about.
    return this.#extensions.get(name) ?? (isPostgisFunction(name) ? none : undefined);
  }
}

/** What PostgreSQL makes for a range type of somebody's own. */
const rangeConstructors = /^(multi)?range_constructor[0-3]$/;

/** A function in language internal is one of PostgreSQL's own by another name. `symbol`: its pg_proc.prosrc. */
export function isCalmInternal(symbol: string, builtIns: BuiltInFunctions): boolean {
  return rangeConstructors.test(symbol) || builtIns.find('pg_catalog', symbol)?.effect === 'none';
}

function fill(table: Map<string, FunctionBehaviour>, groups: readonly Group[]): void {
  for (const { names, ...behaviour } of groups) for (const name of words(names)) table.set(name, behaviour);
}

function words(list: string): string[] {
  return list.split(/\s+/).filter((word) => word !== '');
}

function isPostgisFunction(name: string): boolean {
  return /^_?st_[a-z0-9_]+$/.test(name);
}

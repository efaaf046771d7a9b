/**
 * Which settings a session may change without a person: those that shape output, planning, memory and timeouts.
 * Everything else is asked about, because it changes rights, protection or what later statements mean.
 * Source: PostgreSQL manual, chapter "Server Configuration", settings of context `user`.
 */

const harmless: ReadonlySet<string> = new Set([
  'all', // RESET ALL and DISCARD ALL go back to how the session began
  'application_name',
  'array_nulls',
  'backend_flush_after',
  'bytea_output',
  'check_function_bodies',
  'client_connection_check_interval',
  'client_encoding',
  'client_min_messages',
  'commit_siblings',
  'constraint_exclusion',
  'cursor_tuple_fraction',
  'datestyle',
  'deadlock_timeout',
  'default_statistics_target',
  'default_table_access_method',
  'default_tablespace',
  'default_text_search_config',
  'default_toast_compression',
  'default_transaction_deferrable',
  'default_transaction_isolation',
  'default_with_oids',
  'effective_cache_size',
  'effective_io_concurrency',
  'escape_string_warning',
  'extra_float_digits',
  'from_collapse_limit',
  'gin_fuzzy_search_limit',
  'gin_pending_list_limit',
  'hash_mem_multiplier',
  'icu_validation_level',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'intervalstyle',
  'join_collapse_limit',
  'lc_messages',
  'lc_monetary',
  'lc_numeric',
  'lc_time',
  'lock_timeout',
  'logical_decoding_work_mem',
  'maintenance_io_concurrency',
  'maintenance_work_mem',
  'max_stack_depth',
  'password_encryption',
  'plan_cache_mode',
  'quote_all_identifiers',
  'random_page_cost',
  'recursive_worktable_factor',
  'restrict_nonsystem_relation_kind',
  'seed',
  'seq_page_cost',
  'statement_timeout',
  'synchronize_seqscans',
  'tcp_keepalives_count',
  'tcp_keepalives_idle',
  'tcp_keepalives_interval',
  'tcp_user_timeout',
  'temp_buffers',
  'temp_tablespaces',
  'timezone',
  'timezone_abbreviations',
  'transaction_deferrable',
  'transaction_isolation',
  'transaction_snapshot',
  'transaction_timeout',
  'work_mem',
  'xmlbinary',
  'xmloption',
]);

const harmlessPrefixes = [
  'cpu_',
  'debug_',
  'enable_',
  'geqo',
  'jit',
  'max_parallel_',
  'min_parallel_',
  'parallel_',
  'vacuum_',
];

/** Settings for which one direction is what the server does anyway. Values lower case. */
const harmlessValues: ReadonlyMap<string, readonly string[]> = new Map([
  ['backslash_quote', ['off', 'safe_encoding']],
  ['default_transaction_read_only', ['on', 'true', 'yes', '1']],
  ['session_replication_role', ['origin']],
  ['standard_conforming_strings', ['on', 'true', 'yes', '1']],
  ['synchronous_commit', ['on', 'local', 'remote_write', 'remote_apply']],
  ['transaction_read_only', ['on', 'true', 'yes', '1']],
  ['transform_null_equals', ['off', 'false', 'no', '0']],
  ['zero_damaged_pages', ['off', 'false', 'no', '0']],
]);

/** Extensions whose settings switch protection, auditing or masking. Other prefixes are an application's own. */
const guardedPrefixes = [
  'anon.',
  'auto_explain.',
  'pgaudit.',
  'pgsodium.',
  'plperl.',
  'pltcl.',
  'set_user.',
  'sepgsql.',
  'supautils.',
  'vault.',
];

export type SettingJudgement = 'harmless' | 'meaning' | 'identity';

/** What is known of a setting's new value. */
export type NewValue =
  | string
  /** RESET and DEFAULT: back to how the session began. */
  | undefined
  /** A parameter or an expression. */
  | typeof anyValue;
export const anyValue = Symbol('any value');

/** Settings whose `off` is what the session began with, where the server said so then. */
const readOnlySettings: ReadonlySet<string> = new Set(['default_transaction_read_only', 'transaction_read_only']);

/**
 * Off, it makes a read fail that a policy would have filtered, and shows nobody a row more (row_security in the manual):
 * pg_dump begins with it. What sets it for others (ALTER ROLE, ALTER DATABASE) is no setting of the session.
 */
const onlyFails = 'row_security';

/** How the session began: what goes back to that leaves no protection. See DecisionInput. */
interface Beginning {
  readonly readsAndWrites?: boolean;
  readonly ownRole?: string | undefined;
}

export function judgeSetting(name: string, value: NewValue, began: Beginning = {}): SettingJudgement {
  const folded = name.toLowerCase();
  if (folded.startsWith('dbguard.')) return 'identity';
  if (folded === onlyFails || harmless.has(folded) || harmlessPrefixes.some((prefix) => folded.startsWith(prefix)))
    return 'harmless';
  if (value === undefined || (began.readsAndWrites && readOnlySettings.has(folded))) return 'harmless';
  if (folded === 'role' && value === began.ownRole) return 'harmless';
  if (value === anyValue) return folded.includes('.') && !isGuarded(folded) ? 'harmless' : 'meaning';
  if (folded === 'search_path') return shadowsBuiltIns(value) ? 'meaning' : 'harmless';
  if (folded.includes('.')) return isGuarded(folded) ? 'meaning' : 'harmless';
  return harmlessValues.get(folded)?.includes(value.trim().toLowerCase()) ? 'harmless' : 'meaning';
}

function isGuarded(name: string): boolean {
  return guardedPrefixes.some((prefix) => name.startsWith(prefix));
}

/**
 * pg_catalog is searched first unless the path names it later: then `now()` or `=` can be somebody's own. Temporary
 * objects likewise, which the agent itself can make ("The Schema Search Path" in the PostgreSQL manual).
 */
function shadowsBuiltIns(path: string): boolean {
  const schemas = path.split(',').map((part) => part.trim().replace(/^["']|["']$/g, ''));
  const temporary = schemas.indexOf('pg_temp');
  return schemas.indexOf('pg_catalog') > 0 || (temporary >= 0 && temporary < schemas.length - 1);
}

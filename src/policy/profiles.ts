/**
 * The built-in profiles: one table, which `dbguard explain`, the tests and the README print as it stands here.
 * A category that is not in the table cannot occur; an effect that fits none is `unknown`.
 */
import type { Decision } from './decision.js';

export const profileNames = ['observe', 'guarded', 'read-only', 'migrations'] as const;
export type ProfileName = (typeof profileNames)[number];

/** `ask-once`: asked, and the approval counts for the rest of the transaction (see Ruling.covers). */
export type Cell = Decision | 'ask-once';

export interface CategoryRow {
  /** For the table in the documentation. */
  readonly about: string;
  readonly observe: Cell;
  readonly guarded: Cell;
  readonly 'read-only': Cell;
  readonly migrations: Cell;
}

const row = (about: string, observe: Cell, guarded: Cell, readOnly: Cell, migrations: Cell): CategoryRow => ({
  about,
  observe,
  guarded,
  'read-only': readOnly,
  migrations,
});

const allow = 'allow';
const ask = 'ask';
const deny = 'deny';
const once = 'ask-once';

/* biome-ignore format: a table */
export const effectCategories = {
  //                                                                                  observe guarded read-only migrations
  'read':                row('reads rows',                                             allow,  allow,  allow,  allow),
  'nothing':             row('IF NOT EXISTS of what is there, IF EXISTS of what is not', allow, allow, deny,   allow),
  'read-secrets':        row('reads passwords or hashes: pg_authid, pg_shadow',        allow,  ask,    ask,    ask),
  'insert':              row('adds rows, COPY FROM STDIN',                             allow,  allow,  deny,   allow),
  'update':              row('changes rows that a condition restricts',                allow,  allow,  deny,   allow),
  'update-mass':         row('changes many rows: see `mass_changes`',                  allow,  ask,    deny,   once),
  'update-unbounded':    row('changes every row',                                      allow,  ask,    deny,   once),
  'delete':              row('deletes rows that a condition restricts',                allow,  allow,  deny,   allow),
  'delete-mass':         row('deletes many rows: see `mass_changes`',                  allow,  ask,    deny,   once),
  'delete-unbounded':    row('deletes every row',                                      allow,  ask,    deny,   once),
  'catalog-write':       row('changes rows of the system catalogs',                    allow,  ask,    deny,   ask),
  'truncate':            row('TRUNCATE',                                               allow,  ask,    deny,   ask),
  'temporary':           row('temporary tables, views and sequences of this session',  allow,  allow,  deny,   allow),
  'create':              row('new objects',                                            allow,  ask,    deny,   once),
  'alter':               row('changed objects: ALTER, RENAME, COMMENT, OR REPLACE',    allow,  ask,    deny,   once),
  'drop':                row('DROP',                                                   allow,  ask,    deny,   once),
  'grant':               row('GRANT, REVOKE, owners, default privileges',              allow,  ask,    deny,   ask),
  'role':                row('roles and passwords',                                    allow,  ask,    deny,   ask),
  'config':              row('ALTER SYSTEM, ALTER DATABASE SET, reloads',              allow,  ask,    deny,   ask),
  'session':             row('settings that only shape output, planning or timeouts',  allow,  allow,  allow,  allow),
  'session-meaning':     row('settings that change rights, protection or meaning',     allow,  ask,    deny,   ask),
  'session-identity':    row('dbguard.* settings',                                     deny,   deny,   deny,   deny),
  'transaction':         row('BEGIN, COMMIT, ROLLBACK, SAVEPOINT',                     allow,  allow,  allow,  allow),
  'transaction-prepared': row('two-phase commit: PREPARE TRANSACTION, COMMIT PREPARED', allow, ask,    deny,   ask),
  'copy-file':           row('files of the server: COPY file, pg_read_file, lo_import', allow, ask,    deny,   ask),
  'copy-program':        row('programs on the server: COPY PROGRAM',                   allow,  ask,    deny,   ask),
  'execute-code':        row('DO, CALL, LOAD, dynamic SQL',                            allow,  ask,    deny,   ask),
  'function-call':       row('functions that may write, or that nobody knows',         allow,  ask,    deny,   ask),
  'function-listed':     row('functions that the policy lists',                        allow,  allow,  allow,  allow),
  'network':             row('other servers: dblink, foreign servers, subscriptions',  allow,  ask,    deny,   ask),
  'lock-rows':           row('row locks, advisory locks, weak table locks',            allow,  allow,  deny,   allow),
  'lock-table':          row('table locks that stop writers',                          allow,  ask,    deny,   ask),
  'maintenance':         row('ANALYZE, VACUUM without FULL',                           allow,  allow,  deny,   allow),
  'maintenance-heavy':   row('VACUUM FULL, REINDEX, CLUSTER, REFRESH, CHECKPOINT',     allow,  ask,    deny,   ask),
  'notify':              row('LISTEN, NOTIFY, UNLISTEN',                               allow,  allow,  deny,   allow),
  'prepare':             row('PREPARE, DEALLOCATE (EXECUTE counts as what it runs)',   allow,  allow,  allow,  allow),
  'cursor':              row('DECLARE (and what it reads), FETCH, CLOSE',              allow,  allow,  allow,  allow),
  'backend':             row('other sessions: pg_terminate_backend, pg_cancel_backend', allow, ask,    deny,   ask),
  'opaque':              row('anything whose effect cannot be seen in its text',       allow,  ask,    deny,   ask),
  'unknown':             row('statements that dbguard does not know',                  allow,  ask,    deny,   ask),
  'unparseable':         row('text that no PostgreSQL grammar reads, or over a limit', allow,  ask,    deny,   ask),
} as const satisfies Record<string, CategoryRow>;

export type EffectCategory = keyof typeof effectCategories;

/** No rule of any file loosens these: they are about dbguard itself, or about what nobody can judge. */
export const fixedCategories: ReadonlySet<EffectCategory> = new Set(['session-identity', 'unknown', 'unparseable']);

/** The table as Markdown, for the README. */
export function profilesAsMarkdown(): string {
  const lines = Object.values(effectCategories).map((one: CategoryRow) =>
    ['', one.about, ...profileNames.map((name) => word(one[name])), ''].join(' | ').trim(),
  );
  const head = ['', 'effect', ...profileNames, ''].join(' | ').trim();
  return [head, '|---|---|---|---|---|', ...lines].join('\n');
}

function word(cell: Cell): string {
  if (cell === 'ask-once') return '**ask** once per transaction';
  return cell === 'allow' ? cell : `**${cell}**`;
}

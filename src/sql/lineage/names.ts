/**
 * What names mean within one text. A text is planned before anything of it runs, so each of its statements must be
 * taken for what it may do to the names in those behind it: another catalog, another search_path.
 */

import { as, type Node, type Tag, tagOf } from '../grammar/tree.js';
import type { LineageCatalog, SearchPath } from './catalog.js';
import type { LineageWalk } from './walk.js';

/** They leave both as they are, unless code runs in them that cannot be seen. */
export const neutral: ReadonlySet<Tag> = new Set<Tag>([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'CopyStmt',
  'ExplainStmt',
  'DeclareCursorStmt',
  'FetchStmt',
  'ClosePortalStmt',
  'PrepareStmt',
  'ExecuteStmt',
  'DeallocateStmt',
  'VariableShowStmt',
  'TransactionStmt',
  'ConstraintsSetStmt',
  'LockStmt',
  'ListenStmt',
  'UnlistenStmt',
  'NotifyStmt',
]);

/** Settings that decide which schema an unqualified name is looked up in. */
export const pathSettings: ReadonlySet<string> = new Set([
  'search_path',
  'role',
  'session_authorization',
  'schema',
  'all',
]);

export class TextNames {
  searchPath: SearchPath;
  catalog: LineageCatalog;

  constructor(searchPath: SearchPath, catalog: LineageCatalog) {
    this.searchPath = searchPath;
    this.catalog = catalog;
  }

  /** The statement has been walked: what follows it meets what it leaves behind. */
  after(stmt: Node | undefined, walk: LineageWalk): void {
    if (stmt === undefined) return;
    if (walk.opaque || walk.configures || changesPath(stmt)) this.searchPath = undefined;
    if (walk.opaque || !(neutral.has(tagOf(stmt)) || isSetting(stmt))) this.catalog = outdated(this.catalog);
  }
}

function isSetting(stmt: Node): boolean {
  return as(stmt, 'VariableSetStmt') !== undefined;
}

function changesPath(stmt: Node): boolean {
  const setting = as(stmt, 'VariableSetStmt');
  if (setting === undefined) return !neutral.has(tagOf(stmt)) || endsSettings(stmt);
  return setting.kind === 'VAR_RESET_ALL' || pathSettings.has(setting.name ?? '');
}

/** SET LOCAL ends with its transaction, and a rollback takes back any other. */
function endsSettings(stmt: Node): boolean {
  const transaction = as(stmt, 'TransactionStmt');
  return transaction !== undefined && !beginnings.has(transaction.kind ?? 'TRANS_STMT_COMMIT');
}

const beginnings: ReadonlySet<string> = new Set([
  'TRANS_STMT_BEGIN',
  'TRANS_STMT_START',
  'TRANS_STMT_SAVEPOINT',
  'TRANS_STMT_RELEASE',
]);

function outdated(catalog: LineageCatalog): LineageCatalog {
  return {
    generation: catalog.generation,
    current: false,
    find: () => undefined,
    functions: () => undefined,
    isBuiltIn: () => true,
    codeByOid: () => undefined,
    behind: () => undefined,
    byOid: (oid) => catalog.byOid(oid),
    relations: () => catalog.relations(),
  };
}

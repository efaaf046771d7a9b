/**
 * What names mean within one text. A text is planned before anything of it runs, so each of its statements must be
 * taken for what it may do to the names in those behind it: another catalog, another search_path.
 */

import { as, type Node, tagOf } from '../grammar/tree.js';
import type { LineageCatalog, SearchPath } from './catalog.js';
import { withNames } from './catalog-views.js';
import { changedNames, unreadAfter } from './changed-names.js';
import { NameDoubts, type NamedChanges, nothingChanged } from './name-doubts.js';
import { neutral } from './neutral-statements.js';
import { type MadeRelation, mayFill, type OwnNames, withTemporaries } from './temporary.js';
import { mayRunCode } from './unfollowed.js';
import type { LineageWalk } from './walk.js';

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
  /** Code may have run that nobody has read. */
  overrun = false;
  /** Without the session's own. */
  #lasting: LineageCatalog;
  #own: OwnNames;
  /** Names that may mean something on which code runs that nobody has read. */
  readonly #unread: Set<string>;

  /** @param own with the temporary relations that the session has made before */
  constructor(searchPath: SearchPath, base: LineageCatalog, own: OwnNames) {
    this.searchPath = searchPath;
    this.#lasting = base;
    this.#own = own;
    this.#unread = new Set(own.unread);
    this.catalog = this.#bound();
  }

  /**
   * The statement has been walked: what follows it meets what it leaves behind.
   * @param made the temporary relation that it makes
   */
  after(stmt: Node | undefined, walk: LineageWalk, made: MadeRelation | undefined): void {
    if (stmt === undefined) return;
    if (this.#own.fills && this.#own.known.size > 0 && mayFill(stmt, walk)) {
      const known = new Map([...this.#own.known.keys()].map((name) => [name, undefined]));
      this.#own = { ...this.#own, known, variant: `${this.#own.variant}!` };
    }
    if (made === undefined) this.#change(stmt, walk);
    else {
      const known = new Map(this.#own.known).set(made.relation.name, made.relation);
      this.#own = { ...this.#own, known, variant: `${made.relation.oid}` };
    }
    this.catalog = this.#bound();
  }

  #bound(): LineageCatalog {
    return this.#own.known.size === 0 ? this.#lasting : withTemporaries(this.#lasting, this.#own);
  }

  #change(stmt: Node, walk: LineageWalk): void {
    if (walk.opaque || walk.configures || changesPath(stmt)) this.searchPath = undefined;
    this.overrun ||= this.#unread.size > 0 && mayRunCode(stmt, this.#unread, this.#lasting);
    const defines = !neutral.has(tagOf(stmt)) && !isSetting(stmt);
    const changed = defines ? changedNames(stmt, this.#lasting) : nothingChanged;
    for (const name of unreadAfter(stmt, this.#lasting)) this.#unread.add(name);
    const ends = endsSettings(stmt) && this.#own.known.size > 0;
    if (walk.opaque || this.overrun || ends || changed === 'all') this.#lasting = outdated(this.#lasting);
    else if (changed !== nothingChanged) this.#lasting = doubting(this.#lasting, changed);
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

/** The same, but for what these names mean. */
function doubting(catalog: LineageCatalog, changed: NamedChanges): LineageCatalog {
  const doubts = new NameDoubts();
  doubts.add(changed);
  return withNames(catalog, {
    doubtful: true,
    variant: `${catalog.variant ?? ''} ${changed.names.join('\0')}\0\0${changed.widened.join('\0')}`,
    isKnown: (name) => doubts.isKnown(name) && catalog.isKnown(name),
    find: (schema, name, searchPath) => {
      const relation = catalog.find(schema, name, searchPath);
      return relation && doubts.seen(relation, catalog);
    },
  });
}

/** Nothing is known by name any more. */
export function outdated(catalog: LineageCatalog): LineageCatalog {
  return {
    variant: `${catalog.variant ?? ''} outdated`,
    generation: catalog.generation,
    current: false,
    isKnown: () => false,
    find: () => undefined,
    isLasting: () => true,
    functions: () => undefined,
    isBuiltIn: () => true,
    codeBefore: (kind, name) => catalog.codeBefore(kind, name),
    codeByOid: () => undefined,
    behind: () => undefined,
    byOid: (oid) => catalog.byOid(oid),
    relations: () => catalog.relations(),
  };
}

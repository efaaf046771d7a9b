/**
 * What names mean within one text. A text is planned before anything of it runs, so each of its statements must be
 * taken for what it may do to the names in those behind it: another catalog, another search_path.
 */

import { as, type Node, tagOf } from '../grammar/tree.js';
import type { LineageCatalog, SearchPath } from './catalog.js';
import { withNames } from './catalog-views.js';
import { changedNames, unreadAfter } from './changed-names.js';
import { dropsNothing, type LostNames, lostNames } from './lost-names.js';
import { everyName, NameDoubts, type NamedChanges, nothingChanged } from './name-doubts.js';
import { neutral } from './neutral-statements.js';
import { withNewRelations } from './new-relations.js';
import { type MadeRelation, mayFill, type OwnNames, type Temporaries, withTemporaries } from './temporary.js';
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
    if (stmt === undefined || dropsNothing(stmt, this.catalog)) return;
    const { known, fresh, fills, variant } = this.#own;
    if (fills && known.size + fresh.size > 0 && mayFill(stmt, walk)) {
      const unknown = new Map([...known.keys()].map((name) => [name, undefined]));
      this.#own = { ...this.#own, known: unknown, fresh: without(fresh, 'all'), variant: `${variant}!` };
    }
    if (made === undefined) this.#change(stmt, walk);
    else if (made.lasting) {
      const fresh = new Map(this.#own.fresh).set(made.relation.name, made.relation);
      if (made.vacates !== undefined) fresh.set(made.vacates, undefined);
      this.#own = { ...this.#own, fresh, variant: `${variant}+${made.relation.oid}.${made.relation.columns.length}` };
    } else {
      const known = new Map(this.#own.known).set(made.relation.name, made.relation);
      this.#own = { ...this.#own, known, variant: `${made.relation.oid}` };
    }
    this.catalog = this.#bound();
  }

  /** What the transaction has made so far. */
  get fresh(): Temporaries {
    return this.#own.fresh;
  }

  #bound(): LineageCatalog {
    const { known, fresh } = this.#own;
    const base = known.size === 0 ? this.#lasting : withTemporaries(this.#lasting, this.#own);
    return fresh.size === 0 ? base : withNewRelations(base, this.#own);
  }

  #change(stmt: Node, walk: LineageWalk): void {
    this.overrun ||= this.#unread.size > 0 && mayRunCode(stmt, this.#unread, this.#lasting);
    const defines = !neutral.has(tagOf(stmt)) && !isSetting(stmt);
    const changed = defines ? changedNames(stmt, this.#lasting) : nothingChanged;
    const isNamed = defines && changed !== 'all';
    if (walk.opaque || walk.configures || (!isNamed && changesPath(stmt))) this.searchPath = undefined;
    for (const name of unreadAfter(stmt, this.#lasting)) this.#unread.add(name);
    const { known, fresh, variant } = this.#own;
    const lost = fresh.size === 0 ? [] : lostNames(stmt, walk, fresh, this.#lasting);
    if (lost.length > 0) this.#own = { ...this.#own, fresh: without(fresh, lost), variant: `${variant}?` };
    const ends = endsSettings(stmt) && known.size + fresh.size > 0;
    if (walk.opaque || this.overrun || ends || changed === 'all') this.#lasting = outdated(this.#lasting);
    else if (changed !== nothingChanged) this.#lasting = doubting(this.#lasting, changed);
  }
}

/** The same, but that these names may mean anything. */
function without(fresh: Temporaries, lost: LostNames): Temporaries {
  const names = lost === 'all' ? [...fresh.keys(), everyName] : lost;
  return new Map([...fresh, ...names.map((name) => [name, undefined] as const)]);
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
    isFree: (name) => doubts.isKnown(name) && catalog.isFree(name),
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
    knowsNames: false,
    isKnown: () => false,
    isFree: () => false,
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

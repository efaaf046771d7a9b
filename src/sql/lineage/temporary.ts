/**
 * Temporary tables and views that a session has made for itself, for lineage: known to it before anybody could read them
 * in the catalog, and to nobody else.
 *
 * What lives here: what a statement makes, and what names mean beside it. What it must not know: masks, what became of a
 * statement on the server. A table is clean when it is made, since nothing masked may be copied into it.
 */
import type { CreateStmt } from 'libpg-query';
import { as, eachChild, type Node, names, type Tag, tagOf } from '../grammar/tree.js';
import type { BoundNames, CatalogRelation, LineageCatalog, SearchPath } from './catalog.js';
import { withNames } from './catalog-views.js';
import { isPlainType } from './new-columns.js';
import type { Shape } from './shape.js';
import type { LineageWalk } from './walk.js';

export interface MadeRelation {
  readonly relation: CatalogRelation;
  /** ON COMMIT DROP */
  readonly untilCommit: boolean;
  /** It stays when the session is over, if its transaction is committed: see new-relations.ts. */
  readonly lasting?: true;
  /** The name that it had. */
  readonly vacates?: string;
}

/** By name; undefined: whether the name means something temporary, and what, is not known. */
export type Temporaries = ReadonlyMap<string, CatalogRelation | undefined>;

/** What names mean in one session alone. */
export interface OwnNames {
  readonly known: Temporaries;
  /** Lasting relations that the open transaction has made. */
  readonly fresh: Temporaries;
  /** Another for each set of them; empty where there are none. */
  readonly variant: string;
  /** False where any statement may run code that puts anything into tables of any name: then none is known. */
  readonly trusted: boolean;
  /** Triggers and rules may do so: none is known once one may have run. */
  readonly fills: boolean;
  /** Names over which code may run that was put there since the catalog was read. */
  readonly unread?: ReadonlySet<string>;
}

export const noOwnNames: OwnNames = { known: new Map(), fresh: new Map(), variant: '', trusted: false, fills: false };

/** A name counts only where nothing that outlives the session has it, so that it means this or nothing. */
export function withTemporaries(base: LineageCatalog, { known, variant, trusted }: OwnNames): LineageCatalog {
  return withNames(base, {
    variant,
    find: (schema, name, searchPath) => {
      if ((schema !== undefined && !schema.startsWith('pg_temp')) || !known.has(name)) {
        return base.find(schema, name, searchPath);
      }
      return base.isLasting(name) || !trusted ? undefined : known.get(name);
    },
  });
}

/**
 * The temporary relation that a statement makes; undefined for any other statement, and where what is made does more
 * than hold values: defaults, columns of another table, types with defaults of their own.
 *
 * @param rows what a query in it gives
 * @param bound what the names in a view mean
 */
export function madeRelation(
  stmt: Node,
  rows: Shape | undefined,
  catalog: LineageCatalog,
  searchPath: SearchPath,
  oid: number,
  bound?: BoundNames,
): MadeRelation | undefined {
  if (!catalog.current || catalog.behind('made', 'event')?.length !== 0) return undefined;
  const into = as(stmt, 'CreateTableAsStmt')?.into ?? as(stmt, 'SelectStmt')?.intoClause;
  const view = as(stmt, 'ViewStmt');
  const create = as(stmt, 'CreateStmt');
  const range = into?.rel ?? view?.view ?? create?.relation;
  if (view !== undefined && bound === undefined) return undefined;
  if (range?.relpersistence !== 't' || range.relname === undefined) return undefined;
  if ((as(stmt, 'CreateTableAsStmt')?.if_not_exists ?? create?.if_not_exists) === true) return undefined;
  const renamed = names(into?.colNames ?? view?.aliases);
  // the columns of a query may be of any type, and a domain brings a default
  if (into !== undefined && catalog.behind('made', 'domain')?.length !== 0) return undefined;
  const columns = create
    ? plainColumns(create, catalog)
    : rows?.columns?.map((column, at) => renamed[at] ?? column.name);
  if (columns === undefined || !columns.every((name) => name !== undefined)) return undefined;
  const relation: CatalogRelation = {
    oid,
    schema: 'pg_temp',
    name: range.relname,
    columns: columns.map((name, at) => ({ name, number: at + 1, type: 0, textual: false })),
    children: [],
    secured: false,
    triggers: false,
    rules: false,
    ...(view?.query === undefined || bound === undefined ? {} : { made: { query: view.query, searchPath, bound } }),
  };
  return { relation, untilCommit: (into?.onCommit ?? create?.oncommit) === 'ONCOMMIT_DROP' };
}

const plainConstraints: ReadonlySet<string | undefined> = new Set([
  ...['CONSTR_NULL', 'CONSTR_NOTNULL', 'CONSTR_PRIMARY', 'CONSTR_UNIQUE', 'CONSTR_IDENTITY'],
]);

/** Undefined where a column is more than a name and a type of PostgreSQL's own. */
function plainColumns(create: CreateStmt, catalog: LineageCatalog): readonly string[] | undefined {
  const { tableElts = [], inhRelations, ofTypename, partspec, partbound } = create;
  if (inhRelations !== undefined || ofTypename !== undefined || partspec !== undefined || partbound !== undefined)
    return undefined;
  const found: string[] = [];
  for (const node of tableElts) {
    const column = as(node, 'ColumnDef');
    const constraints = column === undefined ? [node] : (column.constraints ?? []);
    if (!constraints.every((one) => plainConstraints.has(as(one, 'Constraint')?.contype))) return undefined;
    if (column === undefined) continue;
    if (column.colname === undefined || !isPlainType(column.typeName, catalog)) return undefined;
    found.push(column.colname);
  }
  return found;
}

/** The statement may have run what runs when rows are written, at once or when a transaction ends. */
export function mayFill(stmt: Node, walk: LineageWalk): boolean {
  if (walk.opaque || walk.triggers || walk.rules) return true;
  const { catalog, searchPath } = walk.knowledge;
  const changed = as(stmt, 'UpdateStmt')?.relation ?? as(stmt, 'DeleteStmt')?.relation;
  if (changed !== undefined) {
    // rows of a lasting table may take those of others with them
    const target = catalog.find(changed.schemaname, changed.relname ?? '', searchPath);
    return target === undefined || target.schema !== 'pg_temp' || writesBelow(stmt);
  }
  const ends = as(stmt, 'TransactionStmt')?.kind;
  if (ends !== undefined) return /COMMIT|PREPARE/.test(ends);
  return !quiet.has(tagOf(stmt)) || writesBelow(stmt);
}

const quiet: ReadonlySet<Tag> = new Set<Tag>([
  ...(['SelectStmt', 'InsertStmt', 'CopyStmt', 'CreateStmt', 'CreateTableAsStmt', 'ViewStmt'] as const),
  ...(['VariableSetStmt', 'VariableShowStmt', 'ListenStmt', 'UnlistenStmt', 'DeallocateStmt'] as const),
]);

/** WITH that writes. */
function writesBelow(node: Node): boolean {
  let found = false;
  eachChild(node, (child) => {
    found ||= writing.has(tagOf(child)) || writesBelow(child);
  });
  return found;
}

const writing: ReadonlySet<Tag> = new Set<Tag>(['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt']);

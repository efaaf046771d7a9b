/**
 * Which names a statement that defines something may give another meaning, for what stands behind it in its text.
 *
 * What lives here: the forms that migrations are made of, where they run no code. What it must not know: catalogs beyond
 * whether there is such code, masks.
 */
import type { AlterTableCmd, CreateStmt } from 'libpg-query';
import { as, type Node, names, tagOf } from '../grammar/tree.js';
import type { LineageCatalog } from './catalog.js';
import { isScalarType } from './loaded-code.js';
import { type ChangedNames, nothingChanged, unreadNames } from './name-doubts.js';
import { neutral } from './neutral-statements.js';
import { isPlainType } from './new-columns.js';
import { callsOwnCode } from './unfollowed.js';

/** @param catalog as it was before the statement */
export function changedNames(stmt: Node, catalog: LineageCatalog): ChangedNames {
  // event triggers run whatever they run
  if (catalog.codeBefore('made', 'event')?.length !== 0) return 'all';
  const named = (plain: boolean, ...names: (string | undefined)[]): ChangedNames => {
    const known = names.filter((name) => name !== undefined);
    if (known.length < names.length) return 'all';
    // a name that something else has may take its place in code of others
    return { names: known, widened: [], plain: plain && !known.some((name) => catalog.isLasting(name)) };
  };
  switch (tagOf(stmt)) {
    case 'CreateStmt': {
      const create = as(stmt, 'CreateStmt') ?? {};
      const parents = (create.inhRelations ?? []).map((one) => as(one, 'RangeVar')?.relname);
      return named(isPlain(create, catalog), create.relation?.relname, ...parents);
    }
    case 'CreateTableAsStmt': {
      const { into, if_not_exists = false } = as(stmt, 'CreateTableAsStmt') ?? {};
      return named(!if_not_exists, into?.rel?.relname);
    }
    case 'ViewStmt':
      return named(false, as(stmt, 'ViewStmt')?.view?.relname);
    case 'AlterSeqStmt':
      return named(true, as(stmt, 'AlterSeqStmt')?.sequence?.relname);
    case 'GrantStmt':
      return nothingChanged;
    case 'CreateEnumStmt':
    case 'AlterEnumStmt':
      return takesBuiltInName(stmt) ? 'all' : nothingChanged;
    case 'CreateSchemaStmt':
      return as(stmt, 'CreateSchemaStmt')?.schemaElts === undefined ? nothingChanged : 'all';
    case 'RenameStmt': {
      const { renameType, relationType, relation, newname } = as(stmt, 'RenameStmt') ?? {};
      const isOfRelation = renamed.has(renameType) && (renameType !== 'OBJECT_COLUMN' || renamed.has(relationType));
      return isOfRelation ? named(false, relation?.relname, newname) : 'all';
    }
    case 'CommentStmt':
      // what says in the database that something is masked
      return as(stmt, 'CommentStmt')?.comment?.includes('dbguard:') ? 'all' : nothingChanged;
    case 'CreateSeqStmt':
      return named(true, as(stmt, 'CreateSeqStmt')?.sequence?.relname);
    case 'DropStmt': {
      const { objects = [], removeType, behavior } = as(stmt, 'DropStmt') ?? {};
      const dropped = objects.map((one) => names(as(one, 'List')?.items).at(-1));
      return behavior !== 'DROP_CASCADE' && droppable.has(removeType) ? named(true, ...dropped) : 'all';
    }
    case 'IndexStmt': {
      const index = as(stmt, 'IndexStmt');
      if (callsOwnCode(stmt, catalog)) return 'all';
      // where the index has no name it gets one that nothing has
      return index?.idxname === undefined ? nothingChanged : named(true, index.idxname);
    }
    case 'AlterTableStmt': {
      const { objtype, relation, cmds = [] } = as(stmt, 'AlterTableStmt') ?? {};
      if (objtype !== 'OBJECT_TABLE' || relation?.relname === undefined || callsOwnCode(stmt, catalog)) return 'all';
      const commands = cmds.map((one) => as(one, 'AlterTableCmd'));
      if (!commands.every((one) => one !== undefined && isHarmless(one, catalog))) return 'all';
      return { names: [], widened: [relation.relname], plain: true };
    }
    default:
      return 'all';
  }
}

/** Names over which code may run, once the statement has, that the catalog did not say. */
export function unreadAfter(stmt: Node, catalog: LineageCatalog): readonly string[] {
  if (neutral.has(tagOf(stmt))) return [];
  // what calls it may not run before it is committed
  if (as(stmt, 'CreateFunctionStmt') !== undefined) return [];
  const range =
    as(stmt, 'CreateTrigStmt')?.relation ?? as(stmt, 'RuleStmt')?.relation ?? as(stmt, 'CreatePolicyStmt')?.table;
  if (range?.relname !== undefined) return [range.relname];
  return unreadNames(changedNames(stmt, catalog));
}

const renamed: ReadonlySet<string | undefined> = new Set(['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_COLUMN']);

/** Which of the two is meant depends on the search_path. */
export function takesBuiltInName(stmt: Node): boolean {
  const { typeName } = as(stmt, 'CreateEnumStmt') ?? as(stmt, 'AlterEnumStmt') ?? {};
  return isScalarType(names(typeName).at(-1) ?? '');
}

const droppable: ReadonlySet<string | undefined> = new Set([
  ...['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_INDEX', 'OBJECT_SEQUENCE'],
]);

const harmless: ReadonlySet<string | undefined> = new Set(['AT_AddColumn', 'AT_SetNotNull', 'AT_DropNotNull']);

/** The first of an enumeration is what the tree leaves out. */
function isHarmless({ subtype = 'AT_AddColumn', def }: AlterTableCmd, catalog: LineageCatalog): boolean {
  const column = as(def, 'ColumnDef');
  return harmless.has(subtype) && (column === undefined || isPlainType(column.typeName, catalog));
}

/** Nothing runs where rows of it are read or written: its own columns, of types of PostgreSQL's own, and no calls. */
function isPlain(create: CreateStmt, catalog: LineageCatalog): boolean {
  const { tableElts = [], inhRelations, ofTypename, partbound, if_not_exists } = create;
  if (inhRelations !== undefined || ofTypename !== undefined || partbound !== undefined || if_not_exists) return false;
  const columns = tableElts.flatMap((one) => as(one, 'ColumnDef') ?? []);
  const isLike = tableElts.some((one) => as(one, 'TableLikeClause') !== undefined);
  return (
    !isLike &&
    columns.every(({ typeName }) => isPlainType(typeName, catalog)) &&
    !callsOwnCode({ CreateStmt: create } as Node, catalog)
  );
}

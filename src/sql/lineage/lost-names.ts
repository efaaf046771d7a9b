/**
 * Which of the relations that the open transaction has made are not known any more behind a statement that makes none.
 *
 * What must not live here: what statements make. Whatever is not understood leaves the names that it mentions unknown.
 */
import { as, type Node, names, type Tag, tagOf } from '../grammar/tree.js';
import type { LineageCatalog } from './catalog.js';
import { takesBuiltInName } from './changed-names.js';
import { neutral } from './neutral-statements.js';
import type { Temporaries } from './temporary.js';
import { callsOwnCode } from './unfollowed.js';
import type { LineageWalk } from './walk.js';

/** What a statement leaves unknown of the relations that the transaction has made. */
export type LostNames = readonly string[] | 'all';

/** What of these names is not known any more behind a statement that makes none of them. */
export function lostNames(stmt: Node, walk: LineageWalk, fresh: Temporaries, catalog: LineageCatalog): LostNames {
  const tag = tagOf(stmt);
  // what a cursor reads was looked at when it was declared
  if (tag === 'FetchStmt' || tag === 'ClosePortalStmt') return [];
  if (walk.opaque) return 'all';
  if (neutral.has(tag) || settles.has(tag)) return [];
  const mentioned = (...found: (string | undefined)[]): LostNames => {
    return found.includes(undefined) ? 'all' : found.flatMap((name) => (name && fresh.has(name) ? [name] : []));
  };
  switch (tag) {
    case 'CreateStmt':
      return mentioned(...rangesIn(stmt));
    case 'CreateTableAsStmt':
      return mentioned(as(stmt, 'CreateTableAsStmt')?.into?.rel?.relname);
    case 'ViewStmt':
      return mentioned(as(stmt, 'ViewStmt')?.view?.relname);
    case 'CreateTrigStmt':
      return mentioned(as(stmt, 'CreateTrigStmt')?.relation?.relname);
    case 'RuleStmt':
      return mentioned(as(stmt, 'RuleStmt')?.relation?.relname);
    case 'CreatePolicyStmt':
      return mentioned(as(stmt, 'CreatePolicyStmt')?.table?.relname);
    case 'IndexStmt':
      return callsOwnCode(stmt, catalog) ? 'all' : [];
    case 'AlterTableStmt':
      return callsOwnCode(stmt, catalog) ? 'all' : mentioned(...rangesIn(stmt));
    case 'CommentStmt':
      // a tag that could not be put down where it belongs
      return as(stmt, 'CommentStmt')?.comment?.includes('dbguard:') ? 'all' : [];
    case 'CreateEnumStmt':
    case 'AlterEnumStmt':
      return takesBuiltInName(stmt) ? 'all' : [];
    case 'CreateSchemaStmt': {
      const { schemaname, schemaElts } = as(stmt, 'CreateSchemaStmt') ?? {};
      const path = walk.knowledge.searchPath;
      // what is made without a schema may be made in it
      return schemaElts === undefined && schemaname && path?.includes(schemaname) === false ? [] : 'all';
    }
    case 'RenameStmt': {
      const { renameType, relation, newname } = as(stmt, 'RenameStmt') ?? {};
      const isOfRelation =
        renameType === 'OBJECT_TABLE' || renameType === 'OBJECT_VIEW' || renameType === 'OBJECT_COLUMN';
      return isOfRelation ? mentioned(relation?.relname, newname) : 'all';
    }
    case 'DropStmt': {
      const { objects = [], behavior, removeType } = as(stmt, 'DropStmt') ?? {};
      if (behavior === 'DROP_CASCADE' || !relations.has(removeType)) return 'all';
      return mentioned(...objects.map((one) => names(as(one, 'List')?.items).at(-1)));
    }
    default:
      return 'all';
  }
}

const relations: ReadonlySet<string | undefined> = new Set([
  ...['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_INDEX', 'OBJECT_SEQUENCE'],
]);

/** They leave relations what they are, whatever they name. */
const settles: ReadonlySet<Tag> = new Set<Tag>([
  ...(['CreateSeqStmt', 'AlterSeqStmt', 'GrantStmt', 'TruncateStmt', 'CreateFunctionStmt'] as const),
  ...(['VariableSetStmt', 'CallStmt', 'DoStmt'] as const),
]);

/** DROP IF EXISTS of what nothing has the name of. */
export function dropsNothing(stmt: Node, catalog: LineageCatalog): boolean {
  const { objects = [], removeType, missing_ok = false } = as(stmt, 'DropStmt') ?? {};
  const dropped = objects.map((one) => names(as(one, 'List')?.items).at(-1) ?? '');
  const isPlain = missing_ok && relations.has(removeType) && dropped.length > 0;
  return isPlain && dropped.every((name) => catalog.isFree(name));
}

/** Every relation that a definition names, but for those that it only refers to. */
function rangesIn(node: unknown): (string | undefined)[] {
  if (typeof node !== 'object' || node === null) return [];
  const { relname } = node as { readonly relname?: unknown };
  const own = typeof relname === 'string' ? [relname] : [];
  return [...own, ...Object.entries(node).flatMap(([key, one]) => (key === 'pktable' ? [] : rangesIn(one)))];
}

/**
 * Which names a statement that defines something may give another meaning, for what stands behind it in its text.
 *
 * What lives here: the forms that migrations are made of, where they run no code. What it must not know: catalogs beyond
 * whether there is such code, masks.
 */
import type { AlterTableCmd } from 'libpg-query';
import { as, eachChild, type Node, type Tag, tagOf } from '../grammar/tree.js';
import type { LineageCatalog } from './catalog.js';
import { type ChangedNames, nothingChanged } from './name-doubts.js';

/** @param catalog as it was before the statement */
export function changedNames(stmt: Node, catalog: LineageCatalog): ChangedNames {
  // event triggers run whatever they run
  if (catalog.codeBefore('made', 'event')?.length !== 0 || calls(stmt)) return 'all';
  const named = (...names: (string | undefined)[]): ChangedNames => {
    const known = names.filter((name) => name !== undefined);
    return known.length === names.length ? { names: known, widened: [] } : 'all';
  };
  const create = as(stmt, 'CreateStmt');
  if (create !== undefined) {
    const parents = (create.inhRelations ?? []).map((one) => as(one, 'RangeVar')?.relname);
    return create.ofTypename === undefined ? named(create.relation?.relname, ...parents) : 'all';
  }
  const sequence = as(stmt, 'CreateSeqStmt')?.sequence;
  if (sequence !== undefined) return named(sequence.relname);
  const index = as(stmt, 'IndexStmt');
  // where the index has no name it gets one that nothing has
  if (index !== undefined) return index.idxname === undefined ? nothingChanged : named(index.idxname);
  const alter = as(stmt, 'AlterTableStmt');
  if (alter?.objtype !== 'OBJECT_TABLE' || alter.relation?.relname === undefined) return 'all';
  const commands = (alter.cmds ?? []).map((one) => as(one, 'AlterTableCmd'));
  if (!commands.every((one) => one !== undefined && isHarmless(one))) return 'all';
  return { names: [], widened: [alter.relation.relname] };
}

const harmless: ReadonlySet<string | undefined> = new Set(['AT_AddColumn', 'AT_SetNotNull', 'AT_DropNotNull']);

/** The first of an enumeration is what the tree leaves out. */
function isHarmless({ subtype = 'AT_AddColumn' }: AlterTableCmd): boolean {
  return harmless.has(subtype);
}

/** Code may run, or be put where it runs; a type of one's own may bring some. */
const calling: ReadonlySet<Tag> = new Set<Tag>(['FuncCall', 'A_Expr', 'TypeCast', 'SubLink']);

function calls(node: Node): boolean {
  let found = false;
  eachChild(node, (child) => {
    found ||= calling.has(tagOf(child)) || calls(child);
  });
  return found;
}

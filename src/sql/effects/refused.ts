/**
 * When the server refuses a statement, whoever sends it: what it names is not there, or what it would make is. What lives
 * here: what has to be so, of objects that a rollback could bring back. Must not know whether it is.
 */
import type { AlterTableCmd, RangeVar } from 'libpg-query';
import type { Presence } from '../facts.js';
import { as, type Node } from '../grammar/tree.js';
import { existing, goneObject, made, part } from './nothing-to-do.js';

/** Each alone is enough. */
export function refusedIf(statement: Node | undefined): readonly Presence[] {
  if (statement === undefined) return [];
  // with IF NOT EXISTS it is left alone, with a notice
  const conditional = made(statement, 'if not exists') !== undefined;
  const there = conditional ? [] : (made(statement, 'plain')?.presences ?? []);
  return [...there, ...missing(statement)].filter((one) => one !== undefined);
}

function missing(statement: Node): readonly (Presence | undefined)[] {
  const drop = as(statement, 'DropStmt');
  if (drop !== undefined)
    return drop.missing_ok === true ? [] : (drop.objects ?? []).map((object) => goneObject(drop.removeType, object));
  const truncate = as(statement, 'TruncateStmt');
  if (truncate !== undefined) return (truncate.relations ?? []).map((one) => existing(as(one, 'RangeVar')));
  const alter = as(statement, 'AlterTableStmt');
  if (alter !== undefined) {
    const [first] = alter.cmds ?? [];
    const column = columnOf(as(first, 'AlterTableCmd'), alter.relation);
    return alter.missing_ok === true ? [column] : [existing(alter.relation), column];
  }
  const rename = as(statement, 'RenameStmt');
  if (rename !== undefined) {
    const column =
      rename.renameType === 'OBJECT_COLUMN' ? part('column', rename.subname, rename.relation, false) : undefined;
    return rename.missing_ok === true ? [] : [existing(rename.relation), column];
  }
  const moved = as(statement, 'AlterObjectSchemaStmt');
  if (moved !== undefined) return moved.missing_ok === true ? [] : [existing(moved.relation)];
  return [existing(as(statement, 'IndexStmt')?.relation), existing(as(statement, 'CreateTrigStmt')?.relation)];
}

const ofColumns: readonly (AlterTableCmd['subtype'] | undefined)[] = [
  'AT_DropColumn',
  'AT_AlterColumnType',
  'AT_ColumnDefault',
  'AT_SetNotNull',
  'AT_DropNotNull',
];

/** Of the first command: those behind it meet what it has made. */
function columnOf(command: AlterTableCmd | undefined, relation: RangeVar | undefined): Presence | undefined {
  if (command === undefined || command.missing_ok === true || !ofColumns.includes(command.subtype)) return undefined;
  return part('column', command.name, relation, false);
}

/**
 * Definitions that put values into rows: defaults, and columns that change their type. What a default calls is computed
 * where nobody sees it, so what it gives back must not be masked.
 *
 * What lives here: the expressions in CREATE and ALTER, and where their values go. What it must not know: masks.
 */
import type { RangeVar } from 'libpg-query';
import { as, eachChild, type Node } from '../grammar/tree.js';
import { anyFlow, baseColumn, noFlow } from './catalog.js';
import { LineageScope } from './scope.js';
import { shapeOf } from './shape.js';
import type { LineageWalk } from './walk.js';

export function computedByDefinition(stmt: Node, walk: LineageWalk): void {
  const range = as(stmt, 'AlterTableStmt')?.relation;
  const table = range ?? as(stmt, 'IndexStmt')?.relation;
  eachDefinition(stmt, undefined);

  function eachDefinition(node: Node, column: string | undefined): void {
    const command = as(node, 'AlterTableCmd');
    const definition = as(node, 'ColumnDef');
    const constraint = as(node, 'Constraint');
    const index = as(node, 'IndexElem')?.expr;
    if (constraint?.contype === 'CONSTR_DEFAULT') put(constraint.raw_expr, column);
    // checked of every row that there is: what their code says on the way is seen
    else if (constraint?.raw_expr !== undefined) walk.infer(walk.flow(constraint.raw_expr, scopeOf(table)));
    // the values stay, and until the catalog is read nobody knows of what they were made
    if (command?.subtype === 'AT_DropExpression' && !walk.knowledge.catalog.current) {
      walk.sinks.push({ flow: anyFlow, into: undefined });
    }
    if (index !== undefined) walk.infer(walk.flow(index, scopeOf(table)));
    // USING of ALTER COLUMN TYPE stands where a new column would have its default
    if (definition !== undefined) put(definition.raw_default, column);
    if (command?.subtype === 'AT_ColumnDefault') put(command.def, command.name);
    else eachChild(node, (child) => eachDefinition(child, command?.name ?? definition?.colname ?? column));
  }

  function put(expression: Node | undefined, column: string | undefined): void {
    if (expression === undefined) return;
    const flow = walk.flow(expression, scopeOf(table));
    if (flow.size > 0) walk.sinks.push({ flow, into: placeOf(column) });
  }

  function scopeOf(relation: RangeVar | undefined): LineageScope {
    const scope = new LineageScope();
    if (relation === undefined) {
      // no row is there yet
      const own = ownNames(stmt).map((name) => ({ name, flow: noFlow, direct: true }));
      if (own.length > 0) scope.add({ parts: [shapeOf(own)], aliases: new Map() });
      return scope;
    }
    const shape = walk.tableShape(relation);
    scope.add({ parts: [shape], aliases: new Map([[relation.relname ?? '', shape]]) });
    return scope;
  }

  function placeOf(name: string | undefined): string | undefined {
    const relation = range && walk.relation(range);
    const column = relation?.columns.find((one) => one.name === name);
    return relation && column && baseColumn(relation.oid, column.number);
  }
}

/** Columns of a table that is made of nothing but what stands in its definition. */
function ownNames(stmt: Node): string[] {
  const { tableElts = [], inhRelations, ofTypename } = as(stmt, 'CreateStmt') ?? {};
  const isPlain = inhRelations === undefined && ofTypename === undefined;
  if (!isPlain || tableElts.some((one) => as(one, 'TableLikeClause') !== undefined)) return [];
  return tableElts.flatMap((one) => as(one, 'ColumnDef')?.colname ?? []);
}

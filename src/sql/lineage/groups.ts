/**
 * Statistics of groups whose size stands in the same row: `SELECT dept, avg(salary), count(salary) FROM staff GROUP BY dept`.
 *
 * What lives here: which output columns are made of nothing but such statistics. What it must not know: masks, and how
 * large a group has to be. Rows are those of one table, so that no join makes them more than they are; sets of groupings,
 * FILTER, DISTINCT and windows would let one group be taken from another.
 */
import type { FuncCall, SelectStmt } from 'libpg-query';
import { as, eachChild, type Node, names } from '../grammar/tree.js';
import { isOwn } from './calls.js';
import type { Flow } from './catalog.js';
import { sameFlow, union } from './flow.js';
import { statistics } from './measured.js';
import { LineageScope } from './scope.js';
import type { LineageWalk } from './walk.js';

export interface GroupedColumn {
  /** What flows in it beside the statistics. */
  readonly beside: Flow;
  /** Columns whose values the statistics are of, each with the output column that counts them, where there is one. */
  readonly of: readonly { readonly flow: Flow; readonly countAt: number | undefined }[];
}

export interface Grouped {
  /** What the groups are told apart by. */
  readonly keys: Flow;
  /** By place in the output. */
  readonly columns: ReadonlyMap<number, GroupedColumn>;
}

/** Undefined for a statement of any other form. */
export function groupedOutput(stmt: Node | undefined, walk: LineageWalk): Grouped | undefined {
  const select = as(stmt, 'SelectStmt');
  const [from, ...more] = select?.fromClause ?? [];
  const range = as(from, 'RangeVar');
  if (select === undefined || range === undefined || from === undefined || more.length > 0 || !isPlain(select)) return;
  if (walk.relation(range)?.definition !== undefined || walk.relation(range) === undefined) return;
  const scope = new LineageScope();
  scope.add(walk.fromItem(from, scope));
  const targets = (select.targetList ?? []).map((node) => as(node, 'ResTarget')?.val);
  const counts = targets.map((value) => {
    const call = as(value, 'FuncCall');
    const counts = call !== undefined && nameOf(call) === 'count' && !isOwn(call, walk);
    const column = counts ? onlyColumn(call) : undefined;
    return column && walk.flow(column, scope);
  });
  const columns = new Map<number, GroupedColumn>();
  for (const [at, value] of targets.entries()) {
    // a star is more than one column
    if (value === undefined || as(as(value, 'ColumnRef')?.fields?.at(-1), 'A_Star') !== undefined) return;
    const found: Parts = { beside: [], of: [], isOther: false };
    collect(value, found);
    if (found.isOther || found.of.length === 0) continue;
    const of = found.of.map((column) => {
      const flow = walk.flow(column, scope);
      const countAt = counts.findIndex((counted) => counted !== undefined && sameFlow(counted, flow));
      return { flow, countAt: countAt < 0 ? undefined : countAt };
    });
    columns.set(at, { beside: union(found.beside.map((column) => walk.flow(column, scope))), of });
  }
  return { keys: union((select.groupClause ?? []).map((key) => walk.flow(keyOf(key, targets), scope))), columns };
}

function isPlain({ op, withClause, intoClause, valuesLists, windowClause, groupClause = [] }: SelectStmt): boolean {
  const sets = groupClause.some((key) => as(key, 'GroupingSet') !== undefined);
  const other = withClause ?? intoClause ?? valuesLists ?? windowClause;
  return (op === undefined || op === 'SETOP_NONE') && other === undefined && !sets;
}

/** GROUP BY 1 and GROUP BY of an output name mean an output column. */
function keyOf(key: Node, targets: readonly (Node | undefined)[]): Node {
  const place = as(key, 'A_Const')?.ival?.ival;
  return (place === undefined ? undefined : targets[place - 1]) ?? key;
}

interface Parts {
  readonly beside: Node[];
  readonly of: Node[];
  isOther: boolean;
}

function collect(node: Node, found: Parts): void {
  const call = as(node, 'FuncCall');
  if (as(node, 'SubLink') !== undefined || call?.over !== undefined) found.isOther = true;
  if (call !== undefined && statistics.has(nameOf(call))) {
    const column = onlyColumn(call);
    if (column === undefined) found.isOther = true;
    else found.of.push(column);
    return;
  }
  if (as(node, 'ColumnRef') !== undefined) found.beside.push(node);
  else eachChild(node, (child) => collect(child, found));
}

/** The one column that an aggregate is of, with nothing that changes which of its values count. */
function onlyColumn(call: FuncCall): Node | undefined {
  const [argument, ...more] = call.args ?? [];
  const changed = call.agg_distinct || call.agg_filter || call.agg_order || call.over || call.func_variadic;
  const value = as(argument, 'TypeCast')?.arg ?? argument;
  const isColumn = as(value, 'ColumnRef') !== undefined;
  return more.length === 0 && !changed && isColumn ? value : undefined;
}

function nameOf(call: FuncCall): string {
  return names(call.funcname).at(-1) ?? '';
}

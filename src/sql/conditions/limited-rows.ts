/**
 * Rows that a LIMIT somewhere in the condition leaves: `key IN (SELECT key FROM jobs ... LIMIT 10)`, and a join by key with a
 * query that has a LIMIT. Queues and deletes in batches are written so.
 *
 * No upper bound: PostgreSQL may run such a query more than once ("The Locking Clause" of SELECT). An estimate that needs
 * no statistics.
 */
import type { RowLimit } from '../facts.js';
import { as, constant, type Node, names } from '../grammar/tree.js';
import { equatedColumns, keysOf, ownColumn, uncast, type View } from './key-columns.js';
import type { Scope } from './scope.js';

export function limitedRows(conditions: readonly Node[], view: View): RowLimit | undefined {
  for (const condition of conditions) {
    const found = limitOfColumn(condition, view);
    if (found !== undefined && isKey(found.column, view)) return found.limit;
  }
  return undefined;
}

interface ColumnLimit {
  readonly column: string | undefined;
  readonly limit: RowLimit;
}

function limitOfColumn(condition: Node, view: View): ColumnLimit | undefined {
  const link = as(condition, 'SubLink');
  if (link?.subLinkType === 'ANY_SUBLINK' && link.operName === undefined) {
    return ofQuery(link.subselect, ownColumn(link.testexpr, view), view.scope);
  }
  // beside a third source its rows may come up several times
  const [one, two, ...others] = view.scope.sources;
  const joined = one === view.source ? two : one;
  if (joined?.query === undefined || others.length > 0) return undefined;
  const [column] = equatedColumns(condition, view, new Set([joined.alias]));
  return isOfSource(condition, joined.alias) ? ofQuery(joined.query, column, view.scope) : undefined;
}

/** One of the two sides, and not a constant. */
function isOfSource(condition: Node, alias: string): boolean {
  const { lexpr, rexpr } = as(condition, 'A_Expr') ?? {};
  return [lexpr, rexpr].some((side) => {
    const path = names(as(side, 'ColumnRef')?.fields);
    return path.length === 2 && path[0] === alias;
  });
}

function ofQuery(query: Node | undefined, column: string | undefined, scope: Scope): ColumnLimit | undefined {
  const { limitCount, limitOption } = as(query, 'SelectStmt') ?? {};
  if (limitOption === 'LIMIT_OPTION_WITH_TIES') return undefined;
  const limit = rowLimit(limitCount, (name) => scope.isVariable(name));
  return limit && { column, limit };
}

/** @param isVariable of the body that the number stands in */
export function rowLimit(node: Node | undefined, isVariable: (name: string) => boolean): RowLimit | undefined {
  const number = uncast(node);
  const parameter = as(number, 'ParamRef')?.number;
  if (parameter !== undefined) return { parameter };
  const path = names(as(number, 'ColumnRef')?.fields);
  const [variable] = path;
  if (variable !== undefined && path.length === 1 && isVariable(variable)) return { variable };
  const rows = node && constant(node);
  return typeof rows === 'number' ? { rows } : undefined;
}

function isKey(column: string | undefined, view: View): boolean {
  return keysOf(view).some((key) => key.length === 1 && key[0] === column);
}

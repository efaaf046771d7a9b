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
    return ofQuery(link.subselect, ownColumn(link.testexpr, view));
  }
  // beside a third source its rows may come up several times
  const [one, two, ...others] = view.scope.sources;
  const joined = one === view.source ? two : one;
  if (joined?.query === undefined || others.length > 0) return undefined;
  const [column] = equatedColumns(condition, view, new Set([joined.alias]));
  return isOfSource(condition, joined.alias) ? ofQuery(joined.query, column) : undefined;
}

/** One of the two sides, and not a constant. */
function isOfSource(condition: Node, alias: string): boolean {
  const { lexpr, rexpr } = as(condition, 'A_Expr') ?? {};
  return [lexpr, rexpr].some((side) => {
    const path = names(as(side, 'ColumnRef')?.fields);
    return path.length === 2 && path[0] === alias;
  });
}

function ofQuery(query: Node | undefined, column: string | undefined): ColumnLimit | undefined {
  const { limitCount, limitOption } = as(query, 'SelectStmt') ?? {};
  if (limitOption === 'LIMIT_OPTION_WITH_TIES') return undefined;
  const parameter = as(uncast(limitCount), 'ParamRef')?.number;
  if (parameter !== undefined) return { column, limit: { parameter } };
  const rows = constant(limitCount);
  return typeof rows === 'number' ? { column, limit: { rows } } : undefined;
}

function isKey(column: string | undefined, view: View): boolean {
  return keysOf(view).some((key) => key.length === 1 && key[0] === column);
}

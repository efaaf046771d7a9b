/**
 * How many rows a SELECT can have, where its text and the keys of its tables tell: one of a table by its key, those of a
 * list, and of what is joined to them by a key no more.
 */
import type { RowList } from '../facts.js';
import { as, type Node } from '../grammar/tree.js';
import type { AnalysisBudget } from './analysis-budget.js';
import { rowsWritten } from './how-many.js';
import { conjuncts, equatedColumns, keysOf } from './key-columns.js';
import { makesManyOfOne } from './makes-rows.js';
import { mostOf } from './row-list.js';
import { Scope, type Source } from './scope.js';
import { fromItems } from './select-shape.js';

interface RowsSelected {
  readonly mostRows?: number;
  readonly listed?: RowList;
}

export function rowsSelected(query: Node, outer: Scope, budget: AnalysisBudget): RowsSelected {
  const mostRows = rowsWritten(query, budget);
  if (mostRows !== undefined) return { mostRows };
  const select = as(query, 'SelectStmt');
  if (select === undefined || (select.op ?? 'SETOP_NONE') !== 'SETOP_NONE' || makesManyOfOne(select, budget)) return {};
  const scope = new Scope(outer);
  const conditions = fromItems(select.fromClause ?? [], scope);
  if (select.whereClause !== undefined) conditions.push(select.whereClause);
  const lists = scope.sources.filter(({ list }) => list !== undefined);
  if (lists.length > 1) return {};
  return isOneEach(scope, conditions, new Set(lists), budget) ? bound(lists[0]) : {};
}

function bound(source: Source | undefined): RowsSelected {
  return source === undefined ? { mostRows: 1 } : mostOf(source.list);
}

/** Each source has at most one row for what those before it have. */
function isOneEach(scope: Scope, conditions: readonly Node[], known: Set<Source>, budget: AnalysisBudget): boolean {
  const open = scope.sources.filter((one) => !known.has(one));
  const next = open.find((source) => isKeyed(source, scope, conditions, known, budget));
  if (next === undefined) return open.length === 0;
  known.add(next);
  return isOneEach(scope, conditions, known, budget);
}

function isKeyed(
  source: Source,
  scope: Scope,
  conditions: readonly Node[],
  known: ReadonlySet<Source>,
  budget: AnalysisBudget,
): boolean {
  const view = { source, scope, budget };
  const all = [...conditions, ...source.joinedOn].flatMap((one) => conjuncts(one, budget));
  const aliases = new Set([...known].map(({ alias }) => alias));
  const equated = new Set(all.flatMap((one) => equatedColumns(one, view, aliases)));
  return keysOf(view).some((key) => key.every((column) => equated.has(column)));
}

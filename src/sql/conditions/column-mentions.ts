/** Which columns an expression mentions, seen from one source of a query level. */

import { as, eachChild, type Node, names } from '../grammar/tree.js';
import type { AnalysisBudget } from './analysis-budget.js';
import type { Scope, Source } from './scope.js';

export interface Viewpoint {
  readonly source: Source;
  readonly scope: Scope;
  readonly budget: AnalysisBudget;
}

/** Does a subquery name our source? Only qualified names tell. */
export function correlated(subselect: Node, view: Viewpoint): boolean {
  let found = false;
  const look = (node: Node): void => {
    if (!view.budget.spend()) return;
    const path = names(as(node, 'ColumnRef')?.fields);
    if (path.length > 1 && path.at(-2) === view.source.alias) found = true;
    if (!found) eachChild(Object.values(node)[0], look);
  };
  look(subselect);
  return found;
}

/** Of the statement, outside of subqueries. */
export function holdsParameter(node: Node): boolean {
  if (as(node, 'ParamRef') !== undefined) return true;
  if (as(node, 'SubLink') !== undefined) return false;
  let found = false;
  eachChild(Object.values(node)[0], (child) => {
    found ||= holdsParameter(child);
  });
  return found;
}

/** Does an expression contain a column of our source? An unqualified name may be ours. */
export function mentions(node: Node | undefined, view: Viewpoint): boolean {
  if (node === undefined || !view.budget.spend()) return false;
  const column = as(node, 'ColumnRef');
  if (column !== undefined) {
    const path = names(column.fields);
    // The same in every row of a table.
    if (path.at(-1) === 'tableoid') return false;
    if (view.scope.isVariable(path[0] ?? '')) return false;
    return path.length < 2 || path.at(-2) === view.source.alias;
  }
  const link = as(node, 'SubLink');
  if (link !== undefined) return mentions(link.testexpr, view) || correlated(node, view);
  let found = false;
  eachChild(Object.values(node)[0], (child) => {
    if (!found) found = mentions(child, view);
  });
  return found;
}

export function otherSources(nodes: readonly (Node | undefined)[], view: Viewpoint): Source[] {
  const found = new Set<Source>();
  const look = (node: Node): void => {
    if (!view.budget.spend()) return;
    const path = names(as(node, 'ColumnRef')?.fields);
    // `g` of `generate_series(1, 9) g` is its column too
    const source = path.length > 1 ? view.scope.find(path.at(-2) ?? '') : seriesNamed(path[0], view);
    if (source !== undefined && source !== view.source) found.add(source);
    eachChild(Object.values(node)[0], look);
  };
  for (const node of nodes) if (node !== undefined) look(node);
  return [...found];
}

function seriesNamed(name: string | undefined, view: Viewpoint): Source | undefined {
  return view.scope.sources.find((source) => source.series === true && source.alias === name);
}

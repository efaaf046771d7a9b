/**
 * How many rows a condition can hit, as far as that can be told without asking the planner: by the keys of the table, by
 * how often a value occurs in a column, by `WHERE CURRENT OF`. And whether the planner, if it is asked, has statistics
 * for what the condition says, or guesses.
 *
 * What it must not know: what becomes of the numbers. A number here is an upper bound; undefined means that only data tells.
 */
import type { A_Expr, SelectStmt } from 'libpg-query';
import type { KeyValue, NamedRow, RowLimit, RowList } from '../facts.js';
import { as, eachChild, type Node, names } from '../grammar/tree.js';
import type { AnalysisBudget } from './analysis-budget.js';
import { conjuncts, isFixed, keysOf, ownColumn, uncast, type View } from './key-columns.js';
import { limitedRows } from './limited-rows.js';
import { makesManyOfOne } from './makes-rows.js';
import { keyValue, namedRows } from './named-rows.js';
import { rowList } from './row-list.js';
import { relationTarget, type Scope, type Source } from './scope.js';
import { isBare } from './subqueries.js';
import { operatorOf } from './trivial-comparison.js';

/** Of more the planner may know that they are fewer. */
const fewRows = 100;

export interface HowMany {
  /** Most rows of `source` that meet the conditions. */
  readonly mostRows?: number;
  /** See Effect. */
  readonly mostByColumn?: true;
  /** These, where the conditions name each. */
  readonly namedRows?: readonly NamedRow[] | undefined;
  /** Each row is named by a key in this list. */
  readonly listed?: RowList;
  readonly listedBy?: string;
  /** The planner would guess. */
  readonly guessed?: true;
  /** A LIMIT leaves so many, as a rule. */
  readonly limitedTo?: RowLimit;
}

/** One level's conditions, of which all must hold, seen from the source whose rows are changed. */
export function howMany(source: Source, scope: Scope, conditions: readonly Node[], budget: AnalysisBudget): HowMany {
  const view: View = { source, scope, budget };
  const all = conditions.flatMap((one) => conjuncts(one, budget));
  const fixed = fixedColumns(all, view);
  const mostRows = bound(all, fixed, view);
  if (mostRows !== undefined) {
    const named = namedRows(keysOf(view), (column) => fixed.get(column)?.named);
    const byColumn = mostRows > fewRows && mostRows < ofKeys(fixed, view);
    const open = byColumn && { mostByColumn: true as const, ...(isGuess(all, view) ? { guessed: true as const } : {}) };
    return { mostRows, namedRows: named, ...open };
  }
  const listed = listOfKeys(all, fixed, view);
  const limitedTo = limitedRows(all, view);
  if (limitedTo !== undefined) return { ...listed, limitedTo };
  return { ...listed, ...(isGuess(all, view) ? { guessed: true } : {}) };
}

function bound(conditions: readonly Node[], fixed: FixedColumns, view: View): number | undefined {
  if (conditions.some((one) => as(one, 'CurrentOfExpr') !== undefined)) return 1;
  let most = ofKeys(fixed, view);
  for (const [column, { values }] of fixed) most = Math.min(most, values * rowsPerValue(column, view));
  return Number.isFinite(most) ? most : undefined;
}

function ofKeys(fixed: FixedColumns, view: View): number {
  const values = (column: string): number => fixed.get(column)?.values ?? Number.POSITIVE_INFINITY;
  const products = keysOf(view).map((key) => key.reduce((product, column) => product * values(column), 1));
  return Math.min(Number.POSITIVE_INFINITY, ...products);
}

/** `key = ANY ($1)`, `key = spec.key` of `unnest($1) spec`; further columns of the key have one value. */
function listOfKeys(
  conditions: readonly Node[],
  fixed: FixedColumns,
  view: View,
): Pick<HowMany, 'listed' | 'listedBy'> | undefined {
  const lists = new Map(conditions.flatMap((one) => listedBy(one, view)));
  if (lists.size === 0) return undefined;
  for (const key of keysOf(view)) {
    const [column = '', ...others] = key.filter((one) => fixed.get(one)?.values !== 1);
    const listed = lists.get(column);
    if (others.length > 0 || listed === undefined) continue;
    return key.length === 1 ? { listed, listedBy: column } : { listed };
  }
  return undefined;
}

function listedBy(condition: Node, view: View): [string, RowList][] {
  const expression = as(condition, 'A_Expr');
  if (expression === undefined || operatorOf(expression) !== '=' || (expression.name?.length ?? 0) > 1) return [];
  const { lexpr, rexpr } = expression;
  const listed = (column: string | undefined, list: RowList | undefined): [string, RowList][] =>
    column === undefined || list === undefined ? [] : [[column, list]];
  if (expression.kind === 'AEXPR_OP_ANY')
    return listed(
      ownColumn(lexpr, view),
      rowList(rexpr, (name) => view.scope.isVariable(name)),
    );
  if (expression.kind !== 'AEXPR_OP') return [];
  return [
    ...listed(ownColumn(lexpr, view), listBehind(rexpr, view)),
    ...listed(ownColumn(rexpr, view), listBehind(lexpr, view)),
  ];
}

function listBehind(column: Node | undefined, { source, scope }: View): RowList | undefined {
  const path = names(as(column, 'ColumnRef')?.fields);
  if (path.length !== 2 || scope.isVariable(path[0] ?? '')) return undefined;
  return scope.sources.find((one) => one !== source && one.alias === path[0])?.list;
}

interface Fixed {
  readonly values: number;
  /** All of them, where the text has each. */
  readonly named?: readonly KeyValue[] | undefined;
}
type FixedColumns = ReadonlyMap<string, Fixed>;

function fixedColumns(conditions: readonly Node[], view: View): FixedColumns {
  const fixed = new Map<string, Fixed>();
  for (const condition of conditions) {
    for (const [column, one] of fixedBy(condition, view)) {
      const known = fixed.get(column);
      if (known === undefined || one.values < known.values) fixed.set(column, one);
    }
  }
  return fixed;
}

function rowsPerValue(column: string, { source, scope }: View): number {
  const known = source.relation === undefined ? [] : scope.columnsOf(source.relation, column);
  if (known.length === 0) return Number.POSITIVE_INFINITY;
  return Math.max(...known.map(({ rowsPerValue: rows }) => rows ?? Number.POSITIVE_INFINITY));
}

/** Columns of our source that a condition holds to so many values: `id = $1`, `id IN (1, 2)`, `(a, b) = (1, 2)`. */
function fixedBy(condition: Node, view: View): [string, Fixed][] {
  const expression = as(condition, 'A_Expr');
  if (expression === undefined || operatorOf(expression) !== '=' || (expression.name?.length ?? 0) > 1) return [];
  const { lexpr, rexpr } = expression;
  switch (expression.kind) {
    case 'AEXPR_OP':
      return [...fixedPair(lexpr, rexpr, view), ...fixedPair(rexpr, lexpr, view)];
    case 'AEXPR_IN':
      return fixedByList(lexpr, as(rexpr, 'List')?.items ?? [], view);
    case 'AEXPR_OP_ANY':
      return fixedByList(lexpr, as(uncast(rexpr), 'A_ArrayExpr')?.elements ?? [], view);
    default:
      return [];
  }
}

function fixedPair(left: Node | undefined, right: Node | undefined, view: View): [string, Fixed][] {
  const members = as(left, 'RowExpr')?.args;
  if (members !== undefined) {
    const others = as(right, 'RowExpr')?.args ?? [];
    return members.flatMap((one, index) => fixedPair(one, others[index], view));
  }
  const column = ownColumn(left, view);
  if (column === undefined || right === undefined) return [];
  const rows = isOneValue(right, view) ? 1 : rowsListed(right, view);
  if (rows === undefined) return [];
  const value = rows === 1 ? keyValue(right, view.scope) : undefined;
  return [[column, { values: rows, named: value && [value] }]];
}

/** `v.id` of `FROM (VALUES (1), (2)) v (id)`: as many values as rows are written there. */
function rowsListed(column: Node, { source, scope, budget }: View): number | undefined {
  const path = names(as(column, 'ColumnRef')?.fields);
  if (path.length !== 2) return undefined;
  const from = scope.sources.find((one) => one !== source && one.alias === path[0]);
  return from?.query === undefined ? undefined : rowsWritten(from.query, budget);
}

/** Rows of a VALUES list, or of a SELECT without FROM; undefined where data tells. */
export function rowsWritten(query: Node, budget: AnalysisBudget): number | undefined {
  const select = as(query, 'SelectStmt');
  if (select?.valuesLists !== undefined) return select.valuesLists.length;
  if (select === undefined || !isBare(select)) return undefined;
  return makesManyOfOne(select, budget) ? undefined : 1;
}

function fixedByList(left: Node | undefined, items: readonly Node[], view: View): [string, Fixed][] {
  if (items.length === 0) return [];
  const each = items.map((item) => new Map(fixedPair(left, item, view)));
  return [...(each[0]?.keys() ?? [])]
    .filter((column) => each.every((one) => one.has(column)))
    .map((column) => [column, { values: items.length, named: allNamed(each.map((one) => one.get(column))) }]);
}

function allNamed(each: readonly (Fixed | undefined)[]): readonly KeyValue[] | undefined {
  const named = each.flatMap((one) => one?.named ?? []);
  return named.length === each.length ? named : undefined;
}

/** The same for every row: a constant, a parameter, a variable, what is computed from such, a subquery for one value. */
function isOneValue(node: Node, view: View): boolean {
  if (!view.budget.spend()) return false;
  if (as(node, 'A_Const') !== undefined || as(node, 'ParamRef') !== undefined) return true;
  if (as(node, 'SQLValueFunction') !== undefined) return true;
  const link = as(node, 'SubLink');
  if (link !== undefined) return isFromOurTable(link.subLinkType, link.subselect, view);
  return isFixed(node, view);
}

/**
 * `(SELECT id FROM jobs ORDER BY run_at LIMIT 1)` for `jobs`: its columns are those of the table inside, so nothing in
 * it can mean the row outside.
 */
function isFromOurTable(
  type: string | undefined,
  subselect: Node | undefined,
  { source, scope, budget }: View,
): boolean {
  const select = as(subselect, 'SelectStmt');
  if (type !== 'EXPR_SUBLINK' || select === undefined || source.relation === undefined) return false;
  const [from, ...more] = select.fromClause ?? [];
  const relation = as(from, 'RangeVar');
  if (relation === undefined || more.length > 0 || select.withClause !== undefined) return false;
  const { name, schema } = relationTarget(relation);
  if (name !== source.relation.name || schema !== source.relation.schema || scope.cte(relation)) return false;
  const alias = relation.alias?.aliasname ?? relation.relname;
  return !hasOutsider(select, alias, budget);
}

function hasOutsider(select: SelectStmt, alias: string | undefined, budget: AnalysisBudget): boolean {
  let found = false;
  const look = (node: Node): void => {
    const path = names(as(node, 'ColumnRef')?.fields);
    if (!budget.spend() || as(node, 'SubLink') !== undefined || (path.length > 1 && path.at(-2) !== alias))
      found = true;
    if (!found) eachChild(Object.values(node)[0], look);
  };
  eachChild(select, look);
  return found;
}

/** So many comparisons are estimated as if each knew nothing of the others, and multiplied. */
const independentMost = 4;

function isGuess(conditions: readonly Node[], view: View): boolean {
  if (!conditions.every((one) => hasStatistics(one, view))) return true;
  const columns = conditions.map((one) => comparedColumn(one, view)).filter((one) => one !== undefined);
  const often = columns.some((one) => columns.filter((other) => other === one).length > 2);
  return often || conditions.length > independentMost;
}

function comparedColumn(condition: Node, view: View): string | undefined {
  const expression = as(condition, 'A_Expr');
  return ownColumn(expression?.lexpr, view) ?? ownColumn(expression?.rexpr, view);
}

const comparisons: ReadonlySet<string> = new Set('= <> < > <= >= ~~ !~~ ~~* !~~* BETWEEN NOT_BETWEEN'.split(' '));
const kinds: ReadonlySet<string> = new Set(
  `AEXPR_OP AEXPR_IN AEXPR_LIKE AEXPR_ILIKE AEXPR_BETWEEN AEXPR_NOT_BETWEEN AEXPR_BETWEEN_SYM AEXPR_NOT_BETWEEN_SYM
  AEXPR_OP_ANY AEXPR_OP_ALL AEXPR_DISTINCT AEXPR_NOT_DISTINCT`.split(/\s+/),
);

/** The planner looks up what it needs: "Row Estimation Examples" in the PostgreSQL manual. */
function hasStatistics(node: Node, view: View): boolean {
  if (!view.budget.spend()) return false;
  const bool = as(node, 'BoolExpr');
  if (bool !== undefined) return (bool.args ?? []).every((one) => hasStatistics(one, view));
  if (as(node, 'A_Const') !== undefined || isColumn(node)) return true;
  const tested = as(node, 'NullTest')?.arg ?? as(node, 'BooleanTest')?.arg;
  if (tested !== undefined) return isColumn(tested);
  const expression = as(node, 'A_Expr');
  if (expression !== undefined) return comparesColumn(expression, view);
  const link = as(node, 'SubLink');
  const select = as(link?.subselect, 'SelectStmt');
  if (link === undefined || select === undefined) return false;
  if (link.subLinkType === 'ANY_SUBLINK' && link.operName === undefined) {
    return isColumn(link.testexpr) && isPlain(select, view);
  }
  return link.subLinkType === 'EXISTS_SUBLINK' && isPlain(select, view);
}

function isColumn(node: Node | undefined): boolean {
  return as(node, 'ColumnRef') !== undefined;
}

function comparesColumn(expression: A_Expr, view: View): boolean {
  const { lexpr, rexpr, kind = '' } = expression;
  if (!kinds.has(kind) || lexpr === undefined || rexpr === undefined) return false;
  if (kind === 'AEXPR_OP' && !comparisons.has(operatorOf(expression) ?? '')) return false;
  const items = as(rexpr, 'List')?.items;
  if (items !== undefined) return isColumn(lexpr) && items.every((item) => isFixed(item, view));
  if (isColumn(lexpr) && isColumn(rexpr)) return operatorOf(expression) === '=' && ofTwoSources(lexpr, rexpr);
  return (isColumn(lexpr) && isFixed(rexpr, view)) || (isColumn(rexpr) && isFixed(lexpr, view));
}

/** `a.id = b.a_id`. Within one table the planner knows nothing of how two columns go together. */
function ofTwoSources(left: Node, right: Node): boolean {
  const [a, b] = [left, right].map((side) => names(as(side, 'ColumnRef')?.fields));
  return a !== undefined && b !== undefined && (a.length === 1 || b.length === 1 || a[0] !== b[0]);
}

/** A join and a filter: no groups, no set operation, no rows made up. */
function isPlain(select: SelectStmt, view: View): boolean {
  const { groupClause, havingClause, op = 'SETOP_NONE', withClause, valuesLists, fromClause = [] } = select;
  if (groupClause || havingClause || op !== 'SETOP_NONE' || withClause || valuesLists || isBare(select)) return false;
  if (!fromClause.every((item) => as(item, 'RangeVar') !== undefined)) return false;
  return select.whereClause === undefined || hasStatistics(select.whereClause, view);
}

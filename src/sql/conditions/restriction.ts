/**
 * Does a condition really restrict the rows of a relation? Decided for shapes that people and machines write when
 * they mean "all rows" (`true`, `1=1`, `id = id`, `id IS NOT NULL`, `x LIKE '%'`, `id > 0`, a self-join), without
 * data. A condition over other columns or values counts as restricting.
 */
import type { A_Expr, BoolExpr, SelectStmt, SubLink } from 'libpg-query';
import type { Target } from '../facts.js';
import { as, constant, type Node, names, sameTree } from '../grammar/tree.js';
import type { AnalysisBudget } from './analysis-budget.js';
import { correlated, holdsParameter, mentions, otherSources } from './column-mentions.js';
import {
  arraySubquery,
  betweenParts,
  constantComparison,
  excludes,
  isExtreme,
  isNotBetween,
} from './comparison-shapes.js';
import { anyComplementary } from './complement.js';
import { discriminates, isSought } from './discriminating-expression.js';
import { callOf, isAlwaysTrue, isSameInEveryRow } from './nearly-always.js';
import { isMostlyNull, knownOf, unqualified } from './own-columns.js';
import { mayBeSame, type Scope, type Source } from './scope.js';
import { coversRelation, joinConditions } from './select-shape.js';
import { simplify } from './simplify.js';
import { isBare, isEmptyArray, isEmptySelect, membership } from './subqueries.js';
import { acceptsNearlyAll, columnName, isIdentifier, operatorOf } from './trivial-comparison.js';

/** `all`: lets (nearly) every row through. `none`: never true. `some`: depends on the row. */
export type Selectivity = 'all' | 'none' | 'some';

/** One level's conditions, seen from one of its sources. */
interface View {
  readonly source: Source;
  readonly scope: Scope;
  readonly conditions: readonly Node[];
  /** Sources and WITH queries that are being looked at already, further out; against going in circles. */
  readonly relying: Set<Source | Node>;
  readonly budget: AnalysisBudget;
  /** What compares no column but a parameter is taken as not true. */
  readonly refuted?: true;
}

/** True when `conditions` (all of them must hold) restrict the rows of `source`. */
export function restricts(
  source: Source,
  scope: Scope,
  conditions: readonly Node[],
  budget: AnalysisBudget,
  relying: Set<Source | Node> = new Set(),
): boolean {
  if (budget.spent) return false;
  const plain = conditions.map((condition) => unqualified(condition, { source, scope }));
  const view: View = { source, scope, conditions: plain, relying, budget };
  relying.add(source);
  const found = plain.some((condition) => selectivity(simplify(condition), false, view) !== 'all');
  relying.delete(source);
  return found;
}

/**
 * Of conditions that do not restrict: whether they would with other values of their parameters, as those of
 * `$1 = '*' OR name = $1` and `CASE WHEN $1 = '*' THEN true ELSE name = $1 END`.
 */
export function parametersDecide(
  source: Source,
  scope: Scope,
  conditions: readonly Node[],
  budget: AnalysisBudget,
): boolean {
  const plain = conditions.map((condition) => unqualified(condition, { source, scope }));
  const view: View = { source, scope, conditions: plain, relying: new Set([source]), budget, refuted: true };
  return plain.some((condition) => selectivity(simplify(condition), false, view) === 'some') && !budget.spent;
}

function selectivity(node: Node, negated: boolean, view: View): Selectivity {
  if (!view.budget.spend()) return 'all';
  const bool = as(node, 'BoolExpr');
  if (bool !== undefined) return boolSelectivity(bool, negated, view);

  const value = constant(node);
  if (value !== undefined) return value === null || isTrue(value) === negated ? 'none' : 'all';

  const nullTest = as(node, 'NullTest');
  if (nullTest !== undefined) {
    const isNull = (nullTest.nulltesttype === 'IS_NULL') !== negated;
    if (!isNull && nullTest.arg !== undefined && isSought(simplify(nullTest.arg))) return 'some';
    if (!isNull && isMostlyNull(nullTest.arg, view)) return 'some';
    if (mentions(nullTest.arg, view)) return isNull ? 'some' : 'all';
    return isRefuted([nullTest.arg], view) ? 'none' : 'all';
  }
  const booleanTest = as(node, 'BooleanTest');
  if (booleanTest !== undefined) return booleanTestSelectivity(booleanTest, negated, view);

  const expression = as(node, 'A_Expr');
  if (expression !== undefined) return comparisonSelectivity(expression, negated, view);

  const link = as(node, 'SubLink');
  if (link !== undefined) return subLinkSelectivity(link, negated, view);

  if (as(node, 'CurrentOfExpr') !== undefined) return 'some';
  const cases = as(node, 'CaseExpr');
  if (cases !== undefined) {
    if (takesEveryRow(cases.arg, cases.args ?? [], negated, view)) return 'all';
    const results = [...(cases.args ?? []).map((arm) => as(arm, 'CaseWhen')?.result), cases.defresult];
    if (results.every((result) => result !== undefined && selectivity(result, negated, view) === 'all')) return 'all';
  }
  // `id::bool`
  if (isAlwaysTrue(node) || isIdentifier(node)) return 'all';
  if (mentions(node, view)) return 'some';
  return isRefuted([node], view) ? 'none' : 'all';
}

/** `$1 = $1` holds whatever the value is. */
function isRefuted(sides: readonly (Node | undefined)[], { refuted }: View): boolean {
  if (!refuted || !sides.some((side) => side !== undefined && holdsParameter(side))) return false;
  const [left, right] = sides;
  return left === undefined || right === undefined || !sameTree(left, right);
}

/** `CASE id WHEN id THEN true`, `CASE WHEN id > 0 THEN true ELSE id = 1 END`. */
function takesEveryRow(arg: Node | undefined, arms: readonly Node[], negated: boolean, view: View): boolean {
  return arms.some((node) => {
    const arm = as(node, 'CaseWhen');
    if (arm?.expr === undefined || arm.result === undefined) return false;
    const taken = arg === undefined ? selectivity(simplify(arm.expr), false, view) === 'all' : sameTree(arm.expr, arg);
    return taken && selectivity(simplify(arm.result), negated, view) === 'all';
  });
}

function isTrue(value: string | number | boolean): boolean {
  return typeof value === 'string' ? !/^\s*(f|fa|fal|fals|false|n|no|of|off|0)\s*$/i.test(value) : Boolean(value);
}

/**
 * The same column of our own row, fetched once more: `(SELECT o.id FROM orders x WHERE x.id = o.id)` seen from o,
 * `(SELECT max(x.id) FROM orders x WHERE x.id = orders.id)`.
 */
function isOwnRowFrom(side: Node | undefined, compared: Node | undefined, view: View): boolean {
  const link = as(side, 'SubLink');
  const select = as(link?.subselect, 'SelectStmt');
  const output = as(select?.targetList?.[0], 'ResTarget')?.val;
  if (link?.subLinkType !== 'EXPR_SUBLINK' || link.subselect === undefined || output === undefined) return false;
  const path = names(as(output, 'ColumnRef')?.fields);
  if (path.at(-2) === view.source.alias) return existsSelectivity(link.subselect, false, view) === 'all';
  const call = callOf(output);
  const fetched = columnName(call !== undefined && oneOfMany.has(call.name) ? call.args[0] : output);
  if (select === undefined || fetched === '' || fetched !== columnName(compared)) return false;
  return isFoundByKey(select, fetched, view) && existsSelectivity(link.subselect, false, view) === 'all';
}

const oneOfMany: ReadonlySet<string> = new Set(['min', 'max', 'any_value', 'avg', 'sum']);

/** `o.id = orders.id`, where id is a key, or the column that is fetched. */
function isFoundByKey(select: SelectStmt, fetched: string, view: View): boolean {
  return conjuncts(select.whereClause).some((one) => {
    const { lexpr, rexpr } = as(one, 'A_Expr') ?? {};
    const name = columnName(lexpr);
    if (lexpr === undefined || name === '' || name !== columnName(rexpr)) return false;
    return (
      name === fetched || isIdentifier(lexpr) || knownOf({ ColumnRef: { fields: [text(name)] } }, view) !== undefined
    );
  });
}

function conjuncts(condition: Node | undefined): readonly Node[] {
  const bool = as(condition, 'BoolExpr');
  if (bool?.boolop === 'AND_EXPR') return bool.args ?? [];
  return condition === undefined ? [] : [condition];
}

function text(sval: string): Node {
  return { String: { sval } };
}

function boolSelectivity(bool: BoolExpr, negated: boolean, view: View): Selectivity {
  const args = (bool.args ?? []).map(simplify);
  if (bool.boolop === 'NOT_EXPR') {
    const [arg] = args;
    return arg === undefined ? 'all' : selectivity(arg, !negated, view);
  }
  const each = args.map((arg) => selectivity(arg, negated, view));
  // De Morgan: NOT (a AND b) is (NOT a) OR (NOT b).
  const all = (bool.boolop === 'AND_EXPR') !== negated;
  if (all) {
    if (each.includes('none')) return 'none';
    return each.includes('some') ? 'some' : 'all';
  }
  if (each.includes('all')) return 'all';
  if (each.every((one) => one === 'none')) return 'none';
  return anyComplementary(args) ? 'all' : 'some';
}

function booleanTestSelectivity(
  test: { booltesttype?: string; arg?: Node },
  negated: boolean,
  view: View,
): Selectivity {
  if (test.arg === undefined) return 'all';
  const arg = simplify(test.arg);
  switch (test.booltesttype) {
    case 'IS_TRUE':
    case 'IS_NOT_FALSE':
      return selectivity(arg, negated, view);
    case 'IS_FALSE':
    case 'IS_NOT_TRUE':
      return selectivity(arg, !negated, view);
    default: {
      const isUnknown = (test.booltesttype === 'IS_UNKNOWN') !== negated;
      return isUnknown && mentions(arg, view) ? 'some' : 'all';
    }
  }
}

function comparisonSelectivity(expression: A_Expr, negated: boolean, view: View): Selectivity {
  const left = expression.lexpr === undefined ? undefined : simplify(expression.lexpr);
  const { rexpr } = expression;
  const right = rexpr === undefined ? undefined : simplify(rexpr);
  const bothSides = [left, right];

  const parts = betweenParts(expression);
  if (parts !== undefined) return boolSelectivity(parts, negated !== isNotBetween(expression), view);
  const toArray = expression.kind === 'AEXPR_OP_ANY' || expression.kind === 'AEXPR_OP_ALL';
  // Nothing is in an empty set, and everything holds for all of it.
  if (toArray && isEmptyArray(right)) return (expression.kind === 'AEXPR_OP_ALL') !== negated ? 'all' : 'none';
  const subquery = arraySubquery(right);
  if (subquery !== undefined && left !== undefined) {
    const link: SubLink = { subLinkType: 'ANY_SUBLINK', testexpr: left, subselect: subquery };
    const exclude = expression.kind === 'AEXPR_OP_ALL';
    return subLinkSelectivity(link, negated !== exclude, view);
  }
  if (bothSides.every((side) => side === undefined || !mentions(side, view))) {
    if (isRefuted(bothSides, view)) return 'none';
    return constantComparison(expression, left, right, negated) === false ? 'none' : 'all';
  }
  const operator = operatorOf(expression);
  if (bothSides.some((side) => side !== undefined && isSameInEveryRow(side, operator))) return 'all';
  if (acceptsNearlyAll(expression, left, right, negated, (column) => knownOf(column, view))) return 'all';
  const own = isOwnRowFrom(left, right, view) || isOwnRowFrom(right, left, view);
  if (own && ['=', '<=', '>='].includes(operator ?? '')) return 'all';
  if (comparesWithOwnExtreme(expression, left, right, view)) return 'all';
  if (!discriminates(left, right, excludes(expression) !== negated, view)) return 'all';
  return joinSelectivity(expression, left, right, view);
}

/** A comparison with another relation's column: a join. It restricts unless the other side is the same rows again. */
function joinSelectivity(expression: A_Expr, left: Node | undefined, right: Node | undefined, view: View): Selectivity {
  const others = otherSources([left, right], view);
  // `a.id < b.id` on the same table is how duplicates are picked: that restricts. `=` and `<>` alone do not.
  const equality = expression.kind === 'AEXPR_OP' && ['=', '<>'].includes(operatorOf(expression) ?? '');
  if (others.length === 0 || !equality) return 'some';
  return others.some((other) => sourceRestricts(other, view)) ? 'some' : 'all';
}

function sourceRestricts(other: Source, view: View): boolean {
  if (view.relying.has(other) || other.series) return false;
  const { relation } = view.source;
  if (relation === undefined) return true;
  const sameRows =
    (other.relation !== undefined && mayBeSame(other.relation, relation)) ||
    (other.query !== undefined && covers(other.query, relation, view));
  return !sameRows || restricts(other, view.scope, view.conditions, view.budget, view.relying);
}

/** A WITH query that joins itself (RECURSIVE) does not cover anything because of that. */
function covers(query: Node, relation: Target, view: View): boolean {
  if (view.relying.has(query)) return false;
  view.relying.add(query);
  const found = coversRelation(query, relation, view.scope, {
    budget: view.budget,
    restricts: (source, scope, conditions) => restricts(source, scope, conditions, view.budget, view.relying),
  });
  view.relying.delete(query);
  return found;
}

/** `id >= (SELECT min(id) FROM t)`, `id < (SELECT max(id) + 1 FROM t)`. */
function comparesWithOwnExtreme(
  expression: A_Expr,
  left: Node | undefined,
  right: Node | undefined,
  view: View,
): boolean {
  const operator = operatorOf(expression);
  if (operator === undefined || !/^[<>]=?$/.test(operator)) return false;
  return [left, right].some((side) => {
    const select = as(as(side, 'SubLink')?.subselect, 'SelectStmt');
    const output = as(select?.targetList?.[0], 'ResTarget')?.val;
    if (select === undefined || output === undefined || !isExtreme(output, operator.length === 1)) return false;
    const plain: SelectStmt = { ...select, targetList: [] };
    return view.source.relation !== undefined && covers({ SelectStmt: plain }, view.source.relation, view);
  });
}

function subLinkSelectivity(link: SubLink, negated: boolean, view: View): Selectivity {
  const { subselect } = link;
  if (subselect === undefined) return 'all';
  const asExpression = link.subLinkType === 'ANY_SUBLINK' ? membership(link) : undefined;
  if (asExpression !== undefined) return selectivity(simplify(unqualified(asExpression, view)), negated, view);
  if (isEmptySelect(subselect)) {
    if (link.subLinkType === 'ALL_SUBLINK') return negated ? 'none' : 'all';
    if (link.subLinkType === 'ANY_SUBLINK' || link.subLinkType === 'EXISTS_SUBLINK') return negated ? 'all' : 'none';
  }
  switch (link.subLinkType) {
    case 'EXISTS_SUBLINK':
      return existsSelectivity(subselect, negated, view);
    case 'ANY_SUBLINK': {
      if (!mentions(link.testexpr, view)) return 'all';
      if (negated || view.source.relation === undefined) return 'some';
      return covers(subselect, view.source.relation, view) ? 'all' : 'some';
    }
    default:
      return mentions(link.testexpr, view) || correlated(subselect, view) ? 'some' : 'all';
  }
}

/** An EXISTS that does not look at our row lets every row through, or none. */
function existsSelectivity(subselect: Node, negated: boolean, view: View): Selectivity {
  const select = as(subselect, 'SelectStmt');
  if (select !== undefined && isBare(select)) {
    if (select.whereClause === undefined) return negated ? 'none' : 'all';
    return selectivity(simplify(unqualified(select.whereClause, view)), negated, view);
  }
  if (select === undefined || !correlated(subselect, view)) return 'all';
  if (!negated && looksAtOurRow(select, view)) return 'all';
  if (negated || view.source.relation === undefined) return 'some';
  const inner = joinConditions(select, view.scope);
  const [only, ...more] = inner.sources;
  if (only?.relation === undefined || more.length > 0 || !mayBeSame(only.relation, view.source.relation)) return 'some';
  return restricts(only, inner.scope, inner.conditions, view.budget, view.relying) ? 'some' : 'all';
}

/** Its conditions name our row, and every row of ours meets them: `EXISTS (SELECT FROM x WHERE orders.id IS NOT NULL)`. */
function looksAtOurRow(select: SelectStmt, view: View): boolean {
  const { conditions } = joinConditions(select, view.scope);
  return conditions
    .filter((one) => correlated(one, view))
    .every((one) => selectivity(simplify(one), false, view) === 'all');
}

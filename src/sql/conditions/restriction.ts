/**
 * Does a condition really restrict the rows of a relation? Decided for shapes that people and machines write when
 * they mean "all rows" (`true`, `1=1`, `id = id`, `id IS NOT NULL`, `x LIKE '%'`, `id > 0`, a self-join), without
 * data. A condition over other columns or values counts as restricting.
 */
import type { A_Expr, BoolExpr, SelectStmt, SubLink } from 'libpg-query';
import type { ColumnKnowledge } from '../catalog/catalog-relations.js';
import type { Target } from '../facts.js';
import { as, constant, type Node, names, sameTree } from '../grammar/tree.js';
import { correlated, mentions, otherSources } from './column-mentions.js';
import { anyComplementary } from './complement.js';
import type { Effort } from './effort.js';
import { callOf, isAlwaysTrue, isSameInEveryRow } from './nearly-always.js';
import { mayBeSame, type Scope, type Source } from './scope.js';
import { coversRelation, joinConditions } from './select-shape.js';
import { simplify } from './simplify.js';
import { isBare, isEmptyArray, isEmptySelect, membership } from './subqueries.js';
import { isSought, tellsRowsApart } from './tells-rows-apart.js';
import { acceptsNearlyAll, columnName, isIdentifier, operatorOf } from './trivial-comparison.js';

/** `open`: lets (nearly) every row through. `none`: never true. `some`: depends on the row. */
export type Reach = 'open' | 'none' | 'some';

/** One level's conditions, seen from one of its sources. */
interface View {
  readonly source: Source;
  readonly scope: Scope;
  readonly conditions: readonly Node[];
  /** Sources and WITH queries that are being looked at already, further out; against going in circles. */
  readonly relying: Set<Source | Node>;
  readonly effort: Effort;
}

/** True when `conditions` (all of them must hold) restrict the rows of `source`. */
export function restricts(
  source: Source,
  scope: Scope,
  conditions: readonly Node[],
  effort: Effort,
  relying: Set<Source | Node> = new Set(),
): boolean {
  if (effort.spent) return false;
  const alone = scope.sources.length === 1;
  const isOwn = (fields: readonly Node[] | undefined): boolean => isOwnColumn(fields, source, scope);
  const plain = alone ? conditions.map((condition) => stripped(condition, isOwn) as Node) : conditions;
  const view: View = { source, scope, conditions: plain, relying, effort };
  relying.add(source);
  const found = plain.some((condition) => reach(simplify(condition), false, view) !== 'open');
  relying.delete(source);
  return found;
}

/** `orders.id`, unless a bare `id` would be a variable. */
function isOwnColumn(fields: readonly Node[] | undefined, source: Source, scope: Scope): boolean {
  if (fields?.length !== 2) return false;
  const [qualifier, column] = names(fields);
  return qualifier === source.alias && !scope.isVariable(column ?? '');
}

/**
 * `orders.id` as `id`, where orders is all there is: the two are the same column and have to look the same. Shares
 * whatever has nothing to strip: conditions may be long lists.
 */
function stripped(value: unknown, isOwn: (fields: readonly Node[] | undefined) => boolean): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => stripped(item, isOwn));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  // A subquery has names of its own, unless it has no FROM.
  if ('SelectStmt' in value && !isBare(value.SelectStmt as SelectStmt)) return value;
  const fields = as(value as Node, 'ColumnRef')?.fields;
  if (fields !== undefined && isOwn(fields)) return { ColumnRef: { fields: fields.slice(1) } };
  let copy: Record<string, unknown> | undefined;
  for (const key in value) {
    // a constant names nothing; integer-blind.ts wants to know who reads it
    if (key === 'A_Const') continue;
    const item = (value as Record<string, unknown>)[key];
    const plain = stripped(item, isOwn);
    if (plain !== item) copy = { ...(copy ?? value), [key]: plain };
  }
  return copy ?? value;
}

/** For an expression that was taken out of a subquery. */
function strippedAlone(node: Node, { source, scope }: View): Node {
  if (scope.sources.length !== 1) return node;
  return stripped(node, (fields) => isOwnColumn(fields, source, scope)) as Node;
}

function reach(node: Node, negated: boolean, view: View): Reach {
  if (!view.effort.spend()) return 'open';
  const bool = as(node, 'BoolExpr');
  if (bool !== undefined) return boolReach(bool, negated, view);

  const value = constant(node);
  if (value !== undefined) return value === null || isTrue(value) === negated ? 'none' : 'open';

  const nullTest = as(node, 'NullTest');
  if (nullTest !== undefined) {
    const isNull = (nullTest.nulltesttype === 'IS_NULL') !== negated;
    if (!isNull && nullTest.arg !== undefined && isSought(simplify(nullTest.arg))) return 'some';
    if (!isNull && isMostlyNull(nullTest.arg, view)) return 'some';
    return isNull && mentions(nullTest.arg, view) ? 'some' : 'open';
  }
  const booleanTest = as(node, 'BooleanTest');
  if (booleanTest !== undefined) return booleanTestReach(booleanTest, negated, view);

  const expression = as(node, 'A_Expr');
  if (expression !== undefined) return comparisonReach(expression, negated, view);

  const link = as(node, 'SubLink');
  if (link !== undefined) return subLinkReach(link, negated, view);

  if (as(node, 'CurrentOfExpr') !== undefined) return 'some';
  const cases = as(node, 'CaseExpr');
  if (cases !== undefined) {
    if (takesOpenArm(cases.arg, cases.args ?? [], negated, view)) return 'open';
    const results = [...(cases.args ?? []).map((arm) => as(arm, 'CaseWhen')?.result), cases.defresult];
    if (results.every((result) => result !== undefined && reach(result, negated, view) === 'open')) return 'open';
  }
  // `id::bool`
  if (isAlwaysTrue(node) || isIdentifier(node)) return 'open';
  return mentions(node, view) ? 'some' : 'open';
}

/** `CASE id WHEN id THEN true`, `CASE WHEN id > 0 THEN true ELSE id = 1 END`. */
function takesOpenArm(arg: Node | undefined, arms: readonly Node[], negated: boolean, view: View): boolean {
  return arms.some((node) => {
    const arm = as(node, 'CaseWhen');
    if (arm?.expr === undefined || arm.result === undefined) return false;
    const taken = arg === undefined ? reach(simplify(arm.expr), false, view) === 'open' : sameTree(arm.expr, arg);
    return taken && reach(simplify(arm.result), negated, view) === 'open';
  });
}

function isTrue(value: string | number | boolean): boolean {
  return typeof value === 'string' ? !/^\s*(f|fa|fal|fals|false|n|no|of|off|0)\s*$/i.test(value) : Boolean(value);
}

/** Of a column of our source that is a key in some table of that name: the name may mean any of them. */
function knownOf(column: Node, view: View): ColumnKnowledge | undefined {
  return columnsOf(column, view).find((one) => one.key);
}

function isMostlyNull(column: Node | undefined, view: View): boolean {
  const known = column === undefined ? [] : columnsOf(column, view);
  return known.length > 0 && known.every(({ nullFraction }) => nullFraction !== undefined && nullFraction >= 0.5);
}

function columnsOf(column: Node, { source, scope }: View): readonly ColumnKnowledge[] {
  const path = names(as(column, 'ColumnRef')?.fields);
  const name = path.at(-1);
  if (name === undefined || source.relation === undefined) return [];
  if (path.length > 1 && path.at(-2) !== source.alias) return [];
  return scope.columnsOf(source.relation, name);
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
  if (path.at(-2) === view.source.alias) return existsReach(link.subselect, false, view) === 'open';
  const call = callOf(output);
  const fetched = columnName(call !== undefined && oneOfMany.has(call.name) ? call.args[0] : output);
  if (select === undefined || fetched === '' || fetched !== columnName(compared)) return false;
  return isFoundByKey(select, fetched, view) && existsReach(link.subselect, false, view) === 'open';
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

function boolReach(bool: BoolExpr, negated: boolean, view: View): Reach {
  const args = (bool.args ?? []).map(simplify);
  if (bool.boolop === 'NOT_EXPR') {
    const [arg] = args;
    return arg === undefined ? 'open' : reach(arg, !negated, view);
  }
  const reaches = args.map((arg) => reach(arg, negated, view));
  // De Morgan: NOT (a AND b) is (NOT a) OR (NOT b).
  const all = (bool.boolop === 'AND_EXPR') !== negated;
  if (all) {
    if (reaches.includes('none')) return 'none';
    return reaches.includes('some') ? 'some' : 'open';
  }
  if (reaches.includes('open')) return 'open';
  if (reaches.every((one) => one === 'none')) return 'none';
  return anyComplementary(args) ? 'open' : 'some';
}

function booleanTestReach(test: { booltesttype?: string; arg?: Node }, negated: boolean, view: View): Reach {
  if (test.arg === undefined) return 'open';
  const arg = simplify(test.arg);
  switch (test.booltesttype) {
    case 'IS_TRUE':
    case 'IS_NOT_FALSE':
      return reach(arg, negated, view);
    case 'IS_FALSE':
    case 'IS_NOT_TRUE':
      return reach(arg, !negated, view);
    default: {
      const isUnknown = (test.booltesttype === 'IS_UNKNOWN') !== negated;
      return isUnknown && mentions(arg, view) ? 'some' : 'open';
    }
  }
}

function comparisonReach(expression: A_Expr, negated: boolean, view: View): Reach {
  const left = expression.lexpr === undefined ? undefined : simplify(expression.lexpr);
  const { rexpr } = expression;
  const right = rexpr === undefined ? undefined : simplify(rexpr);
  const bothSides = [left, right];

  const parts = betweenParts(expression);
  if (parts !== undefined) return boolReach(parts, negated !== isNotBetween(expression), view);
  const toArray = expression.kind === 'AEXPR_OP_ANY' || expression.kind === 'AEXPR_OP_ALL';
  // Nothing is in an empty set, and everything holds for all of it.
  if (toArray && isEmptyArray(right)) return (expression.kind === 'AEXPR_OP_ALL') !== negated ? 'open' : 'none';
  const subquery = arraySubquery(right);
  if (subquery !== undefined && left !== undefined) {
    const link: SubLink = { subLinkType: 'ANY_SUBLINK', testexpr: left, subselect: subquery };
    const exclude = expression.kind === 'AEXPR_OP_ALL';
    return subLinkReach(link, negated !== exclude, view);
  }
  if (bothSides.every((side) => side === undefined || !mentions(side, view))) {
    return constantComparison(expression, left, right, negated) === false ? 'none' : 'open';
  }
  const operator = operatorOf(expression);
  if (bothSides.some((side) => side !== undefined && isSameInEveryRow(side, operator))) return 'open';
  if (acceptsNearlyAll(expression, left, right, negated, (column) => knownOf(column, view))) return 'open';
  const own = isOwnRowFrom(left, right, view) || isOwnRowFrom(right, left, view);
  if (own && ['=', '<=', '>='].includes(operator ?? '')) return 'open';
  if (comparesWithOwnExtreme(expression, left, right, view)) return 'open';
  if (!tellsRowsApart(left, right, excludes(expression) !== negated, view)) return 'open';
  return joinReach(expression, left, right, view);
}

/** Lets all rows through but those that the other side names. */
function excludes(expression: A_Expr): boolean {
  return expression.kind === 'AEXPR_DISTINCT' || operatorOf(expression) === '<>';
}

function isNotBetween({ kind }: A_Expr): boolean {
  return kind === 'AEXPR_NOT_BETWEEN' || kind === 'AEXPR_NOT_BETWEEN_SYM';
}

/** `x BETWEEN a AND b` as `x >= a AND x <= b`. */
function betweenParts({ kind, lexpr, rexpr }: A_Expr): BoolExpr | undefined {
  if (kind === undefined || !/BETWEEN/.test(kind)) return undefined;
  const [low, high] = as(rexpr, 'List')?.items ?? [];
  const part = (operator: string, bound: Node | undefined): Node => ({
    A_Expr: {
      kind: 'AEXPR_OP',
      name: [{ String: { sval: operator } }],
      ...(lexpr === undefined ? {} : { lexpr }),
      ...(bound === undefined ? {} : { rexpr: bound }),
    },
  });
  return { boolop: 'AND_EXPR', args: [part('>=', low), part('<=', high)] };
}

function arraySubquery(node: Node | undefined): Node | undefined {
  const link = as(node, 'SubLink');
  return link?.subLinkType === 'ARRAY_SUBLINK' ? link.subselect : undefined;
}

/** `1 = 0`: all that is worth folding, since anything else without a column lets every row or none through. */
function constantComparison(
  expression: A_Expr,
  left: Node | undefined,
  right: Node | undefined,
  negated: boolean,
): boolean | undefined {
  const a = constant(left);
  const b = constant(right);
  if (a === undefined || b === undefined || expression.kind !== 'AEXPR_OP') return undefined;
  if (a === null || b === null) return false;
  if (typeof a !== typeof b) return undefined;
  switch (operatorOf(expression)) {
    case '=':
      return (a === b) !== negated;
    case '<>':
      return (a !== b) !== negated;
    default:
      return undefined;
  }
}

/** A comparison with another relation's column: a join. It restricts unless the other side is the same rows again. */
function joinReach(expression: A_Expr, left: Node | undefined, right: Node | undefined, view: View): Reach {
  const others = otherSources([left, right], view);
  // `a.id < b.id` on the same table is how duplicates are picked: that restricts. `=` and `<>` alone do not.
  const equality = expression.kind === 'AEXPR_OP' && ['=', '<>'].includes(operatorOf(expression) ?? '');
  if (others.length === 0 || !equality) return 'some';
  return others.some((other) => sourceRestricts(other, view)) ? 'some' : 'open';
}

function sourceRestricts(other: Source, view: View): boolean {
  if (view.relying.has(other) || other.series) return false;
  const { relation } = view.source;
  if (relation === undefined) return true;
  const sameRows =
    (other.relation !== undefined && mayBeSame(other.relation, relation)) ||
    (other.query !== undefined && covers(other.query, relation, view));
  return !sameRows || restricts(other, view.scope, view.conditions, view.effort, view.relying);
}

/** A WITH query that joins itself (RECURSIVE) does not cover anything because of that. */
function covers(query: Node, relation: Target, view: View): boolean {
  if (view.relying.has(query)) return false;
  view.relying.add(query);
  const found = coversRelation(query, relation, view.scope, {
    effort: view.effort,
    restricts: (source, scope, conditions) => restricts(source, scope, conditions, view.effort, view.relying),
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

/** `beyond`: further out than any row, `max(id) + 1`. */
function isExtreme(output: Node, beyond: boolean): boolean {
  const plain = callOf(output)?.name;
  if (plain !== undefined) return !beyond && (plain === 'min' || plain === 'max');
  const sum = as(output, 'A_Expr');
  const outwards = { max: ['+', '*'], count: ['+', '*'], min: ['-'] }[callOf(sum?.lexpr)?.name ?? ''];
  return sum !== undefined && outwards?.includes(operatorOf(sum) ?? '') === true;
}

function subLinkReach(link: SubLink, negated: boolean, view: View): Reach {
  const { subselect } = link;
  if (subselect === undefined) return 'open';
  const asExpression = link.subLinkType === 'ANY_SUBLINK' ? membership(link) : undefined;
  if (asExpression !== undefined) return reach(simplify(strippedAlone(asExpression, view)), negated, view);
  if (isEmptySelect(subselect)) {
    if (link.subLinkType === 'ALL_SUBLINK') return negated ? 'none' : 'open';
    if (link.subLinkType === 'ANY_SUBLINK' || link.subLinkType === 'EXISTS_SUBLINK') return negated ? 'open' : 'none';
  }
  switch (link.subLinkType) {
    case 'EXISTS_SUBLINK':
      return existsReach(subselect, negated, view);
    case 'ANY_SUBLINK': {
      if (!mentions(link.testexpr, view)) return 'open';
      if (negated || view.source.relation === undefined) return 'some';
      return covers(subselect, view.source.relation, view) ? 'open' : 'some';
    }
    default:
      return mentions(link.testexpr, view) || correlated(subselect, view) ? 'some' : 'open';
  }
}

/** An EXISTS that does not look at our row lets every row through, or none. */
function existsReach(subselect: Node, negated: boolean, view: View): Reach {
  const select = as(subselect, 'SelectStmt');
  if (select !== undefined && isBare(select)) {
    if (select.whereClause === undefined) return negated ? 'none' : 'open';
    return reach(simplify(strippedAlone(select.whereClause, view)), negated, view);
  }
  if (select === undefined || !correlated(subselect, view)) return 'open';
  if (!negated && looksAtOurRow(select, view)) return 'open';
  if (negated || view.source.relation === undefined) return 'some';
  const inner = joinConditions(select, view.scope);
  const [only, ...more] = inner.sources;
  if (only?.relation === undefined || more.length > 0 || !mayBeSame(only.relation, view.source.relation)) return 'some';
  return restricts(only, inner.scope, inner.conditions, view.effort, view.relying) ? 'some' : 'open';
}

/** Its conditions name our row, and every row of ours meets them: `EXISTS (SELECT FROM x WHERE orders.id IS NOT NULL)`. */
function looksAtOurRow(select: SelectStmt, view: View): boolean {
  const { conditions } = joinConditions(select, view.scope);
  return conditions.filter((one) => correlated(one, view)).every((one) => reach(simplify(one), false, view) === 'open');
}

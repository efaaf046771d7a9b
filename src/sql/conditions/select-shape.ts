/** The shape of a SELECT, for judging restrictions: which sources it joins, under which conditions. */
import type { FuncCall, JoinExpr, SelectStmt } from 'libpg-query';
import type { Target } from '../facts.js';
import { as, constant, type Node, names, sameTree } from '../grammar/tree.js';
import type { AnalysisBudget } from './analysis-budget.js';
import { ofCall } from './row-list.js';
import { mayBeSame, relationTarget, Scope, type Source } from './scope.js';

/** Adds the FROM items to `scope` and collects the conditions of inner joins. Outer joins restrict nothing. */
export function fromItems(items: readonly Node[], scope: Scope): Node[] {
  const conditions: Node[] = [];
  const add = (item: Node, optional: boolean): void => {
    const relation = as(item, 'RangeVar');
    if (relation !== undefined) {
      const query = scope.cte(relation)?.ctequery;
      const alias = relation.alias?.aliasname ?? relation.relname ?? '';
      scope.addSource(alias, query === undefined ? { relation: relationTarget(relation) } : { query });
      return;
    }
    const join = as(item, 'JoinExpr');
    if (join !== undefined) {
      const inner = join.jointype === 'JOIN_INNER' && !optional;
      const left = scope.sources.length;
      // what stands on the side that is kept whole is joined there as it is
      if (join.larg !== undefined) add(join.larg, !inner && (optional || join.jointype !== 'JOIN_LEFT'));
      const right = scope.sources.length;
      if (join.rarg !== undefined) add(join.rarg, !inner && (optional || join.jointype !== 'JOIN_RIGHT'));
      for (const source of optionalSide(join.jointype, scope.sources, left, right)) {
        if (join.quals !== undefined) source.joinedOn.push(join.quals);
        source.joinedOn.push(...usingConditions(join, scope.sources[left], scope.sources[right]));
      }
      if (inner && join.quals !== undefined) conditions.push(join.quals);
      if (inner) conditions.push(...usingConditions(join, scope.sources[left], scope.sources[right]));
      return;
    }
    const sample = as(item, 'RangeTableSample');
    if (sample?.relation !== undefined) {
      add(sample.relation, optional);
      return;
    }
    const subselect = as(item, 'RangeSubselect');
    if (subselect !== undefined) {
      const { subquery } = subselect;
      scope.addSource(subselect.alias?.aliasname ?? '', subquery === undefined ? {} : { query: subquery });
      return;
    }
    const ranged = as(item, 'RangeFunction');
    const alias = ranged?.alias ?? as(item, 'RangeTableFunc')?.alias ?? as(item, 'JsonTable')?.alias;
    const list = ofCall(onlyCall(ranged?.functions), (name) => scope.isVariable(name));
    scope.addSource(alias?.aliasname ?? '', { series: isSeries(ranged?.functions), ...(list && { list }) });
  };
  for (const item of items) add(item, false);
  return conditions;
}

/** Rows of it that find no partner never show up. */
function optionalSide(type: JoinExpr['jointype'], sources: readonly Source[], left: number, right: number): Source[] {
  if (type === 'JOIN_LEFT') return sources.slice(right);
  return type === 'JOIN_RIGHT' ? sources.slice(left, right) : [];
}

function isSeries(functions: readonly Node[] | undefined): boolean {
  return names(callIn(functions?.[0])?.funcname).at(-1) === 'generate_series';
}

/** ROWS FROM (...) of several is as long as the longest of them. */
function onlyCall(functions: readonly Node[] | undefined): FuncCall | undefined {
  return functions?.length === 1 ? callIn(functions[0]) : undefined;
}

function callIn(item: Node | undefined): FuncCall | undefined {
  return as(as(item, 'List')?.items?.[0], 'FuncCall');
}

/** `JOIN b USING (x)` says `a.x = b.x`; NATURAL does so for columns that only the catalog knows. */
function usingConditions(join: JoinExpr, left: Source | undefined, right: Source | undefined): Node[] {
  if (left === undefined || right === undefined) return [];
  const columns = join.isNatural === true ? ['*'] : names(join.usingClause);
  return columns.map((column) => ({
    A_Expr: {
      kind: 'AEXPR_OP',
      name: [{ String: { sval: '=' } }],
      lexpr: columnOf(left, column),
      rexpr: columnOf(right, column),
    },
  }));
}

function columnOf(source: Source, column: string): Node {
  return { ColumnRef: { fields: [{ String: { sval: source.alias } }, { String: { sval: column } }] } };
}

export interface Joined {
  readonly scope: Scope;
  readonly sources: readonly Source[];
  readonly conditions: readonly Node[];
}

export function joinConditions(select: SelectStmt, outer: Scope): Joined {
  const scope = new Scope(outer);
  for (const cte of select.withClause?.ctes ?? []) {
    const expression = as(cte, 'CommonTableExpr');
    if (expression !== undefined) scope.addCte(expression);
  }
  const conditions = fromItems(select.fromClause ?? [], scope);
  if (select.whereClause !== undefined) conditions.push(select.whereClause);
  return { scope, sources: scope.sources, conditions };
}

export function limitsRows(select: SelectStmt): boolean {
  const limit = constant(select.limitCount);
  return select.limitCount !== undefined && limit !== null && !(typeof limit === 'number' && limit >= 1e6);
}

const aggregates = ['min', 'max', 'count', 'sum', 'avg', 'any_value'];

/** How coversRelation asks about conditions, which in turn ask about relations. */
export interface Judge {
  readonly budget: AnalysisBudget;
  restricts(source: Source, scope: Scope, conditions: readonly Node[]): boolean;
}

/** True when a query gives back (nearly) every row of `relation`, or of any: `SELECT id FROM t`, also through WITH and UNION. */
export function coversRelation(
  query: Node,
  relation: Target | undefined,
  outer: Scope,
  judge: Judge,
  depth = 0,
): boolean {
  const select = as(query, 'SelectStmt');
  // A WITH query may name itself, or two others that name two others ...; real ones are not this deep.
  if (select === undefined || depth > 20 || !judge.budget.spend(10)) return false;
  const deeper = (node: Node, scope: Scope) => coversRelation(node, relation, scope, judge, depth + 1);
  if (select.op === 'SETOP_UNION') {
    const scope = joinConditions(select, outer).scope;
    return [select.larg, select.rarg].some((arm) => arm !== undefined && deeper({ SelectStmt: arm }, scope));
  }
  if (select.op === 'SETOP_EXCEPT' || select.op === 'SETOP_INTERSECT') {
    const scope = joinConditions(select, outer).scope;
    const arms = select.op === 'SETOP_EXCEPT' ? [select.larg] : [select.larg, select.rarg];
    return arms.every((arm) => arm !== undefined && deeper({ SelectStmt: arm }, scope));
  }
  if (limitsRows(select) || select.havingClause !== undefined) return false;
  const distinctOn = select.distinctClause?.some((node) => Object.keys(node).length > 0) ?? false;
  if (distinctOn || (outputs(select).some((name) => aggregates.includes(name)) && !groupsByItsOwn(select)))
    return false;
  if (outputs(select).includes('generate_series')) return true;

  const { scope, sources, conditions } = joinConditions(select, outer);
  const from = outputAlias(select);
  return sources.some((source) => {
    const covers =
      (source.relation !== undefined && (relation === undefined || mayBeSame(source.relation, relation))) ||
      (relation === undefined && source.series === true) ||
      (source.query !== undefined && deeper(source.query, scope));
    return (
      covers &&
      (from === undefined || from === source.alias) &&
      !judge.restricts(source, scope, [...conditions, ...source.joinedOn])
    );
  });
}

/** `SELECT max(id) FROM t GROUP BY id`. */
function groupsByItsOwn({ targetList, groupClause }: SelectStmt): boolean {
  const argument = as(as(targetList?.[0], 'ResTarget')?.val, 'FuncCall')?.args?.[0];
  return argument !== undefined && (groupClause ?? []).some((group) => sameTree(group, argument));
}

/** `u` of `SELECT u.id`. */
function outputAlias(select: SelectStmt): string | undefined {
  return names(as(as(select.targetList?.[0], 'ResTarget')?.val, 'ColumnRef')?.fields).at(-2);
}

/** The functions that are called at the top of the output columns. */
function outputs(select: SelectStmt): string[] {
  return (select.targetList ?? []).map((target) => {
    return names(as(as(target, 'ResTarget')?.val, 'FuncCall')?.funcname).at(-1) ?? '';
  });
}

/**
 * Columns of one source of a query, and what is the same for every row of it.
 * What it must not know: how many rows that makes.
 */
import { sideEffectFree } from '../catalog/pg-catalog-functions.js';
import { as, type Node, names } from '../grammar/tree.js';
import type { AnalysisBudget } from './analysis-budget.js';
import type { Scope, Source } from './scope.js';
import { operatorOf } from './trivial-comparison.js';

export interface View {
  readonly source: Source;
  readonly scope: Scope;
  readonly budget: AnalysisBudget;
}

export function conjuncts(condition: Node, budget: AnalysisBudget): readonly Node[] {
  if (!budget.spend()) return [];
  const bool = as(condition, 'BoolExpr');
  return bool?.boolop === 'AND_EXPR' ? (bool.args ?? []).flatMap((one) => conjuncts(one, budget)) : [condition];
}

export function keysOf({ source, scope }: View): readonly (readonly string[])[] {
  return source.relation === undefined ? [] : [['ctid'], ...scope.keysOf(source.relation)];
}

/** The name of a plain column of our source. Beside other sources an unqualified name may be theirs. */
export function ownColumn(node: Node | undefined, { source, scope }: View): string | undefined {
  const path = names(as(node, 'ColumnRef')?.fields);
  const name = path.at(-1);
  if (name === undefined || scope.isVariable(path[0] ?? '')) return undefined;
  if (path.length === 1) return scope.sources.length === 1 ? name : undefined;
  return path.length === 2 && path[0] === source.alias ? name : undefined;
}

/** Columns of our source that a condition holds to one value for each row of the sources with these aliases. */
export function equatedColumns(condition: Node, view: View, aliases: ReadonlySet<string>): string[] {
  const expression = as(condition, 'A_Expr');
  if (expression?.kind !== 'AEXPR_OP' || operatorOf(expression) !== '=' || (expression.name?.length ?? 0) > 1)
    return [];
  const { lexpr, rexpr } = expression;
  const one = (side: Node | undefined): boolean => {
    const path = names(as(side, 'ColumnRef')?.fields);
    return side !== undefined && ((path.length === 2 && aliases.has(path[0] ?? '')) || isFixed(side, view));
  };
  const held = (column: Node | undefined, by: Node | undefined): string[] => {
    const name = one(by) ? ownColumn(column, view) : undefined;
    return name === undefined ? [] : [name];
  };
  return [...held(lexpr, rexpr), ...held(rexpr, lexpr)];
}

export function uncast(node: Node | undefined): Node | undefined {
  const arg = as(node, 'TypeCast')?.arg;
  return arg === undefined ? node : uncast(arg);
}

const stable: ReadonlySet<string> = new Set(sideEffectFree.split(/\s+/));
const operators: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%', '||', '->', '->>', '#>', '#>>']);

/** Without subqueries; what the planner can compute before it looks at rows. */
export function isFixed(node: Node, view: View): boolean {
  if (!view.budget.spend()) return false;
  if (as(node, 'A_Const') !== undefined || as(node, 'ParamRef') !== undefined) return true;
  if (as(node, 'SQLValueFunction') !== undefined) return true;
  const cast = uncast(node);
  if (cast !== undefined && cast !== node) return isFixed(cast, view);
  const path = names(as(node, 'ColumnRef')?.fields);
  if (path.length > 0) return view.scope.isVariable(path[0] ?? '');
  const call = as(node, 'FuncCall');
  if (call !== undefined) {
    const name = names(call.funcname);
    const known = stable.has(name.at(-1) ?? '') && (name.length === 1 || name[0] === 'pg_catalog');
    return known && (call.args ?? []).every((arg) => isFixed(arg, view));
  }
  const expression = as(node, 'A_Expr');
  if (expression?.kind === 'AEXPR_OP' && operators.has(operatorOf(expression) ?? '')) {
    return [expression.lexpr, expression.rexpr].every((side) => side === undefined || isFixed(side, view));
  }
  const members = as(node, 'A_ArrayExpr')?.elements ?? as(node, 'CoalesceExpr')?.args;
  return members?.every((one) => isFixed(one, view)) ?? false;
}

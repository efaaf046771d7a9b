/** Subqueries that say no more than an expression does: `IN (SELECT y)`, `IN (VALUES (1), (2))`, and those without rows. */
import type { SelectStmt, SubLink } from 'libpg-query';
import { as, booleanConstant, constant, type Node, names } from '../grammar/tree.js';
import { callOf } from './nearly-always.js';
import { simplify } from './simplify.js';

/** A SELECT without FROM: its one row is made of what is around it. */
export function isBare({ fromClause, withClause, valuesLists, op }: SelectStmt): boolean {
  return !fromClause && !withClause && !valuesLists && (op === undefined || op === 'SETOP_NONE');
}

/** `x IN (SELECT y WHERE c)` as `c AND x = y`, `x IN (VALUES (1), (2))` as `x IN (1, 2)`; undefined for real subqueries. */
export function membership(link: SubLink): Node | undefined {
  const select = as(link.subselect, 'SelectStmt');
  const { testexpr } = link;
  if (select === undefined || testexpr === undefined || (link.operName && names(link.operName).at(-1) !== '=')) {
    return undefined;
  }
  if (select.valuesLists) {
    const items = select.valuesLists.flatMap((row) => as(row, 'List')?.items ?? []);
    if (items.length !== select.valuesLists.length) return undefined;
    return { A_Expr: { kind: 'AEXPR_IN', name: equals, lexpr: testexpr, rexpr: { List: { items } } } };
  }
  const [output, ...more] = select.targetList ?? [];
  const value = as(output, 'ResTarget')?.val;
  if (!isBare(select) || value === undefined || more.length > 0 || callOf(value)?.name === 'generate_series') {
    return undefined;
  }
  const same: Node = { A_Expr: { kind: 'AEXPR_OP', name: equals, lexpr: testexpr, rexpr: value } };
  if (select.whereClause === undefined) return same;
  return { BoolExpr: { boolop: 'AND_EXPR', args: [select.whereClause, same] } };
}

const equals: Node[] = [{ String: { sval: '=' } }];

/** No row ever: `WHERE false`, `LIMIT 0`. */
export function isEmptySelect(node: Node | undefined): boolean {
  const select = as(node, 'SelectStmt');
  if (select === undefined) return false;
  if (select.limitCount !== undefined && constant(select.limitCount) === 0) return true;
  return select.whereClause !== undefined && isNeverTrue(simplify(select.whereClause));
}

function isNeverTrue(condition: Node): boolean {
  const bool = as(condition, 'BoolExpr');
  if (bool?.boolop === 'AND_EXPR') return (bool.args ?? []).some((arg) => isNeverTrue(simplify(arg)));
  if (booleanConstant(condition) === false || constant(condition) === null) return true;
  const comparison = as(condition, 'A_Expr');
  const [a, b] = [constant(comparison?.lexpr), constant(comparison?.rexpr)];
  if (comparison?.kind !== 'AEXPR_OP' || a === undefined || b === undefined || a === null || b === null) return false;
  const operator = names(comparison.name).at(-1);
  if (operator === '=') return a !== b;
  return (operator === '<>' || operator === '!=') && a === b;
}

/** `ARRAY[]::int[]`, `'{}'`. */
export function isEmptyArray(node: Node | undefined): boolean {
  const array = as(node, 'A_ArrayExpr');
  if (array !== undefined) return (array.elements ?? []).length === 0;
  const text = as(node, 'A_Const')?.sval?.sval;
  return text !== undefined && /^\s*\{\s*\}\s*$/.test(text);
}

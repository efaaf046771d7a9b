/** What a comparison is by its form alone: which rows it keeps depends on its sides, and stands in restriction.ts. */
import type { A_Expr, BoolExpr } from 'libpg-query';
import { as, constant, type Node } from '../grammar/tree.js';
import { callOf } from './nearly-always.js';
import { operatorOf } from './trivial-comparison.js';

/** Lets all rows through but those that the other side names. */
export function excludes(expression: A_Expr): boolean {
  return expression.kind === 'AEXPR_DISTINCT' || operatorOf(expression) === '<>';
}

export function isNotBetween({ kind }: A_Expr): boolean {
  return kind === 'AEXPR_NOT_BETWEEN' || kind === 'AEXPR_NOT_BETWEEN_SYM';
}

/** `x BETWEEN a AND b` as `x >= a AND x <= b`. */
export function betweenParts({ kind, lexpr, rexpr }: A_Expr): BoolExpr | undefined {
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

export function arraySubquery(node: Node | undefined): Node | undefined {
  const link = as(node, 'SubLink');
  return link?.subLinkType === 'ARRAY_SUBLINK' ? link.subselect : undefined;
}

/** `1 = 0`: all that is worth folding, since anything else without a column lets every row or none through. */
export function constantComparison(
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

/** `beyond`: further out than any row, `max(id) + 1`. */
export function isExtreme(output: Node, beyond: boolean): boolean {
  const plain = callOf(output)?.name;
  if (plain !== undefined) return !beyond && (plain === 'min' || plain === 'max');
  const sum = as(output, 'A_Expr');
  const outwards = { max: ['+', '*'], count: ['+', '*'], min: ['-'] }[callOf(sum?.lexpr)?.name ?? ''];
  return sum !== undefined && outwards?.includes(operatorOf(sum) ?? '') === true;
}

/** Disjuncts that together say everything: `x = 1 OR x <> 1`, `a OR NOT a`. */
import { as, constant, type Node, treeKey } from '../grammar/tree.js';
import { operatorOf } from './trivial-comparison.js';

const opposites: Readonly<Record<string, readonly string[]>> = {
  '=': ['<>'],
  '<>': ['='],
  '<': ['>=', '>'],
  '>': ['<=', '<'],
  '<=': ['>', '>='],
  '>=': ['<', '<='],
};

/** `x = 1 OR x <> 1`, `a OR NOT a`, `x = true OR x = false`. One pass: such lists can be long. */
export function anyComplementary(args: readonly Node[]): boolean {
  if (anyOverlap(args)) return true;
  const seen = new Set<string>();
  return args.some((arg) => {
    const { itself, contrary } = claims(arg);
    const found = contrary.some((claim) => seen.has(claim));
    seen.add(itself);
    return found;
  });
}

/** What a disjunct says, and what would make the two of them say everything. */
function claims(arg: Node): { readonly itself: string; readonly contrary: readonly string[] } {
  const bool = as(arg, 'BoolExpr');
  const not = bool?.boolop === 'NOT_EXPR' ? bool.args?.[0] : undefined;
  if (not !== undefined) {
    const { itself } = claims(not);
    return { itself: `not ${itself}`, contrary: [itself] };
  }
  const comparison = as(arg, 'A_Expr');
  const operator = comparison?.kind === 'AEXPR_OP' ? operatorOf(comparison) : undefined;
  if (comparison === undefined || operator === undefined) {
    const itself = treeKey(arg);
    return { itself, contrary: [`not ${itself}`] };
  }
  const left = treeKey(comparison.lexpr);
  const right = treeKey(comparison.rexpr);
  const itself = `${left} ${operator} ${right}`;
  const contrary = [`not ${itself}`, ...(opposites[operator] ?? []).map((opposite) => `${left} ${opposite} ${right}`)];
  const value = constant(comparison.rexpr);
  if (typeof value === 'boolean') {
    const other: Node = { A_Const: { boolval: value ? {} : { boolval: true } } };
    contrary.push(`${left} ${operator} ${treeKey(other)}`);
  }
  return { itself, contrary };
}

/** `x >= 5 OR x < 10`: two ranges that meet. */
function anyOverlap(args: readonly Node[]): boolean {
  const above = new Map<string, number>();
  const below = new Map<string, number>();
  for (const arg of args) {
    const comparison = as(arg, 'A_Expr');
    const operator = comparison?.kind === 'AEXPR_OP' ? operatorOf(comparison) : undefined;
    if (comparison === undefined || operator === undefined || !/^[<>]=?$/.test(operator)) continue;
    const bound = constant(comparison.rexpr);
    if (typeof bound !== 'number') continue;
    const key = treeKey(comparison.lexpr);
    if (operator.startsWith('>')) above.set(key, Math.min(bound, above.get(key) ?? bound));
    else below.set(key, Math.max(bound, below.get(key) ?? bound));
  }
  return [...above].some(([key, from]) => from <= (below.get(key) ?? Number.NEGATIVE_INFINITY));
}

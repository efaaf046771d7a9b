/** Patterns of LIKE, SIMILAR TO and regular expressions that nearly every value matches. */

import { as, type Node, names, stringConstant } from '../grammar/tree.js';
import { callOf } from './nearly-always.js';
import { simplify } from './simplify.js';

const likes: ReadonlySet<string> = new Set(['~~', '~~*']);
const regexes: ReadonlySet<string> = new Set(['~', '~*']);

/** @param key the value matched is a key, written as text */
export function patternAcceptsAll(operator: string, value: Node, key: boolean): boolean {
  if (operator === '^@') return stringConstant(value) === '';
  if (likes.has(operator) && isFilledIn(value)) return true;
  // SIMILAR TO is `~ similar_to_escape(pattern)`
  const similar = stringConstant(as(value, 'FuncCall')?.args?.[0]);
  const pattern = stringConstant(value) ?? similar;
  if (pattern === undefined) return false;
  if (likes.has(operator)) return acceptsAllLike(pattern);
  if (operator === '!~~' || operator === '!~~*') return pattern === '';
  if (!regexes.has(operator)) return false;
  return similar === undefined ? acceptsAllRegex(pattern, operator === '~*', key) : acceptsAllLike(pattern);
}

function acceptsAllLike(pattern: string): boolean {
  return /^_?%+$/.test(pattern);
}

/** `'%' || $1 || '%'`, `concat('%', $1, '%')`: whoever binds an empty text gets every row. */
function isFilledIn(value: Node): boolean {
  const parts = partsOf(value);
  if (parts.length < 2) return false;
  const fixed = parts.map((part) => (isBound(part) ? '' : stringConstant(part)));
  return fixed.every((text) => text !== undefined) && acceptsAllLike(fixed.join(''));
}

function partsOf(value: Node): Node[] {
  const node = simplify(value);
  const sum = as(node, 'A_Expr');
  if (sum?.kind === 'AEXPR_OP' && names(sum.name).at(-1) === '||' && sum.lexpr && sum.rexpr) {
    return [...partsOf(sum.lexpr), ...partsOf(sum.rexpr)];
  }
  const call = callOf(node);
  return call?.name === 'concat' ? call.args.flatMap(partsOf) : [node];
}

/** Also `coalesce($1, '')` and `lower($1)`. */
function isBound(part: Node): boolean {
  if (as(part, 'ParamRef') !== undefined) return true;
  const args = as(part, 'CoalesceExpr')?.args ?? callOf(part)?.args ?? [];
  return args.some((one) => as(simplify(one), 'ParamRef') !== undefined);
}

/** Short, since a hostile pattern takes time exponential in the text that it is tried on. */
const anyValues: readonly string[] = ['a', 'Z', '7', '-'];
const keyValues: readonly string[] = ['7', '42', '190'];
const longestTried = 100;

/** Found by trying: JavaScript reads the regular expressions that people write as PostgreSQL does. */
function acceptsAllRegex(pattern: string, anyCase: boolean, key: boolean): boolean {
  if (pattern.length > longestTried) return false;
  try {
    const regex = new RegExp(pattern, anyCase ? 'i' : '');
    return (key ? keyValues : anyValues).every((value) => regex.test(value));
  } catch {
    return false;
  }
}

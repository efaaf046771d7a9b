/** Calls and values that hold for (nearly) every row whatever is in it: `isfinite(t)`, `num_nulls(id) = 0`, endless ranges. */

import { as, constant, type Node, names, stringConstant } from '../grammar/tree.js';
import { simplify } from './simplify.js';

/** The function called, and its arguments. */
export function callOf(node: Node | undefined): { readonly name: string; readonly args: readonly Node[] } | undefined {
  const call = as(node, 'FuncCall');
  return call === undefined ? undefined : { name: names(call.funcname).at(-1) ?? '', args: call.args ?? [] };
}

/** A condition that is a call. */
export function isAlwaysTrue(condition: Node): boolean {
  const call = callOf(condition);
  if (call === undefined) return false;
  if (call.name === 'starts_with') return stringConstant(call.args[1]) === '';
  return call.name === 'isfinite' || call.name === 'pg_input_is_valid';
}

/** A value that is the same in (nearly) every row, for a comparison by `operator`. */
export function isSameInEveryRow(value: Node, operator: string | undefined): boolean {
  const call = callOf(value);
  if (call === undefined) return false;
  switch (call.name) {
    case 'pg_typeof':
    case 'isfinite':
      return true;
    case 'num_nulls':
    case 'num_nonnulls':
      return call.args.length === 1;
    case 'position':
    case 'strpos':
      return call.args.some((arg) => stringConstant(arg) === '');
    case 'left':
    case 'right':
      return constant(call.args[1]) === 0;
    case 'to_json':
    case 'to_jsonb':
    case 'row_to_json':
      return operator === '?';
    default:
      return false;
  }
}

const ranges: ReadonlySet<string> = new Set(
  'int4range int8range numrange daterange tsrange tstzrange int4multirange int8multirange'.split(' '),
);

/** `int4range(NULL, NULL)`, `int4range(0, NULL)`, `daterange('-infinity', 'infinity')`. */
export function isEndlessRange(node: Node | undefined): boolean {
  const call = callOf(node);
  if (call === undefined || !ranges.has(call.name)) return false;
  const [low, high] = call.args.slice(0, 2).map((arg) => constant(simplify(arg)));
  const fromStart = low === null || low === '-infinity' || (typeof low === 'number' && low <= 1);
  return fromStart && (high === null || high === 'infinity' || (typeof high === 'number' && high >= 1e9));
}

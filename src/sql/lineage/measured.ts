/**
 * What says something of a column's values without being one: a sum, a length, the result of a comparison.
 *
 * What lives here: how such a part of a flow is written, and which of PostgreSQL's own functions and operators give one.
 * What it must not know: which columns are masked, and whether their masks let it pass.
 * Sources: "Aggregate Functions", "Comparison Functions and Operators", "String Functions" in the PostgreSQL manual.
 */
import type { A_Expr, FuncCall } from 'libpg-query';
import { names } from '../grammar/tree.js';
import type { BaseColumn, Flow } from './catalog.js';

const mark = '#';

/** The same columns, of which only something was said. What is not known stays that. */
export function measured(flow: Flow): Flow {
  return new Set([...flow].map((column) => (column.startsWith('?') || isMeasured(column) ? column : column + mark)));
}

export function isMeasured(column: BaseColumn): boolean {
  return column.endsWith(mark);
}

/** The column that something was said of; one whose values flow is itself. */
export function measuredColumn(column: BaseColumn): BaseColumn {
  return isMeasured(column) ? column.slice(0, -mark.length) : column;
}

/** Statistics of the values of a group. */
export const statistics: ReadonlySet<string> = new Set([
  'sum',
  'avg',
  'stddev',
  'stddev_pop',
  'stddev_samp',
  'variance',
  'var_pop',
  'var_samp',
]);

/** Of a group or of one value; what they give back is no part of a value. */
const measures: ReadonlySet<string> = new Set([
  ...statistics,
  'corr',
  'covar_pop',
  'covar_samp',
  'bool_and',
  'bool_or',
  'every',
  'length',
  'char_length',
  'character_length',
  'octet_length',
  'bit_length',
  'array_length',
  'cardinality',
  'starts_with',
  'regexp_like',
]);

export function isMeasure(name: string): boolean {
  return measures.has(name) || name.startsWith('regr_');
}

/** They give back one of the values that they are given first, as it is. */
const choosing: ReadonlySet<string> = new Set([
  'min',
  'max',
  'any_value',
  'first_value',
  'last_value',
  'nth_value',
  'lag',
  'lead',
]);

/** `lag(a, 1, b)` may give back something else. */
export function choosesOne({ funcname, args = [] }: FuncCall): boolean {
  return choosing.has(names(funcname).at(-1) ?? '') && args.length <= 2;
}

const comparing = /^(=|<>|!=|<|>|<=|>=|~|~\*|!~|!~\*|~~|~~\*|!~~|!~~\*|\^@|@>|<@|&&|\?|\?\||\?&)$/;

const comparisons: ReadonlySet<A_Expr['kind']> = new Set([
  'AEXPR_OP',
  'AEXPR_OP_ANY',
  'AEXPR_OP_ALL',
  'AEXPR_DISTINCT',
  'AEXPR_NOT_DISTINCT',
  'AEXPR_IN',
  'AEXPR_LIKE',
  'AEXPR_ILIKE',
  'AEXPR_SIMILAR',
  'AEXPR_BETWEEN',
  'AEXPR_NOT_BETWEEN',
  'AEXPR_BETWEEN_SYM',
  'AEXPR_NOT_BETWEEN_SYM',
]);

/** The result is a boolean, as far as the operator is PostgreSQL's own. Of one operand `~` is another operator. */
export function compares({ kind, name, lexpr }: A_Expr): boolean {
  if (kind === undefined || !comparisons.has(kind) || lexpr === undefined) return false;
  return kind.includes('BETWEEN') || comparing.test(names(name).at(-1) ?? '');
}

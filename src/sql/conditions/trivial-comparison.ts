/** Comparisons that nearly every row satisfies: `id = id`, `id > 0`, `name LIKE '%'`, `created_at < now()`. */
import type { A_Expr } from 'libpg-query';
import type { ColumnKnowledge } from '../catalog/catalog-relations.js';
import {
  as,
  booleanConstant,
  constant,
  isConstant,
  type Node,
  names,
  sameTree,
  stringConstant,
} from '../grammar/tree.js';
import { callOf, isEndlessRange } from './nearly-always.js';
import { patternAcceptsAll } from './pattern.js';
import { simplify } from './simplify.js';
import { isEmptyArray } from './subqueries.js';

const negations: Readonly<Record<string, string>> = {
  '=': '<>',
  '<>': '=',
  '<': '>=',
  '>': '<=',
  '<=': '>',
  '>=': '<',
  '~~': '!~~',
  '!~~': '~~',
  '~~*': '!~~*',
  '!~~*': '~~*',
  '~': '!~',
  '!~': '~',
  '~*': '!~*',
  '!~*': '~*',
};

const mirrored: Readonly<Record<string, string>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '>': '<',
  '<=': '>=',
  '>=': '<=',
  '@>': '<@',
  '<@': '@>',
  '&&': '&&',
};

/** `=`, `<>` (also for `!=`), `~~` for LIKE ...; undefined for an operator with a schema. */
export function operatorOf(expression: A_Expr): string | undefined {
  const path = names(expression.name);
  const name = path.length === 1 || path[0] === 'pg_catalog' ? path.at(-1) : undefined;
  return name === '!=' ? '<>' : name;
}

const inequalities: ReadonlySet<string> = new Set(['<>', '<', '>', '<=', '>=']);

/** What the catalog knows of a column, where there is a catalog. */
export type About = (column: Node) => ColumnKnowledge | undefined;

/** Both sides simplified; at least one of them depends on the row. */
export function acceptsNearlyAll(
  expression: A_Expr,
  left: Node | undefined,
  right: Node | undefined,
  negated: boolean,
  about: About,
): boolean {
  const plain = operatorOf(expression);
  const operator = negated ? negations[plain ?? ''] : plain;
  switch (expression.kind) {
    case 'AEXPR_OP':
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
    case 'AEXPR_SIMILAR':
      return (
        operator !== undefined &&
        (trivial(left, operator, right, about) || trivial(right, mirrored[operator] ?? '', left, about))
      );
    case 'AEXPR_NOT_DISTINCT':
      return !negated ? sameTree(left, right) : trivialDifference(left, right, about);
    case 'AEXPR_DISTINCT':
      return !negated ? trivialDifference(left, right, about) : sameTree(left, right);
    case 'AEXPR_IN':
      return listAcceptsAll(left, itemsOf(right), operator === '<>', about);
    case 'AEXPR_OP_ANY':
      return listAcceptsAll(left, itemsOf(right), negated, about);
    case 'AEXPR_OP_ALL':
      return !negated && plain === '<>' && listAcceptsAll(left, itemsOf(right), true, about);
    default:
      return false;
  }
}

function itemsOf(node: Node | undefined): Node[] {
  const items = as(node, 'List')?.items ?? as(node, 'A_ArrayExpr')?.elements ?? [];
  return items.map(simplify);
}

/** `x IN (x, ...)`, `active IN (true, false)`; excluded: `id NOT IN (0)`. */
function listAcceptsAll(left: Node | undefined, items: readonly Node[], exclude: boolean, about: About): boolean {
  if (items.length === 0) return false;
  if (exclude) return items.every((item) => trivialDifference(left, item, about));
  const values = items.map(booleanConstant);
  return items.some((item) => sameTree(left, item)) || (values.includes(true) && values.includes(false));
}

function trivialDifference(left: Node | undefined, right: Node | undefined, about: About): boolean {
  return trivial(left, '<>', right, about) || (constant(right) === null && constant(left) === undefined);
}

/** `row operator value`, where `row` depends on the row. */
function trivial(row: Node | undefined, operator: string, value: Node | undefined, about: About): boolean {
  if (row === undefined || value === undefined || isConstant(row)) return false;
  if (sameTree(row, value)) return reflexive.has(operator);
  if (alternatives(value).some((one) => trivial(row, operator, one, about))) return true;
  // A parameter is one value, whatever it is.
  if (operator === '<>' && as(value, 'ParamRef') !== undefined) return isIdentifier(row) || about(row)?.key === true;
  if (isShifted(row, operator, value) || sharesFirst(row, operator, value)) return true;
  if (operator === '@>' && isEmptyArray(value)) return true;
  if (operator === '<>' && as(row, 'A_ArrayExpr') !== undefined && isEmptyArray(value)) return true;
  if (operator === '<@' && isEndlessRange(value)) return true;
  const age = isBirthday(row) ? ageOf(value) : undefined;
  if (age === 'future') return operator === '<' || operator === '<=';
  if (age === 'long ago') return operator === '>' || operator === '>=';
  const bound = inequalities.has(operator) ? constant(value) : undefined;
  if (bound === undefined || bound === null) {
    return patternAcceptsAll(operator, value, isIdentifier(row) || about(row)?.key === true);
  }
  if (bound === 0 && (operator === '>' || operator === '<>') && isOftenZero(row)) return false;
  if (isYearOfBirthday(row)) return (operator === '>' || operator === '>=') && Number(bound) < 2005;
  const known = about(row);
  const identifier = known?.key === true || isIdentifier(row);
  switch (operator) {
    case '<>':
      return isNothing(bound) || identifier;
    case '>':
      return isLowest(bound) || (identifier && Number(bound) < (known?.lowest ?? 2));
    case '>=':
      return isLowest(bound) || (identifier && Number(bound) <= (known?.lowest ?? 2));
    case '<':
      return isHighest(bound) || isLongest(row, bound) || Number(bound) > (known?.highest ?? Number.POSITIVE_INFINITY);
    case '<=':
      return (
        bound === true ||
        isHighest(bound) ||
        isLongest(row, bound) ||
        Number(bound) >= (known?.highest ?? Number.POSITIVE_INFINITY)
      );
    default:
      return false;
  }
}

const reflexive: ReadonlySet<string> = new Set(['=', '<=', '>=', '~~', '~~*', '&&', '@>', '<@']);

/** Values that an expression may have: `coalesce($1, id)`, `CASE WHEN $1 THEN id END`. */
function alternatives(value: Node): Node[] {
  const cases = as(value, 'CaseExpr');
  const results = (cases?.args ?? []).flatMap((arm) => as(arm, 'CaseWhen')?.result ?? []);
  const all = [...(as(value, 'CoalesceExpr')?.args ?? []), ...results, ...(cases?.defresult ? [cases.defresult] : [])];
  return all.map(simplify);
}

/** `(id, 1) > (id, 0)`: the first members say nothing, so the others decide for every row alike. */
function sharesFirst(row: Node, operator: string, value: Node): boolean {
  const [a, b] = [as(row, 'RowExpr')?.args?.[0], as(value, 'RowExpr')?.args?.[0]];
  return a !== undefined && ['<', '>', '<=', '>='].includes(operator) && sameTree(a, b);
}

/** `strpos(name, 'x') > 0`, `flags & 4 <> 0`. */
function isOftenZero(row: Node): boolean {
  const mask = as(row, 'A_Expr');
  if (mask !== undefined) return operatorOf(mask) === '&';
  return ['position', 'strpos'].includes(callOf(row)?.name ?? '');
}

/** `extract(year FROM created_at)`. */
function isYearOfBirthday(row: Node): boolean {
  const call = callOf(row);
  if (call?.name !== 'extract' && call?.name !== 'date_part') return false;
  const [field, time] = call.args;
  return stringConstant(field) === 'year' && time !== undefined && isBirthday(simplify(time));
}

function isNothing(value: string | number | boolean): boolean {
  return (
    value === false ||
    value === '' ||
    (typeof value === 'number' && value <= 0) ||
    /^(\s*|-\d+|0( \w+)?)$/.test(String(value))
  );
}

function isLowest(value: string | number | boolean): boolean {
  if (isNothing(value)) return true;
  return (
    typeof value === 'string' && /^\s*(-infinity|epoch|\(0,\d+\)|(0\d{3}|1[0-8]\d\d|19[0-6]\d|1970)-)/i.test(value)
  );
}

function isHighest(value: string | number | boolean): boolean {
  if (typeof value === 'number') return value >= 1e9;
  if (typeof value !== 'string') return false;
  return /^\s*(infinity|[2-9][1-9]\d\d-|[3-9]\d{3}-|zzz|~)/i.test(value) || Number(value) >= 1e9;
}

/** Texts are rarely longer than ten thousand characters. */
function isLongest(row: Node, bound: string | number | boolean): boolean {
  return /length$/.test(callOf(row)?.name ?? '') && Number(bound) >= 10_000;
}

const nows = ['now', 'clock_timestamp', 'statement_timestamp', 'transaction_timestamp'];

function isNow(node: Node | undefined): boolean {
  if (as(node, 'SQLValueFunction') !== undefined) return true;
  if (stringConstant(node) === 'now') return true;
  return nows.includes(names(as(node, 'FuncCall')?.funcname).at(-1) ?? '');
}

/** `now()` and later; `now() - interval '50 years'`, `'2001-01-01'`: before most databases had any rows. */
function ageOf(value: Node): 'future' | 'long ago' | undefined {
  if (isNow(value)) return 'future';
  const year = Number(/^\s*(\d{4})-/.exec(stringConstant(value) ?? '')?.[1] ?? Number.NaN);
  if (year >= 2040) return 'future';
  if (year < 2005) return 'long ago';
  const sum = as(value, 'A_Expr');
  if (sum?.kind !== 'AEXPR_OP' || !isNow(sum.lexpr)) return undefined;
  if (operatorOf(sum) === '+') return 'future';
  const span = stringConstant(sum.rexpr === undefined ? undefined : simplify(sum.rexpr)) ?? '';
  const years = Number(/^\s*(\d+)\s*y/.exec(span)?.[1] ?? 0);
  return years >= 20 ? 'long ago' : undefined;
}

/** Everything was created before now; not everything has expired. */
function isBirthday(row: Node): boolean {
  return /^(created|inserted|updated|modified|added|registered|signed_?up)(_?(at|on|date|time|timestamp))?$/i.test(
    columnName(row),
  );
}

/** A primary key by its name: no catalog is asked. */
export function isIdentifier(row: Node): boolean {
  return /^(id|uuid|pk|oid|ctid)$/i.test(columnName(row));
}

export function columnName(row: Node | undefined): string {
  return names(as(row, 'ColumnRef')?.fields).at(-1) ?? '';
}

/** `id + 1 > id`. */
function isShifted(row: Node, operator: string, value: Node): boolean {
  const sum = as(row, 'A_Expr');
  if (sum === undefined || sum.kind !== 'AEXPR_OP' || !sameTree(sum.lexpr, value)) return false;
  if (typeof constant(sum.rexpr) !== 'number') return false;
  const arithmetic = operatorOf(sum);
  if (arithmetic === '+') return operator === '>' || operator === '>=' || operator === '<>';
  return arithmetic === '-' && (operator === '<' || operator === '<=' || operator === '<>');
}

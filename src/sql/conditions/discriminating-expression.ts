/**
 * What tells the rows of a relation apart: a column, and what is computed from one without losing what it says. A comparison
 * of such a measure restricts. Of anything else (`sign(id)`, `length(md5(x))`, `-id`) the text does not say how many rows
 * meet the comparison, be it all of them: then it does not count as a restriction.
 */
import type { A_Expr, FuncCall } from 'libpg-query';
import { sideEffectFree } from '../catalog/pg-catalog-functions.js';
import { as, constant, eachChild, type Node, names, sameTree, treeKey } from '../grammar/tree.js';
import { mentions, type Viewpoint } from './column-mentions.js';
import { simplify } from './simplify.js';
import { isIdentifier, operatorOf } from './trivial-comparison.js';

/** PostgreSQL's own functions whose result says something about the row; those of others are taken to. */
const telling: ReadonlySet<string> = new Set(
  `lower upper initcap btrim ltrim rtrim trim length char_length character_length octet_length bit_length substr substring
  left right lpad rpad split_part replace regexp_replace regexp_substr regexp_match regexp_matches regexp_count regexp_like
  translate reverse normalize md5 sha256 hashtext hashint4 hashint8 encode decode convert_from to_char to_date to_number
  to_timestamp date time timezone date_trunc date_part date_bin extract age make_date concat concat_ws format abs round floor
  ceil ceiling trunc mod div sqrt ln log power jsonb_typeof json_typeof overlay ascii pg_column_size jsonb_extract_path jsonb_extract_path_text json_extract_path
  json_extract_path_text jsonb_array_length json_array_length jsonb_path_query_first jsonb_path_query_array array_length
  array_ndims array_lower array_upper array_position array_positions array_to_string array_remove array_append array_cat
  string_to_array cardinality unnest host family masklen network netmask broadcast to_tsvector setweight ts_rank ts_rank_cd
  numnode position strpos num_nulls num_nonnulls get_bit get_byte bit_count scale min_scale isempty
  point box circle polygon area center diameter radius`.split(/\s+/),
);
const builtIn: ReadonlySet<string> = new Set(sideEffectFree.split(/\s+/));

/** Their texts are all of one length. */
const digests: ReadonlySet<string> = new Set(['md5', 'sha224', 'sha256', 'sha384', 'sha512', 'encode']);
const lengths: ReadonlySet<string> = new Set([
  'length',
  'char_length',
  'character_length',
  'octet_length',
  'bit_length',
]);

const arithmetic: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%', '&', '||', '^', '|', '#']);
/** Those that also sort the rows of a key into a few classes: `id % 16 = 3`. */
const classifying: ReadonlySet<string> = new Set(['%', '&']);
const meaningless: ReadonlySet<string> = new Set(['^', '|', '#']);

/** Does the comparison of two sides, simplified, of which at least one depends on our row, say something about that row? */
export function discriminates(
  left: Node | undefined,
  right: Node | undefined,
  excludes: boolean,
  view: Viewpoint,
): boolean {
  const ours = [left, right].filter((side): side is Node => side !== undefined && mentions(side, view));
  const [first, second] = ours;
  if (first !== undefined && second !== undefined && sameColumns(first, second, view)) {
    // `email <> lower(email)`: what is not in its normal form. `id <> -id` is arithmetic.
    return excludes && ours.every((side) => as(side, 'A_Expr') === undefined);
  }
  // `coalesce(x, '') <> 'nope'` lets even those rows through that have no x.
  if (excludes) return ours.some((side) => as(side, 'CoalesceExpr') === undefined && isMeasure(side, view));
  return ours.some((side) => isMeasure(side, view));
}

function sameColumns(a: Node, b: Node, view: Viewpoint): boolean {
  const [ours, theirs] = [columnsIn(a, view), columnsIn(b, view)];
  return ours.size === theirs.size && [...ours].every((name) => theirs.has(name));
}

function columnsIn(node: Node, view: Viewpoint): ReadonlySet<string> {
  const found = new Set<string>();
  const look = (one: Node): void => {
    if (!view.budget.spend()) return;
    const fields = as(one, 'ColumnRef')?.fields;
    if (fields !== undefined) found.add(treeKey(fields));
    else if (as(one, 'SubLink') !== undefined || as(one, 'ParamRef') !== undefined) found.add(treeKey(one));
    else eachChild(Object.values(one)[0], look);
  };
  look(node);
  return found;
}

function isMeasure(raw: Node, view: Viewpoint): boolean {
  if (!view.budget.spend()) return false;
  const node = simplify(raw);
  const call = as(node, 'FuncCall');
  if (call !== undefined) return isTellingCall(call, view);
  const expression = as(node, 'A_Expr');
  // `-id`, `~id`
  if (expression !== undefined && expression.lexpr === undefined) return false;
  if (expression !== undefined && arithmetic.has(operatorOf(expression) ?? '')) return isTellingSum(expression, view);
  const within = as(node, 'A_Indirection')?.arg;
  if (within !== undefined) return isMeasure(within, view);
  const members = as(node, 'RowExpr')?.args ?? as(node, 'A_ArrayExpr')?.elements ?? as(node, 'CoalesceExpr')?.args;
  if (members !== undefined) return members.some((one) => isMeasure(one, view));
  const compared = as(node, 'MinMaxExpr')?.args;
  if (compared !== undefined) return compared.every((one) => isMeasure(one, view));
  const cases = as(node, 'CaseExpr');
  if (cases !== undefined) {
    const [first, ...others] = [...(cases.args ?? []).map((arm) => as(arm, 'CaseWhen')?.result), cases.defresult];
    return others.some((one) => !sameTree(one, first)) && mentions(node, view);
  }
  return mentions(node, view);
}

function isTellingCall({ funcname, args = [] }: FuncCall, view: Viewpoint): boolean {
  const name = names(funcname).at(-1) ?? '';
  if (builtIn.has(name) && !telling.has(name)) return false;
  const inner = as(args[0], 'FuncCall');
  if (lengths.has(name) && digests.has(names(inner?.funcname).at(-1) ?? '')) return false;
  // `substr(x, 1, 0)`, `mod(id, 1)`
  if (/^substr/.test(name) && constant(args[2]) === 0) return false;
  if ((name === 'mod' || name === 'div') && constant(args[1]) === 1) return false;
  return hasOneMeasure(args, view);
}

function isTellingSum(expression: A_Expr, view: Viewpoint): boolean {
  const operator = operatorOf(expression) ?? '';
  const { lexpr, rexpr } = expression;
  if (lexpr === undefined || rexpr === undefined || meaningless.has(operator)) return false;
  if (operator === '&' && constant(rexpr) === 0) return false;
  if (!classifying.has(operator) && [lexpr, rexpr].some(isIdentifier)) return false;
  return hasOneMeasure([lexpr, rexpr], view);
}

/** `replace(x, x, '')`, `id / id` may be the same for every row. */
function hasOneMeasure(args: readonly Node[], view: Viewpoint): boolean {
  const measures = args.map(simplify).filter((arg) => isMeasure(arg, view));
  return measures.length > 0 && new Set(measures.map(treeKey)).size === measures.length;
}

const fetchedFromJson: ReadonlySet<string> = new Set(['->', '->>', '#>', '#>>']);
const searching: ReadonlySet<string> = new Set(
  `array_position regexp_match regexp_substr jsonb_extract_path jsonb_extract_path_text json_extract_path
  json_extract_path_text jsonb_path_query_first`.split(/\s+/),
);

/** What is looked for in a column, and not found in every row that has one: `data->>'key' IS NOT NULL`. */
export function isSought(node: Node): boolean {
  const expression = as(node, 'A_Expr');
  if (expression !== undefined && fetchedFromJson.has(operatorOf(expression) ?? '')) {
    const { lexpr } = expression;
    return lexpr !== undefined && (as(lexpr, 'ColumnRef') !== undefined || isSought(lexpr));
  }
  const call = as(node, 'FuncCall');
  return searching.has(names(call?.funcname).at(-1) ?? '') && as(call?.args?.[0], 'ColumnRef') !== undefined;
}

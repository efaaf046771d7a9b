/**
 * Rows that somebody names one by one: the elements of an array or of a JSON text. What lives here: how many there can
 * be, from the expression alone. What it must not know: which rows they are, and what is done to them.
 */
import type { FuncCall } from 'libpg-query';
import type { RowList } from '../facts.js';
import { as, constant, type Node, names } from '../grammar/tree.js';

/** No element without a comma in front of it, but the first: so it is in arrays and in JSON. */
export function mostElements(text: string): number {
  return text.split(',').length;
}

/** Undefined where data decides how many elements the array or the JSON text has. */
export function rowList(node: Node | undefined, isVariable: (name: string) => boolean): RowList | undefined {
  if (node === undefined) return undefined;
  const cast = as(node, 'TypeCast');
  if (cast !== undefined) return rowList(cast.arg, isVariable);
  const parameter = as(node, 'ParamRef')?.number;
  if (parameter !== undefined) return { ...none, parameters: [parameter] };
  const path = names(as(node, 'ColumnRef')?.fields);
  const [name] = path;
  if (name !== undefined) return path.length === 1 && isVariable(name) ? { ...none, variables: [name] } : undefined;
  const value = constant(node);
  if (value === null) return none;
  if (typeof value === 'number') return { ...none, written: 1 };
  if (typeof value === 'string') return { ...none, written: mostElements(value) };
  const elements = as(node, 'A_ArrayExpr')?.elements;
  if (elements !== undefined) {
    return sum(elements.map((one) => (isRow(one) ? { ...none, written: 1 } : rowList(one, isVariable))));
  }
  const query = as(node, 'SubLink');
  if (query?.subLinkType === 'ARRAY_SUBLINK') return ofQuery(query.subselect, isVariable);
  return ofCall(as(node, 'FuncCall'), isVariable);
}

/** A list that is written out has a number. */
export function mostOf(listed: RowList | undefined): { readonly mostRows?: number; readonly listed?: RowList } {
  if (listed === undefined) return {};
  return listed.parameters.length + listed.variables.length === 0 ? { mostRows: listed.written } : { listed };
}

export function sum(lists: readonly (RowList | undefined)[]): RowList | undefined {
  let total: RowList = none;
  for (const one of lists) {
    if (one === undefined) return undefined;
    total = {
      written: total.written + one.written,
      parameters: [...total.parameters, ...one.parameters],
      variables: [...total.variables, ...one.variables],
    };
  }
  return total;
}

const none: RowList = { written: 0, parameters: [], variables: [] };

function isRow(node: Node): boolean {
  const arg = as(node, 'TypeCast')?.arg;
  return arg === undefined ? as(node, 'RowExpr') !== undefined : isRow(arg);
}

/** `ARRAY(SELECT json_populate_recordset(...))`: nothing but a call whose rows become elements. */
function ofQuery(query: Node | undefined, isVariable: (name: string) => boolean): RowList | undefined {
  const { targetList, op: _, limitOption: _l, ...more } = as(query, 'SelectStmt') ?? {};
  const [only, ...others] = targetList ?? [];
  if (others.length > 0 || Object.keys(more).length > 0) return undefined;
  return ofCall(as(as(only, 'ResTarget')?.val, 'FuncCall'), isVariable);
}

const unfoldingJson = ['array_elements', 'array_elements_text', 'populate_recordset', 'to_recordset'];
/** Functions of PostgreSQL that give no more than what their arguments list. */
const unfolding: ReadonlySet<string> = new Set([
  'unnest',
  'array_remove',
  ...['json', 'jsonb'].flatMap((type) => unfoldingJson.map((name) => `${type}_${name}`)),
]);

export function ofCall(call: FuncCall | undefined, isVariable: (name: string) => boolean): RowList | undefined {
  const path = names(call?.funcname);
  const known = path.length === 1 || path[0] === 'pg_catalog';
  if (call === undefined || !known || !unfolding.has(path.at(-1) ?? '')) return undefined;
  return sum((call.args ?? []).map((arg) => rowList(arg, isVariable)));
}

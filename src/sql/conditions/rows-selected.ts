/**
 * How many rows a SELECT can have, where its text and the keys of its tables tell: one of a table by its key, those of a
 * list, and of what is joined to them by a key no more.
 */
import type { SelectStmt } from 'libpg-query';
import { calmBuiltIns } from '../catalog/pg-catalog-functions.js';
import type { RowList } from '../facts.js';
import { as, eachChild, type Node, names } from '../grammar/tree.js';
import type { Effort } from './effort.js';
import { rowsWritten } from './how-many.js';
import { conjuncts, equatedColumns, keysOf } from './key-columns.js';
import { mostOf } from './row-list.js';
import { Scope, type Source } from './scope.js';
import { fromItems } from './select-shape.js';

interface RowsSelected {
  readonly mostRows?: number;
  readonly listed?: RowList;
}

export function rowsSelected(query: Node, outer: Scope, effort: Effort): RowsSelected {
  const mostRows = rowsWritten(query);
  if (mostRows !== undefined) return { mostRows };
  const select = as(query, 'SelectStmt');
  if (select === undefined || (select.op ?? 'SETOP_NONE') !== 'SETOP_NONE' || multiplies(select, effort)) return {};
  const scope = new Scope(outer);
  const conditions = fromItems(select.fromClause ?? [], scope);
  if (select.whereClause !== undefined) conditions.push(select.whereClause);
  const lists = scope.sources.filter(({ list }) => list !== undefined);
  if (lists.length > 1) return {};
  return isOneEach(scope, conditions, new Set(lists), effort) ? bound(lists[0]) : {};
}

function bound(source: Source | undefined): RowsSelected {
  return source === undefined ? { mostRows: 1 } : mostOf(source.list);
}

/** Each source has at most one row for what those before it have. */
function isOneEach(scope: Scope, conditions: readonly Node[], known: Set<Source>, effort: Effort): boolean {
  const open = scope.sources.filter((one) => !known.has(one));
  const next = open.find((source) => isKeyed(source, scope, conditions, known, effort));
  if (next === undefined) return open.length === 0;
  known.add(next);
  return isOneEach(scope, conditions, known, effort);
}

function isKeyed(
  source: Source,
  scope: Scope,
  conditions: readonly Node[],
  known: ReadonlySet<Source>,
  effort: Effort,
): boolean {
  const view = { source, scope, effort };
  const all = [...conditions, ...source.joinedOn].flatMap((one) => conjuncts(one, effort));
  const aliases = new Set([...known].map(({ alias }) => alias));
  const equated = new Set(all.flatMap((one) => equatedColumns(one, view, aliases)));
  return keysOf(view).some((key) => key.every((column) => equated.has(column)));
}

const plain: ReadonlySet<string> = new Set(calmBuiltIns.split(/\s+/));
const setReturning =
  /^(unnest|generate_|.*_to_table$|regexp_matches|jsonb?_(each|array_elements|object_keys|populate|to_record|path_query)|aclexplode|ts_|pg_)/;

/** A function among the output columns may make many rows of one. */
function multiplies({ targetList }: SelectStmt, effort: Effort): boolean {
  let found = false;
  const look = (node: Node): void => {
    if (!effort.spend()) found = true;
    if (found || as(node, 'SubLink') !== undefined) return;
    const call = as(node, 'FuncCall');
    const path = names(call?.funcname);
    const name = path.at(-1) ?? '';
    if (call !== undefined && (path.length > 2 || !plain.has(name) || setReturning.test(name))) found = true;
    eachChild(Object.values(node)[0], look);
  };
  for (const target of targetList ?? []) look(target);
  return found;
}

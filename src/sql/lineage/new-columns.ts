/**
 * Columns of a table that a statement makes, or adds to one that is as new: what nobody could read in the catalog yet.
 *
 * What lives here: which definitions only hold what is put into them, and what a column holds copies of. What it must not
 * know: masks, relations. Code of the application's own that fills or checks columns makes them unknown.
 */
import type { ColumnDef, Constraint, TypeName } from 'libpg-query';
import { type Node, names } from '../grammar/tree.js';
import { baseColumn, type CatalogColumn, type Flow, type LineageCatalog, noFlow } from './catalog.js';
import { union } from './flow.js';
import { isScalarType } from './loaded-code.js';
import { columnOf } from './places.js';
import { LineageScope } from './scope.js';
import { type Column, shapeOf } from './shape.js';
import { callsOwnCode, type PendingCode } from './unfollowed.js';
import type { LineageWalk } from './walk.js';

export interface Definitions {
  readonly catalog: LineageCatalog;
  readonly pending: PendingCode;
  /** For an expression of its own. */
  readonly walk: () => LineageWalk;
}

export interface NewColumns {
  readonly oid: number;
  readonly columns: readonly CatalogColumn[];
}

const serial: ReadonlySet<string> = new Set(['serial', 'serial4', 'bigserial', 'serial8', 'smallserial', 'serial2']);
const textual: ReadonlySet<string> = new Set(['text', 'varchar', 'bpchar', 'name']);

/** A type for which no code of the application's runs: PostgreSQL's own, enumerations, or an array of one. */
export function isPlainType(type: TypeName | undefined, catalog: LineageCatalog): boolean {
  const path = names(type?.names);
  const name = path.at(-1) ?? '';
  if (name === '' || type?.setof || type?.pct_type) return false;
  const isBuiltIn = isScalarType(name) || serial.has(name);
  if (isBuiltIn && path.length > 1) return path[0] === 'pg_catalog';
  // a domain of that name may be meant, which brings a default
  if (catalog.behind('made', `domain ${name}`)?.length !== 0) return false;
  // neither a domain with conditions, nor rows of a table
  return isBuiltIn || (catalog.behind('cast', name)?.length === 0 && catalog.isFree(name));
}

const attributes = /^CONSTR_(ATTR_\w+|NULL|NOTNULL|PRIMARY|UNIQUE|IDENTITY)$/;

/** The column as it is to be, behind those that there are, but for its constraints; undefined where its type brings more. */
export function newColumn(
  definition: ColumnDef,
  { columns }: Pick<NewColumns, 'columns'>,
  { catalog }: Definitions,
): CatalogColumn | undefined {
  const { colname: name, typeName } = definition;
  if (name === undefined || !isPlainType(typeName, catalog)) return undefined;
  return { name, number: (columns.at(-1)?.number ?? 0) + 1, type: 0, textual: isText(typeName) };
}

function isText(type: TypeName | undefined): boolean {
  return textual.has(names(type?.names).at(-1) ?? '') && (type?.arrayBounds ?? []).length === 0;
}

/**
 * The columns with what their constraints, and those of the whole table, let flow into them; undefined where that is not
 * known.
 */
export function constrained(
  table: NewColumns,
  constraints: readonly (readonly [column: string | undefined, constraint: Constraint])[],
  definitions: Definitions,
): readonly CatalogColumn[] | undefined {
  const own: Flow = new Set(table.columns.map(({ number }) => baseColumn(table.oid, number)));
  const from = new Map<string, Flow>();
  for (const [column, one] of constraints) {
    const flows = flowsOf(column, one, table, own, definitions);
    if (flows === undefined) return undefined;
    for (const [name, flow] of flows) from.set(name, union([from.get(name) ?? noFlow, flow]));
  }
  return table.columns.map((one) => {
    const flow = from.get(one.name);
    return flow === undefined ? one : { ...one, from: union([one.from ?? noFlow, flow]) };
  });
}

function flowsOf(
  column: string | undefined,
  constraint: Constraint,
  table: NewColumns,
  own: Flow,
  definitions: Definitions,
): readonly (readonly [string, Flow])[] | undefined {
  const { contype = 'CONSTR_NULL', raw_expr: expression } = constraint;
  if (attributes.test(contype)) return [];
  switch (contype) {
    case 'CONSTR_DEFAULT':
      return isClean(expression, noFlow, definitions) ? [] : undefined;
    case 'CONSTR_CHECK':
      return isClean(expression, own, definitions, table) ? [] : undefined;
    case 'CONSTR_GENERATED': {
      const flow = column === undefined ? undefined : cleanFlow(expression, own, definitions, table);
      return flow === undefined || column === undefined ? undefined : [[column, flow]];
    }
    case 'CONSTR_FOREIGN':
      return cascaded(column, constraint, definitions);
    default:
      return undefined;
  }
}

/** ON UPDATE CASCADE puts into a column what is put into that which it refers to. */
function cascaded(
  column: string | undefined,
  { fk_upd_action: action, fk_attrs, pk_attrs, pktable }: Constraint,
  { walk: start }: Definitions,
): readonly (readonly [string, Flow])[] | undefined {
  if (action !== 'c') return [];
  const keys = column === undefined ? names(fk_attrs) : [column];
  const referred = names(pk_attrs);
  if (pktable === undefined || keys.length === 0 || keys.length !== referred.length) return undefined;
  const walk = start();
  const shape = walk.tableShape(pktable);
  if (walk.opaque || walk.unbound) return undefined;
  const found: [string, Flow][] = [];
  for (const [at, key] of keys.entries()) {
    const flow = shape.columns?.find(({ name }) => name === referred[at])?.flow;
    if (flow === undefined) return undefined;
    found.push([key, flow]);
  }
  return found;
}

/** The columns when one of them gets another type; undefined where more than the table's own values may get into it. */
export function retyped(
  table: NewColumns,
  name: string | undefined,
  { typeName, raw_default: using }: ColumnDef,
  definitions: Definitions,
): readonly CatalogColumn[] | undefined {
  const { catalog } = definitions;
  // casts of the application's own may be made
  if (!isPlainType(typeName, catalog) || catalog.behind('stored', '')?.length !== 0) return undefined;
  const own: Flow = new Set(table.columns.map(({ number }) => baseColumn(table.oid, number)));
  const flow = using === undefined ? noFlow : cleanFlow(using, own, definitions, table);
  if (flow === undefined) return undefined;
  return table.columns.map((one) =>
    one.name === name
      ? {
          ...one,
          textual: isText(typeName),
          ...(using === undefined ? {} : { from: union([one.from ?? noFlow, flow]) }),
        }
      : one,
  );
}

export function isClean(
  expression: Node | undefined,
  may: Flow,
  definitions: Definitions,
  table?: NewColumns,
): boolean {
  return cleanFlow(expression, may, definitions, table) !== undefined;
}

/** What flows in it; undefined where that may be more than `may`, or it may do more than compute. */
function cleanFlow(
  expression: Node | undefined,
  may: Flow,
  { catalog, pending, walk: start }: Definitions,
  table?: NewColumns,
): Flow | undefined {
  if (expression === undefined || callsOwnCode(expression, catalog, pending)) return undefined;
  const walk = start();
  const scope = new LineageScope();
  const columns = (table?.columns ?? []).map(({ name, number }): Column => {
    return { name, flow: new Set([baseColumn(table?.oid ?? 0, number)]), direct: true };
  });
  scope.add({ parts: [shapeOf(columns)], aliases: new Map() });
  const flow = walk.flow(expression, scope);
  const does = walk.opaque || walk.unbound || walk.configures || walk.writes || walk.sinks.length > 0;
  return does || [...flow].some((one) => !may.has(columnOf(one))) ? undefined : flow;
}

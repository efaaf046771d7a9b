/**
 * Rows that say by themselves what their values are of: `key` beside `value` of jsonb_each(), the names of a column beside
 * what pg_stats knows of it.
 *
 * What lives here: which columns of a row tell, and what a WHERE says of them. What it must not know: masks. Only a column
 * as it is tells, and only of its own row: every reference in FROM has rows of its own.
 */
import { as, type Node, names, stringConstant } from '../grammar/tree.js';
import { baseColumn, type CatalogRelation, type LineageCatalog } from './catalog.js';
import { opened, part } from './json-structure.js';
import type { LineageScope } from './scope.js';
import { type Column, type Shape, shapeOf } from './shape.js';
import { plain, type Told, type ToldValue, type Value } from './structure.js';
import type { LineageWalk } from './walk.js';

/** `key` and `value` of a function of JSON, by what it is given. */
export function toldEntries(
  columns: readonly Column[],
  json: Value,
  entry: (value: Value) => Value,
): readonly Column[] {
  const [key, value] = columns;
  const object = opened(json);
  const { inside } = object;
  if (key === undefined || value === undefined || columns.length !== 2) return columns;
  if (inside?.is !== 'object' && inside?.is !== 'within') return columns;
  const row = {};
  const names = inside.is === 'object' && inside.others === undefined ? [...inside.entries.keys()] : undefined;
  const of: ToldValue = ([name]) => {
    if (name === undefined) return undefined;
    // a key that the form does not have stands for anything
    if (inside.is === 'object' && !inside.entries.has(name) && inside.others === undefined) return undefined;
    return entry(part(object, name));
  };
  return [
    { ...key, told: { row, key: 0, names } },
    { ...value, told: { row, keys: new Map(), count: 1, of } },
  ];
}

const statisticsKeys = ['schemaname', 'tablename', 'attname'];

/** The columns of pg_stats. @param reveals a column that may show values */
export function toldStatistics(
  columns: readonly Column[],
  reveals: (name: string) => boolean,
  catalog: LineageCatalog,
): readonly Column[] {
  const row = {};
  const of: ToldValue = ([schema, table, column]) => {
    if (table === undefined || !catalog.current) return undefined;
    const meant = [...catalog.relations()].filter((one) => one.name === table && schema === (schema && one.schema));
    const flow = meant.flatMap((one) => columnsOf(one, column, catalog) ?? []);
    return flow.length === 0 || meant.some((one) => columnsOf(one, column, catalog) === undefined)
      ? undefined
      : plain(new Set(flow));
  };
  return columns.map((one) => {
    const key = statisticsKeys.indexOf(one.name ?? '');
    if (key >= 0) return { ...one, told: { row, key } };
    return reveals(one.name ?? '') ? { ...one, told: { row, keys: new Map(), count: 3, of } } : one;
  });
}

/** With those of its children, whose rows are counted with its own; undefined where it is not known. */
function columnsOf(
  relation: CatalogRelation,
  column: string | undefined,
  catalog: LineageCatalog,
): string[] | undefined {
  const own = relation.columns.filter(({ name }) => column === undefined || name === column);
  // what a materialized view holds is said by its query alone
  if (own.length === 0 || relation.definition !== undefined) return undefined;
  const found = own.map(({ number }) => baseColumn(relation.oid, number));
  for (const oid of relation.children) {
    const child = catalog.byOid(oid);
    const inner = child && columnsOf(child, column, catalog);
    if (inner === undefined) return undefined;
    found.push(...inner);
  }
  return found;
}

/** For another reference to the same rows: the rows of the two are not the same. */
export function ownRows(shape: Shape): Shape {
  if (!shape.columns?.some(({ told }) => told !== undefined)) return shape;
  const rows = new Map<object, object>();
  const columns = shape.columns.map((one) => {
    if (one.told === undefined) return one;
    const row = rows.get(one.told.row) ?? {};
    rows.set(one.told.row, row);
    return { ...one, told: { ...one.told, row } };
  });
  return { ...shape, columns };
}

/** WHERE that says what a telling column is, of every row that comes out. */
export function tellBy(where: Node | undefined, walk: LineageWalk, scope: LineageScope): void {
  if (where === undefined || !scope.parts.some((one) => one.columns?.some(({ told }) => told !== undefined))) return;
  if (walk.knowledge.catalog.behind('operator', '=')?.length !== 0) return;
  for (const { row, key, value } of equalities(where, walk, scope)) {
    if (typeof value === 'string') tell(row, key, value, scope);
    else scope.tie(row, value);
  }
}

/** ON of a join: rows that stand side by side say the same of themselves, or one of them is NULL. */
export function tieBy(on: Node | undefined, walk: LineageWalk, joined: LineageScope, scope: LineageScope): void {
  if (on === undefined || walk.knowledge.catalog.behind('operator', '=')?.length !== 0) return;
  for (const { row, value } of equalities(on, walk, joined)) if (typeof value !== 'string') scope.tie(row, value);
}

/** From here on that key of the row is known. */
function tell(row: object, key: number, value: string, scope: LineageScope): void {
  for (const shape of scope.shapes) {
    if (!shape.columns?.some(({ told }) => told?.row === row)) continue;
    const columns = shape.columns.map((one) => {
      const { told } = one;
      if (told?.row !== row || 'key' in told) return one;
      return known(one, { ...told, keys: new Map(told.keys).set(key, value) });
    });
    scope.replace(shape, { ...shapeOf(columns), whole: shape.whole, branches: shape.branches });
  }
}

/** A table has no more columns. */
const maxNames = 1_600;

/** jsonb_object_agg() of a key that tells: what is beside each name; undefined where the names are not known. */
export function gathered(
  key: Value,
  node: Node | undefined,
  walk: LineageWalk,
  scope: LineageScope,
): readonly (readonly [name: string, value: Value])[] | undefined {
  const { told } = key;
  if (told === undefined || !('key' in told) || told.names === undefined || told.names.length > maxNames)
    return undefined;
  return told.names.map((name) => {
    const inner = scope.copy();
    for (const row of scope.tied(told.row)) tell(row, told.key, name, inner);
    return [name, walk.value(node, inner)];
  });
}

/** What conditions alone say of it holds for whatever is made of the value. */
function known(column: Column, told: Exclude<Told, { readonly key: number }>): Column {
  const value = told.of(Array.from({ length: told.count }, (_, at) => told.keys.get(at)));
  return value === undefined ? { ...column, told } : { ...value, name: column.name, direct: false, told };
}

interface Equality {
  readonly row: object;
  readonly key: number;
  /** A constant, or the row that says the same by the same key. */
  readonly value: string | object;
}

function equalities(where: Node, walk: LineageWalk, scope: LineageScope): Equality[] {
  const all = as(where, 'BoolExpr');
  if (all?.boolop === 'AND_EXPR') return (all.args ?? []).flatMap((one) => equalities(one, walk, scope));
  const { kind, name, lexpr, rexpr } = as(where, 'A_Expr') ?? {};
  if (kind !== 'AEXPR_OP' || names(name).at(-1) !== '=') return [];
  return [
    [lexpr, rexpr],
    [rexpr, lexpr],
  ].flatMap(([column, other]) => {
    const told = tellerOf(column, walk, scope);
    if (told === undefined) return [];
    const same = tellerOf(other, walk, scope);
    // rows of which one key says everything
    const value = told.names && same?.names ? same.row : textOf(other);
    return value === undefined ? [] : [{ row: told.row, key: told.key, value }];
  });
}

function tellerOf(node: Node | undefined, walk: LineageWalk, scope: LineageScope) {
  const told = as(node, 'ColumnRef') === undefined ? undefined : walk.value(node, scope).told;
  return told !== undefined && 'key' in told ? told : undefined;
}

function textOf(node: Node | undefined): string | undefined {
  const cast = as(node, 'TypeCast');
  if (cast === undefined) return stringConstant(node);
  const type = names(cast.typeName?.names).at(-1) ?? '';
  return (type === 'text' || type === 'name') && cast.typeName?.arrayBounds === undefined
    ? stringConstant(cast.arg)
    : undefined;
}

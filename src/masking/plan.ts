/** From lineage, declarations and what the server says of a result: what becomes of each output column. Pure. */
import {
  anyColumn,
  type BaseColumn,
  baseColumn,
  definedConstants,
  type Flow,
  type LineageCatalog,
  missingCode,
  sentConstants,
} from '../sql/lineage/catalog.js';
import type { Grouped } from '../sql/lineage/groups.js';
import { isMeasured } from '../sql/lineage/measured.js';
import type { Column, Shape } from '../sql/lineage/shape.js';
import type { RowField } from '../wire/row-description.js';
import type { GroupGuard } from './group-rows.js';
import { insideMask, type LeafMasks } from './inside/inside-mask.js';
import { sqlTextMask } from './inside/sql-text.js';
import { type CellMask, type Format, nullMask } from './kinds/cell.js';
import { jsonMask } from './kinds/json.js';
import { isAmbiguous } from './kinds/json-places.js';
import { type CellType, cellMask, type MaskKeys } from './kinds/table.js';
import { type MaskedColumn, type MaskLookup, sameMask } from './masked-columns.js';
import type { ToldColumn } from './told-rows.js';
import type { UndeclaredColumns } from './undeclared/undeclared-columns.js';
import { tellingColumn, UnionRows } from './union-rows.js';

export interface MaskContext {
  /** What is masked on its way to the client. */
  readonly masked: MaskLookup;
  /** What is masked for whatever the client does with it: a mask that is lifted does not let values be copied. */
  readonly secret: MaskLookup;
  readonly catalog: LineageCatalog;
  readonly keys: MaskKeys;
  /** What the column holds has a form that lineage follows. */
  readonly formed: (column: BaseColumn) => boolean;
  /** Values can be taken apart: the client's encoding is one in which no byte of a longer character looks like a quote. */
  readonly structured?: boolean;
  /** Undefined where nothing is looked for in columns that nobody declared. */
  readonly undeclared?: UndeclaredColumns;
  /** Code may have run that nobody has read: what a column held when the catalog was read, it may hold no more. */
  readonly overrun?: boolean;
  /** Known for sure, as of when the catalog was read last: no rule, no tag. */
  readonly nothingMasked?: boolean;
}

function isUnknown(flow: Flow, masked: MaskLookup): boolean {
  return flow.has(anyColumn) || flow.has(missingCode) || secretConstants(flow, masked) !== undefined;
}

/** Which constants in texts of SQL must not be seen; undefined where none must. */
export function secretConstants(flow: Flow, { constants }: MaskLookup): ReadonlySet<string> | 'all' | undefined {
  if (flow.has(sentConstants)) return 'all';
  return flow.has(definedConstants) && constants.size > 0 ? constants : undefined;
}

/** A masked column, or any column, may have a part in it. */
export function tainted(flow: Flow, masked: MaskLookup): boolean {
  return isUnknown(flow, masked) || masked.in(flow).length > 0;
}

/**
 * One entry for each column, undefined where it passes. The result is undefined when the number of columns is not
 * known: then every cell is masked. `all-pass` when nothing has to be done to the rows.
 *
 * @param fields as RowDescription said; undefined when the client did not ask for one
 * @param formats as Bind asked for them; undefined: those of `fields`, or text
 */
export function rowMasks(
  output: Shape,
  fields: readonly RowField[] | undefined,
  formats: readonly number[] | undefined,
  context: MaskContext,
): readonly (CellMask | undefined)[] | 'all-pass' | undefined {
  if (context.nothingMasked) return 'all-pass';
  const columns = output.columns;
  const count = fields?.length ?? columns?.length;
  if (count === undefined) return tainted(output.all, context.masked) ? undefined : 'all-pass';
  // Fewer or more columns than expected: which is which is not known.
  const known = columns?.length === count ? columns : undefined;
  // A statement that was thought to return nothing, yet does.
  const any: Flow = columns !== undefined && known === undefined ? new Set([...output.all, anyColumn]) : output.all;
  const masks: (CellMask | undefined)[] = [];
  for (let at = 0; at < count; at++) {
    const column = known?.[at] ?? { name: undefined, flow: any, direct: false };
    const format = formatOf(at, fields?.[at], formats);
    masks.push(columnMask(column, known !== undefined, fields?.[at], format, context));
  }
  return masks.every((mask) => mask === undefined) ? 'all-pass' : masks;
}

/**
 * Where rows of a UNION need other masks: how they are told apart. `unknown` where they are not, although some of them
 * could show what others must not; undefined where there is no need.
 *
 * @param any what `rowMasks` gave for the whole of it
 */
export function unionMasks(
  output: Shape,
  fields: readonly RowField[] | undefined,
  formats: readonly number[] | undefined,
  context: MaskContext,
  any: readonly (CellMask | undefined)[],
): UnionRows | 'unknown' | undefined {
  const { branches = [], columns } = output;
  const isMixed = any.some(
    (mask, at) =>
      mask !== undefined && branches.some((one) => !tainted(one.columns?.[at]?.flow ?? one.all, context.masked)),
  );
  if (!isMixed || columns?.length !== any.length) return undefined;
  const teller = tellingColumn(output);
  if (teller === undefined) return 'unknown';
  // what the server says of the whole, it says of no branch
  const nowhere = fields?.map((field) => ({ ...field, tableOid: 0, columnNumber: 0 }));
  const known = branches.flatMap((branch, at) => {
    const masks = rowMasks(branch, nowhere, formats, context);
    const value = teller.values[at];
    if (masks === undefined || value === undefined) return [];
    return [[value, masks === 'all-pass' ? any.map(() => undefined) : masks] as const];
  });
  return new UnionRows(teller.column, new Map(known), any);
}

/** The columns of which others of their row say what they are of, where that may show more than is shown of all. */
export function toldColumns(
  { columns = [] }: Shape,
  fields: readonly RowField[] | undefined,
  formats: readonly number[] | undefined,
  context: MaskContext,
  any: readonly (CellMask | undefined)[],
): ToldColumn[] {
  if (columns.length !== any.length || !context.structured) return [];
  return columns.flatMap(({ told }, at): ToldColumn[] => {
    if (told === undefined || 'key' in told || any[at] === undefined) return [];
    const keys = Array.from({ length: told.count }, (_, key) => {
      const column = columns.findIndex(
        (one) => one.told?.row === told.row && 'key' in one.told && one.told.key === key,
      );
      return told.keys.get(key) ?? (column < 0 ? undefined : column);
    });
    const field = fields?.[at] && { ...fields[at], tableOid: 0, columnNumber: 0 };
    const format = formatOf(at, fields?.[at], formats);
    const maskOf = (texts: readonly (string | undefined)[]): CellMask | undefined => {
      const value = told.of(texts);
      if (value === undefined) return any[at];
      if (!tainted(value.flow, context.masked)) return undefined;
      return field?.typeOid === anyArrayOid
        ? nullMask
        : columnMask({ ...value, name: undefined }, true, field, format, context);
    };
    return keys.every((key) => key === undefined) ? [] : [{ at, keys, maskOf }];
  });
}

/** pg_type.oid of anyarray, as pg_stats gives values. */
const anyArrayOid = 2277;

export function formatOf(at: number, field: RowField | undefined, formats: readonly number[] | undefined): Format {
  const code = formats === undefined ? (field?.format ?? 0) : formats.length === 1 ? formats[0] : (formats[at] ?? 0);
  return code === 0 ? 'text' : 'binary';
}

function columnMask(
  column: Column,
  placed: boolean,
  field: RowField | undefined,
  format: Format,
  context: MaskContext,
): CellMask | undefined {
  const { masked } = context;
  if (placed && column.written && column.flow.size === 0) return undefined;
  const from = field && field.tableOid !== 0 ? baseColumn(field.tableOid, field.columnNumber) : undefined;
  const isFormed = placed && from !== undefined && column.inside !== undefined && context.formed(from);
  const origin = from === undefined || isFormed ? undefined : masked.get(from);
  const flowing = masked.in(column.flow);
  if (origin === undefined && flowing.length === 0 && !isUnknown(column.flow, masked)) return undefined;
  // The server says that this is a column as it is. Then that column alone decides, unless lineage has a better claim.
  const isPlain = !context.overrun && isPlainColumn(field, context.catalog);
  if (origin === undefined && !isFormed && !(placed && flowing.length > 0) && isPlain) return undefined;
  // of a value that is not as it was in the column nobody but lineage knows the parts
  if (placed && origin === undefined && column.inside !== undefined && context.structured)
    return insideMask(column, field?.typeOid, format, partMasks(context));
  if (isUnknown(column.flow, masked)) return nullMask;
  const unchanged = flowing.length === 0 || (placed && column.direct);
  return agreed(origin === undefined ? flowing : [origin, ...flowing], unchanged, field?.typeOid, format, context.keys);
}

/** What the parts of a value become, each by the columns that flow in it. */
function partMasks(context: MaskContext): LeafMasks {
  const { masked, keys } = context;
  return {
    tainted: (flow) => tainted(flow, masked),
    within({ of, path }, oid, format) {
      const sources = masked.in(of);
      const [first, ...others] = sources;
      const mask = first?.mask;
      const same = mask?.kind === 'json' && others.every((one) => sameMask(one.mask, mask));
      // a path that may go through an array shows more than it should where only some paths are shown
      const ambiguous = mask?.kind === 'json' && mask.listed === 'shown' && isAmbiguous(path);
      if (!same || ambiguous || isUnknown(of, masked))
        return sources.length === 0 ? nullMask : agreed(sources, false, oid, format, keys);
      return jsonMask(mask.paths, mask.listed, 'perhaps', path);
    },
    sql: ({ flow }) => {
      const others = new Set([...flow].filter((one) => one !== definedConstants && one !== sentConstants));
      const constants = secretConstants(flow, masked);
      return constants === undefined || tainted(others, masked) ? nullMask : sqlTextMask(constants);
    },
    leaf(value, oid, format) {
      const sources = masked.in(value.flow);
      if (isUnknown(value.flow, masked)) return { mask: nullMask, type: undefined };
      const [first] = sources;
      return first && { mask: agreed(sources, value.direct, oid, format, keys), type: first.column.type };
    },
  };
}

/** Which columns of statistics are shown where groups are large enough. */
export function groupGuards(
  output: Shape,
  { keys, columns: grouped }: Grouped,
  fields: readonly RowField[] | undefined,
  formats: readonly number[] | undefined,
  { masked }: MaskContext,
): GroupGuard[] {
  const { columns } = output;
  if (columns === undefined || (fields ?? columns).length !== columns.length) return [];
  // whoever groups by values knows those of each group
  if (isUnknown(keys, masked) || masked.of(keys).length > 0) return [];
  return [...grouped].flatMap(([at, { beside, of }]) => {
    const flow = columns[at]?.flow;
    if (flow === undefined || isUnknown(flow, masked) || masked.of(beside).length > 0) return [];
    const isValue = masked.of(new Set([...flow].filter((part) => !isMeasured(part)))).length > 0;
    const counted = new Set(of.flatMap((one) => masked.of(one.flow)));
    if (isValue || !masked.of(flow).every((one) => counted.has(one))) return [];
    const counts = of.flatMap((one) => {
      const least = leastGroup(masked.of(one.flow));
      if (least === 0) return [];
      const place = one.countAt ?? -1;
      return { at: place, format: formatOf(place, fields?.[place], formats), least: place < 0 ? Infinity : least };
    });
    return counts.length === 0 ? [] : [{ at, counts }];
  });
}

function leastGroup(columns: readonly MaskedColumn[]): number {
  return columns.reduce((most, { aggregates }) => {
    return Math.max(most, aggregates === 'allow' ? 0 : aggregates === 'hide' ? Infinity : aggregates.minGroup);
  }, 0);
}

/** A column of a table whose columns are all known by name: not of a view, not of a table that is new. */
function isPlainColumn(field: RowField | undefined, catalog: LineageCatalog): boolean {
  if (field === undefined || field.tableOid === 0 || field.columnNumber <= 0) return false;
  const relation = catalog.byOid(field.tableOid);
  if (relation === undefined || relation.definition !== undefined || system.has(relation.schema)) return false;
  return relation.children.length === 0 && relation.columns.some((column) => column.number === field.columnNumber);
}

const system: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema']);

/** pg_type.oid of text. */
const textOid = 25;

/** One mask for values of several columns; partial, hash and date only where the value is the column's own. */
function agreed(
  sources: readonly MaskedColumn[],
  unchanged: boolean,
  oid: number | undefined,
  format: Format,
  keys: MaskKeys,
): CellMask {
  const [first, ...others] = sources;
  if (first === undefined || !others.every((one) => sameMask(one.mask, first.mask))) return nullMask;
  // reverse(ssn), kept to its last four characters, would show the first four; and a number that JSON gave back as text
  // is another value than the column's
  const same = unchanged && (first.column.textual || oid !== textOid);
  if (!same && first.mask.kind !== 'fixed') return nullMask;
  const type: CellType = same
    ? { oid: oid ?? first.column.type, textual: first.column.textual }
    : { oid, textual: false };
  return cellMask(first.mask, type, format, keys);
}

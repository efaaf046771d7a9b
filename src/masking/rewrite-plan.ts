/**
 * What becomes of a statement's result: how each row, COPY and error of it is rewritten.
 *
 * What lives here: masks and what detectors watch, put together for one result. What it must not know: texts, sessions,
 * what is denied.
 */

import type { Lineage } from '../sql/lineage/analyser.js';
import { baseColumn } from '../sql/lineage/catalog.js';
import type { Grouped } from '../sql/lineage/groups.js';
import type { Shape } from '../sql/lineage/shape.js';
import type { CopyOptions } from '../sql/lineage/statement.js';
import type { RowField } from '../wire/row-description.js';
import { BinaryCopyRewriter } from './binary-copy-rewriter.js';
import { CopyRewriter } from './copy-rewriter.js';
import type { Detected } from './detectors/detected.js';
import type { CleanColumns } from './diagnostics.js';
import { GroupRows } from './group-rows.js';
import type { CellMask } from './kinds/cell.js';
import { shownOf } from './masked-columns.js';
import { formatOf, groupGuards, type MaskContext, rowMasks, tainted, toldColumns, unionMasks } from './plan.js';
import { type RowMask, RowRewriter, type TakeBytes } from './row-rewriter.js';
import { ToldRows } from './told-rows.js';
import { WatchedColumns, WatchedRows } from './undeclared/watched-rows.js';
import { UnionRows } from './union-rows.js';

export interface CopyMask {
  /**
   * `bytes[start, end)` are whole CopyData messages, headers included; they are the mask's now, which may write over them.
   * Throws ProtocolViolation for what is no COPY of that format.
   */
  rewrite(bytes: Buffer, start: number, end: number, take: TakeBytes): void;
  /** Before CopyDone. */
  finish(take: TakeBytes): void;
  /** What detectors have found in columns that nobody declared; each is said once. */
  found(): readonly Detected[];
}

export interface RewritePlan {
  readonly kind: 'mask';
  /** Undefined: the rows pass as they are. `encoding`: the client's, as the server reported it.
   * `nth`: which result of the text it is, from 0; without it, it may be any of them. */
  forRow(
    fields: readonly RowField[] | undefined,
    formats?: readonly number[],
    encoding?: string,
    nth?: number,
  ): RowMask | undefined;
  /** Of COPY TO STDOUT. `encoding`: the client's, as the server reported it. Undefined: the data passes as it is. */
  forCopy(encoding: string): CopyMask | 'unsupported' | undefined;
  /** Errors and notices may carry masked values. */
  readonly diagnostics: boolean;
  readonly isClean: CleanColumns;
  /** Masked columns (`schema.table.column`) of which conditions, orderings, sums or comparisons say something. */
  readonly inferred: readonly string[];
  /** Masked columns that may have a part in what is returned. */
  readonly masked: readonly MaskedName[];
  /** Rows of a UNION are masked that need not be: which branch they are of cannot be told. */
  readonly undividedUnion: boolean;
}

export interface MaskedName {
  readonly name: readonly [schema: string, table: string, column: string];
  /** What is left of a value that is the column's own; see `revealedBy`. */
  readonly reveals: string;
}

export function rewritePlan(
  output: Shape,
  copies: readonly Lineage[] | undefined,
  diagnostics: boolean,
  inferred: readonly string[],
  context: MaskContext,
  { results = [], grouped }: { results?: readonly Shape[]; grouped?: Grouped | undefined } = {},
): RewritePlan {
  return {
    kind: 'mask',
    diagnostics,
    isClean: (schema, table, columns) => areClean(schema, table, columns, context),
    inferred,
    undividedUnion: isUndivided(output, context),
    masked: [...new Set(context.masked.in(output.all))].map((one) => ({
      name: [one.relation.schema, one.relation.name, one.column.name],
      reveals: shownOf(one),
    })),
    forRow(fields, formats, encoding = '', nth = -1) {
      const shape = results[nth] ?? output;
      const structured = { ...context, structured: safeEncodings.test(encoding) };
      const masks = rowMasks(shape, fields, formats, structured);
      if (masks === undefined) return new RowRewriter(masks);
      // detectors know columns, not branches
      const divided = masks === 'all-pass' || context.undeclared !== undefined ? undefined : masks;
      const union = divided && unionMasks(shape, fields, formats, structured, divided);
      if (union instanceof UnionRows) return union;
      const told = divided && toldColumns(shape, fields, formats, structured, divided);
      if (divided && told && told.length > 0) return new ToldRows(divided, told);
      const { hiding, watched } = undeclaredIn(shape, fields, formats, masks, context);
      const guards = masks !== 'all-pass' && grouped ? groupGuards(output, grouped, fields, formats, context) : [];
      const all = withHiding(masks, hiding);
      const rows = all && (guards.length > 0 ? new GroupRows(all, guards) : new RowRewriter(all));
      return watched ? new WatchedRows(watched, rows) : rows;
    },
    forCopy(encoding) {
      const [only, ...more] = copies ?? [];
      const options = typeof only?.kind === 'object' ? only.kind.copyOut : undefined;
      if (only === undefined || options === undefined || more.length > 0) return 'unsupported';
      return copyRewriter(only.output, options, encoding, context);
    },
  };
}

function areClean(
  schema: string | undefined,
  table: string,
  columns: readonly string[],
  { catalog, masked }: MaskContext,
): boolean {
  if (!catalog.current) return false;
  const meant = [...catalog.relations()].filter((one) => one.name === table && (schema ?? one.schema) === one.schema);
  return (
    meant.length > 0 &&
    meant.every((relation) =>
      columns.every((name) => {
        const column = relation.columns.find((one) => one.name === name);
        return column !== undefined && masked.get(baseColumn(relation.oid, column.number)) === undefined;
      }),
    )
  );
}

function isUndivided(output: Shape, context: MaskContext): boolean {
  if (output.branches === undefined || context.nothingMasked) return false;
  const masks = rowMasks(output, undefined, undefined, context);
  return Array.isArray(masks) && unionMasks(output, undefined, undefined, context, masks) === 'unknown';
}

/** In these no byte of a longer character looks like a delimiter, a quote or a backslash. */
const safeEncodings = /^(UTF8|UNICODE|SQL_ASCII|LATIN\d+|ISO_8859_\d+|WIN125\d|EUC_\w+|KOI8\w)$/i;

function copyRewriter(
  output: Shape,
  options: CopyOptions,
  encoding: string,
  context: MaskContext,
): CopyMask | 'unsupported' | undefined {
  const taints = !context.nothingMasked && tainted(output.all, context.masked);
  const unreadable = options.encoding !== undefined || options.format === 'other' || !safeEncodings.test(encoding);
  if (unreadable) return taints || context.undeclared?.masks ? 'unsupported' : undefined;
  const binary = options.format === 'binary';
  const formats = binary ? [1] : [0];
  const masks = taints ? rowMasks(output, undefined, formats, { ...context, structured: true }) : 'all-pass';
  if (masks === undefined) return 'unsupported';
  const { hiding, watched } = undeclaredIn(output, undefined, formats, masks, context);
  const all = withHiding(masks, hiding) ?? (watched && Array.from({ length: watched.count }, () => undefined));
  if (all === undefined) return undefined;
  return binary ? new BinaryCopyRewriter(all, watched) : new CopyRewriter(all, options, watched);
}

interface Undeclared {
  /** Undefined: nothing is hidden in any of them. */
  readonly hiding?: readonly (CellMask | undefined)[];
  readonly watched?: WatchedColumns;
}

/** What detectors have to do with the columns that are not masked. */
function undeclaredIn(
  shape: Shape,
  fields: readonly RowField[] | undefined,
  formats: readonly number[] | undefined,
  masks: readonly (CellMask | undefined)[] | 'all-pass',
  { undeclared, secret }: MaskContext,
): Undeclared {
  const count = fields?.length ?? shape.columns?.length;
  if (undeclared === undefined || count === undefined) return {};
  const over = undeclared.over({
    count,
    shape,
    fields,
    formatOf: (at) => formatOf(at, fields?.[at], formats),
    masks: masks === 'all-pass' ? undefined : masks,
    declared: secret,
  });
  const hiding = over.map(([hides]) => hides);
  const watched = over.map(([, watches]) => watches);
  return {
    ...(hiding.some((one) => one !== undefined) ? { hiding } : {}),
    ...(watched.some((one) => one !== undefined) ? { watched: new WatchedColumns(watched, undeclared.rows) } : {}),
  };
}

function withHiding(
  masks: readonly (CellMask | undefined)[] | 'all-pass',
  hiding: Undeclared['hiding'],
): readonly (CellMask | undefined)[] | undefined {
  if (masks === 'all-pass') return hiding;
  return hiding === undefined ? masks : masks.map((mask, at) => mask ?? hiding[at]);
}

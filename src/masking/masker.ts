/**
 * One masking decision for a statement: its rows, its COPY output, its errors and notices.
 *
 * What lives here: plans by text. What it must not know: sockets, the order of messages, who decides about approval.
 *
 * How a session uses it, one SessionMasks for each client connection:
 * - Query, and Execute each time: `planFor(sql, searchPath)`. `deny`: answer as for a policy denial. `none`: raw bytes pass.
 * - `mask`: rows come out of the framer whole. At each RowDescription `forRow(fields, formats)`; at an Execute without
 *   one, `forRow(undefined, formats)` with Bind's result formats, or better the fields of an earlier Describe. The
 *   result rewrites each DataRow; undefined: rows pass as they are.
 * - CopyOutResponse: `forCopy(encoding)`, decided before forwarding, so that `unsupported` becomes a denial.
 * - ErrorResponse and NoticeResponse while the statement runs: `maskDiagnostics`, where `diagnostics` is true.
 */
import type { DetectorPolicy } from '../policy/read-detectors.js';
import type { MaskDeclaration } from '../policy/read-mask.js';
import type { Grammar } from '../sql/grammar/grammar.js';
import { type Lineage, LineageAnalyser } from '../sql/lineage/analyser.js';
import { anyColumn, type Flow, type LineageCatalog, type SearchPath } from '../sql/lineage/catalog.js';
import type { DerivedColumns } from '../sql/lineage/derived.js';
import { union } from '../sql/lineage/flow.js';
import type { Grouped } from '../sql/lineage/groups.js';
import { isMeasured } from '../sql/lineage/measured.js';
import { emptyShape, openShape, type Shape, unknownShape } from '../sql/lineage/shape.js';
import type { CopyOptions, Handles, Returns } from '../sql/lineage/statement.js';
import type { RowField } from '../wire/row-description.js';
import { BinaryCopyRewriter } from './binary-copy-rewriter.js';
import { CopyRewriter } from './copy-rewriter.js';
import type { Detected } from './detectors/detected.js';
import type { Exemptions } from './exemptions.js';
import { GroupRows } from './group-rows.js';
import type { CellMask } from './kinds/cell.js';
import type { MaskKeys } from './kinds/table.js';
import { MaskedColumns, type MaskLookup, shownOf } from './masked-columns.js';
import { formatOf, groupGuards, type MaskContext, rowMasks, secretConstants, tainted } from './plan.js';
import { type RowMask, RowRewriter } from './row-rewriter.js';
import { UndeclaredColumns } from './undeclared/undeclared-columns.js';
import { WatchedColumns, WatchedRows } from './undeclared/watched-rows.js';

export type MaskPlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'deny'; readonly reason: string; readonly hint: string }
  | RewritePlan;

/** Takes CopyData messages; gives those that are sent instead. */
export interface CopyMask {
  rewrite(bytes: Buffer, start: number, end: number): Buffer | undefined;
  finish(): Buffer | undefined;
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
  /** Masked columns (`schema.table.column`) of which conditions, orderings, sums or comparisons say something. */
  readonly inferred: readonly string[];
  /** Masked columns that may have a part in what is returned. */
  readonly masked: readonly MaskedName[];
}

export interface MaskedName {
  readonly name: readonly [schema: string, table: string, column: string];
  /** What is left of a value that is the column's own; see `revealedBy`. */
  readonly reveals: string;
}

const none: MaskPlan = { kind: 'none' };

export class Masker {
  readonly #declarations: readonly MaskDeclaration[];
  readonly #analyser: LineageAnalyser;
  readonly #catalog: LineageCatalog;
  readonly #keys: MaskKeys;
  #generation: number | undefined;
  #masked: MaskedColumns | undefined;
  #derived: DerivedColumns | undefined;
  readonly #cache = new Map<string, MaskPlan>();
  readonly #exemptions: Exemptions | undefined;
  readonly #undeclared: UndeclaredColumns | undefined;
  #exempted = 0;
  /** The catalog has been read once: what it says of tags is known. */
  #read = false;
  #lifted: MaskLookup | undefined;

  constructor(
    declarations: readonly MaskDeclaration[],
    grammar: Grammar,
    catalog: LineageCatalog,
    keys: MaskKeys,
    exemptions?: Exemptions,
    detectors?: DetectorPolicy,
  ) {
    this.#undeclared = detectors && new UndeclaredColumns(detectors, catalog);
    this.#exemptions = exemptions;
    this.#declarations = declarations;
    this.#analyser = new LineageAnalyser(grammar);
    this.#catalog = catalog;
    this.#keys = keys;
  }

  /** For one client connection. */
  session(): SessionMasks {
    return new SessionMasks(this);
  }

  /** @internal */
  get exemptions(): Exemptions | undefined {
    return this.#exemptions;
  }

  /** @internal A trigger sends masked values to whoever listens. */
  get exported(): boolean {
    return this.#context().nothingMasked ? false : (this.#masked?.exported ?? true);
  }

  /** @internal */
  get tagged(): boolean {
    this.#context();
    return this.#masked?.tagged ?? true;
  }

  /** @internal Called by the session's half. */
  plan(sql: string, searchPath: SearchPath, handles: Handles, cacheable: boolean): MaskPlan {
    const context = this.#context();
    const key = `${searchPath?.join('\0') ?? '?'}\0\0${sql}`;
    const known = cacheable && this.#catalog.current ? this.#cache.get(key) : undefined;
    if (known !== undefined) return known;
    const lineages = this.#analyser.analyse(sql, searchPath, this.#catalog, handles);
    const plan = lineages === undefined ? notUnderstood(context) : planOf(lineages, context);
    if (cacheable && this.#catalog.current && sql.length < maxCachedText) {
      if (this.#cache.size >= maxCached) this.#cache.clear();
      this.#cache.set(key, plan);
    }
    return plan;
  }

  #context(): MaskContext {
    if (this.#masked === undefined || this.#generation !== this.#catalog.generation) {
      // while the catalog is not known, what was derived before still is
      if (this.#catalog.current || this.#derived === undefined) this.#derived = this.#analyser.derived(this.#catalog);
      this.#masked = new MaskedColumns(this.#declarations, this.#catalog, this.#derived, this.#masked);
      this.#read ||= this.#catalog.current;
      this.#generation = this.#catalog.generation;
      this.#cache.clear();
      this.#lifted = undefined;
    }
    return {
      masked: this.#shown(this.#masked),
      secret: this.#masked,
      catalog: this.#catalog,
      keys: this.#keys,
      ...(this.#undeclared === undefined ? {} : { undeclared: this.#undeclared }),
      nothingMasked: this.#declarations.length === 0 && this.#read && this.#masked.isEmpty,
    };
  }

  /** What is left masked where a person has lifted some. */
  #shown(masked: MaskedColumns): MaskLookup {
    const exemptions = this.#exemptions;
    if (exemptions === undefined) return masked;
    const { version } = exemptions;
    if (version !== this.#exempted) {
      this.#cache.clear();
      this.#lifted = undefined;
      this.#exempted = version;
    }
    this.#lifted ??= masked.without((...name) => exemptions.isLifted(...name), this.#catalog);
    return this.#lifted;
  }
}

/** A name that has stood for more than this may stand for anything. */
const maxMeanings = 50;
const maxCached = 5000;
const maxCachedText = 64 << 10;

/** What cursors and prepared statements of one connection may return. */
export class SessionMasks {
  readonly #masker: Masker;
  readonly #handles = new Map<string, Map<string, Returns>>();

  constructor(masker: Masker) {
    this.#masker = masker;
  }

  /** What is notified may hold masked values, whoever wrote the row. */
  get hidesNotifications(): boolean {
    return this.#masker.exported;
  }

  get exemptions(): Exemptions | undefined {
    return this.#masker.exemptions;
  }

  /** Comments or labels in the database mask something: who changes them takes masks away, for the next run. */
  get hasTags(): boolean {
    return this.#masker.tagged;
  }

  /** Total. */
  planFor(sql: string, searchPath: SearchPath): MaskPlan {
    const cacheable = !/\b(declare|fetch|prepare|execute)\b/i.test(sql);
    return this.#masker.plan(sql, searchPath, this.#named, cacheable);
  }

  readonly #named: Handles = {
    get: (kind, name) => {
      const known = [...(this.#handles.get(`${kind} ${name}`)?.values() ?? [])];
      const [only, ...more] = known;
      if (only === undefined || more.length === 0) return only;
      if (known.length >= maxMeanings) return () => unknownShape;
      return (walk) => openShape(union(known.map((returns) => returns(walk).all)));
    },
    // The statement may fail and leave what the name stood for: it stands for both.
    add: (kind, name, returns, key) => {
      const handle = `${kind} ${name}`;
      const meanings = this.#handles.get(handle) ?? new Map<string, Returns>();
      this.#handles.set(handle, meanings);
      if (meanings.size < maxMeanings) meanings.set(key, returns);
    },
  };
}

/** Text that no grammar of ours reads. The server very probably rejects it; if not, nothing of its result passes. */
function notUnderstood(context: MaskContext): MaskPlan {
  if (context.nothingMasked) return none;
  return rewritePlan(unknownShape, undefined, true, [], context);
}

function planOf(lineages: readonly Lineage[], context: MaskContext): MaskPlan {
  const { secret, nothingMasked = false } = context;
  for (const lineage of nothingMasked ? [] : lineages) {
    if (leaks(lineage, context)) {
      return {
        kind: 'deny',
        reason: 'This would copy values of masked columns to where they are not masked.',
        hint: 'Leave the masked columns out of what is written. Right after DDL, commit first.',
      };
    }
  }
  const diagnostics = !nothingMasked && lineages.some((one) => mayShowValues(one, context));
  const output = outputOf(lineages);
  const copies = lineages.flatMap((one) => (typeof one.kind === 'object' ? [one] : []));
  const returns = lineages.some((one) => one.output !== emptyShape);
  if (!diagnostics && !returns && copies.length === 0) return none;
  const said = new Set([...output.all].filter(isMeasured));
  const inferred = union([...lineages.map((one) => one.inferred), said]);
  return rewritePlan(output, copies, diagnostics, namesOf(inferred, secret), context, {
    results: resultsOf(lineages),
    grouped: lineages.length === 1 ? lineages[0]?.grouped : undefined,
  });
}

/** In its errors and notices. */
function mayShowValues(lineage: Lineage, { secret, catalog }: MaskContext): boolean {
  if (lineage.kind === 'end' || lineage.opaque || lineage.unbound || lineage.triggers) return true;
  const touched = [...lineage.relations].filter((oid) => secret.has(oid));
  const onlyReads = (lineage.kind === 'query' || typeof lineage.kind === 'object') && !lineage.writes;
  if (!onlyReads || touched.some((oid) => catalog.byOid(oid)?.secured !== false)) return touched.length > 0;
  return tainted(lineage.examined, secret) || secret.of(lineage.examined).length > 0;
}

/** Where several statements come in one Query and some may or may not send rows, any result may be any of them. */
function resultsOf(lineages: readonly Lineage[]): readonly Shape[] {
  if (lineages.length < 2 || lineages.some((one) => one.maySend)) return [];
  return lineages.flatMap((one) => (one.output === emptyShape || typeof one.kind === 'object' ? [] : [one.output]));
}

/** Any of the results. */
function outputOf(lineages: readonly Lineage[]): Shape {
  const [only, ...more] = lineages;
  if (only === undefined) return emptyShape;
  return more.length === 0 ? only.output : openShape(union(lineages.map((one) => one.output.all)));
}

function leaks(lineage: Lineage, { secret: masked }: MaskContext): boolean {
  return lineage.sinks.some(({ flow, into }) => {
    if (into !== undefined && masked.get(into) !== undefined) return false;
    return masked.in(flow).length > 0 || flow.has(anyColumn) || secretConstants(flow, masked) !== undefined;
  });
}

function namesOf(flow: Flow, masked: MaskLookup): string[] {
  return masked.of(flow).map(({ relation, column }) => `${relation.schema}.${relation.name}.${column.name}`);
}

function rewritePlan(
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
    inferred,
    masked: [...new Set(context.masked.in(output.all))].map((one) => ({
      name: [one.relation.schema, one.relation.name, one.column.name],
      reveals: shownOf(one),
    })),
    forRow(fields, formats, encoding = '', nth = -1) {
      const shape = results[nth] ?? output;
      const masks = rowMasks(shape, fields, formats, { ...context, structured: safeEncodings.test(encoding) });
      if (masks === undefined) return new RowRewriter(masks);
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

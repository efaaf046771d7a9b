/**
 * One masking decision for a statement: its rows, its COPY output, its errors and notices.
 *
 * What lives here: plans by text. What it must not know: sockets, the order of messages, who decides about approval.
 *
 * How a session uses it, one SessionMasks (session-masks.ts) for each client connection:
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
import type { LineageCatalog, SearchPath } from '../sql/lineage/catalog.js';
import { type DerivedColumns, nothingDerived } from '../sql/lineage/derived.js';
import { outdated } from '../sql/lineage/names.js';
import type { Handles } from '../sql/lineage/statement.js';
import type { OwnNames } from '../sql/lineage/temporary.js';
import { bothPending, nothingPending, type PendingCode, unseenOf } from '../sql/lineage/unfollowed.js';
import { withDeclared } from './declared-by-name.js';
import type { Exemptions } from './exemptions.js';
import type { MaskKeys } from './kinds/table.js';
import { MaskedColumns, type MaskLookup } from './masked-columns.js';
import type { MaskContext } from './plan.js';
import { type MaskPlan, notUnderstood, planOf } from './statement-plan.js';
import { UndeclaredColumns } from './undeclared/undeclared-columns.js';

export class Masker {
  readonly #declarations: readonly MaskDeclaration[];
  readonly #analyser: LineageAnalyser;
  readonly #catalog: LineageCatalog;
  readonly #keys: MaskKeys;
  #generation: number | undefined;
  #masked: MaskedColumns | undefined;
  /** What stays masked for the rest of the run, be it renamed, and what makes it dropped. */
  #lasting: MaskedColumns | undefined;
  #derived: DerivedColumns | undefined;
  readonly #cache = new Map<string, MaskPlan>();
  /** The last text that is too long for the cache: Parse, Bind and Execute ask about the same one. */
  #long: { readonly sql: string; readonly path: string; readonly plan: MaskPlan } | undefined;
  readonly #exemptions: Exemptions | undefined;
  readonly #undeclared: UndeclaredColumns | undefined;
  #exempted = 0;
  /** Sets of names that sessions have had for themselves. */
  #variants = 0;
  /** The catalog has been read once: what it says of tags is known. */
  #read = false;
  #lifted: MaskLookup | undefined;
  /** What statements of any session have put where it runs by itself, since the catalog was read last. */
  #pending: PendingCode = nothingPending;
  /** Names over which such code runs, or may. */
  #unread: ReadonlySet<string> = new Set();
  #unreadAt = -1;
  /** It may have run. */
  #overrun = false;
  /** All of that in this run. */
  #defined: PendingCode = nothingPending;
  /** What of it cannot be followed, although it has been read. */
  #unseen: PendingCode = nothingPending;

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
  plan(sql: string, searchPath: SearchPath, handles: Handles, cacheable: boolean, own: KnownNames): MaskPlan {
    const context = this.#context();
    const path = `${searchPath?.join('\0') ?? '?'}${own.variant}`;
    const before = cacheable && this.#catalog.current ? this.#known(sql, path) : undefined;
    if (before !== undefined) return before;
    const lineages = this.#lineages(sql, searchPath, handles, own);
    const overrun = this.#isOverrun || lineages?.some((one) => one.overrun) === true;
    const known = withDeclared({ ...context, overrun }, this.#declarations, [
      ...own.fresh.values(),
      ...(lineages ?? []).map(({ made }) => (made?.lasting ? made.relation : undefined)),
    ]);
    const plan = lineages === undefined ? notUnderstood(known) : planOf(lineages, known);
    if (cacheable && this.#catalog.current) this.#keep(sql, path, plan);
    return plan;
  }

  /** @internal A text that may put code where it runs by itself goes to the server. */
  defining(sql: string, lasting: boolean): void {
    this.#pending = this.#analyser.pendingAfter(sql, this.#pendingNow, this.#catalog, !lasting);
    this.#defined = bothPending(this.#defined, this.#pending);
    const unread = lasting ? this.#analyser.unreadAfter(sql, this.#catalog) : [];
    if (unread.length > 0) {
      this.#unread = new Set([...this.#unread, ...unread]);
      this.#unreadAt = this.#catalog.generation;
    }
    this.#notice(sql);
  }

  /** @internal A text may go to the server. */
  running(sql: string): void {
    if (!this.#catalog.current) this.#notice(sql);
  }

  /** Behind code that nobody has read everything may be another than the catalog says, and hold other values. */
  #notice(sql: string): void {
    if (this.#overrun || this.#unread.size === 0) return;
    this.#overrun = this.#analyser.mayRunCode(sql, this.#unread, this.#catalog);
  }

  get #isOverrun(): boolean {
    return this.#overrun && !this.#catalog.current;
  }

  get #pendingNow(): PendingCode {
    if (!this.#catalog.current) return this.#pending;
    this.#pending = this.#unseen;
    // what was defined is told to the catalog a moment later
    if (this.#catalog.generation !== this.#unreadAt) {
      this.#unread = new Set();
      this.#overrun = false;
    }
    return this.#pending;
  }

  /** @internal What each statement of a text does to relations that the catalog does not know; undefined: anything. */
  names(sql: string, searchPath: SearchPath, handles: Handles, own: KnownNames): readonly NamesAfter[] | undefined {
    return this.#lineages(sql, searchPath, handles, own);
  }

  #lineages(sql: string, searchPath: SearchPath, handles: Handles, own: KnownNames): readonly Lineage[] | undefined {
    const pending = this.#pendingNow;
    const names: OwnNames = { ...own, ...this.#filling, ...(this.#catalog.current ? {} : { unread: this.#unread }) };
    const catalog = this.#isOverrun ? outdated(this.#catalog) : this.#catalog;
    return this.#analyser.analyse(sql, searchPath, catalog, handles, names, pending);
  }

  /** What may put masked values into a table of any name: triggers and rules that cannot be followed, above all. */
  get #filling(): Pick<OwnNames, 'trusted' | 'fills'> {
    const fills = this.exported || this.#derived?.unseen.length !== 0;
    const isQuiet = (kind: string): boolean => this.#catalog.behind('made', kind)?.length === 0;
    return { fills, trusted: isQuiet('event') && (!fills || isQuiet('domain')) };
  }

  /** @internal The text may have run such code. */
  fills(sql: string, searchPath: SearchPath, handles: Handles, own: KnownNames): boolean {
    if (!this.#filling.fills) return false;
    return this.#lineages(sql, searchPath, handles, own)?.some(({ fills }) => fills) ?? true;
  }

  /** @internal */
  newVariant(): string {
    return ` ${++this.#variants}`;
  }

  #known(sql: string, path: string): MaskPlan | undefined {
    if (sql.length < maxCachedText) return this.#cache.get(keyOf(sql, path));
    return this.#long?.sql === sql && this.#long.path === path ? this.#long.plan : undefined;
  }

  #keep(sql: string, path: string, plan: MaskPlan): void {
    if (sql.length >= maxCachedText) {
      this.#long = { sql, path, plan };
      return;
    }
    if (this.#cache.size >= maxCached) this.#cache.clear();
    this.#cache.set(keyOf(sql, path), plan);
  }

  #forget(): void {
    this.#cache.clear();
    this.#long = undefined;
    this.#lifted = undefined;
  }

  #context(): MaskContext {
    if (this.#masked === undefined || this.#generation !== this.#catalog.generation) {
      // while the catalog is not known, what was derived before still is
      if (this.#catalog.current || this.#derived === undefined) this.#derived = this.#analyser.derived(this.#catalog);
      if (this.#catalog.current) this.#unseen = unseenOf(this.#derived, this.#defined);
      this.#read ||= this.#catalog.current;
      this.#masked = this.#maskedBy(this.#derived);
      // what may be derived while triggers are not known is hidden meanwhile, and no longer
      this.#lasting = this.#read ? this.#masked : this.#maskedBy(nothingDerived);
      this.#generation = this.#catalog.generation;
      this.#forget();
    }
    return {
      masked: this.#shown(this.#masked),
      secret: this.#masked,
      catalog: this.#catalog,
      keys: this.#keys,
      formed: (column) => this.#analyser.hasForm(column),
      ...(this.#undeclared === undefined ? {} : { undeclared: this.#undeclared }),
      nothingMasked: this.#declarations.length === 0 && this.#read && this.#masked.isEmpty,
    };
  }

  #maskedBy(derived: DerivedColumns): MaskedColumns {
    return new MaskedColumns(this.#declarations, this.#catalog, derived, this.#lasting);
  }

  /** What is left masked where a person has lifted some. */
  #shown(masked: MaskedColumns): MaskLookup {
    const exemptions = this.#exemptions;
    if (exemptions === undefined) return masked;
    const { version } = exemptions;
    if (version !== this.#exempted) {
      this.#forget();
      this.#exempted = version;
    }
    this.#lifted ??= masked.without((...name) => exemptions.isLifted(...name), this.#catalog);
    return this.#lifted;
  }
}

/** What a statement does to what names mean in its session. */
export type NamesAfter = Pick<Lineage, 'made' | 'lost' | 'idle' | 'opaque' | 'configures'>;

function keyOf(sql: string, path: string): string {
  return `${path}\0\0${sql}`;
}

/** What names mean in one session, but for what any statement may run. */
export type KnownNames = Omit<OwnNames, 'trusted' | 'fills' | 'unread'>;

const maxCached = 5000;
const maxCachedText = 64 << 10;

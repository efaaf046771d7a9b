/**
 * Lineage: for each column that a statement returns, the base columns that may have a part in it.
 *
 * Sound, not complete: what is not understood gives a flow that contains `anyColumn`, or a layout that is not known.
 * Conditions and orderings do not flow into the output; they are reported apart, as inference.
 */
import type { Grammar } from '../grammar/grammar.js';
import { as, type Node, tagOf } from '../grammar/tree.js';
import { boundCatalog, recording } from './bound-names.js';
import type { BaseColumn, CatalogRelation, Flow, LineageCatalog, SearchPath } from './catalog.js';
import { unreadAfter } from './changed-names.js';
import { CodeFlows, type StartWalk } from './code-flow.js';
import { type DerivedColumns, derivedColumns } from './derived.js';
import { FunctionConduct } from './functions.js';
import { type Grouped, groupedOutput } from './groups.js';
import { dropsNothing, type LostNames, lostNames } from './lost-names.js';
import { everyName } from './name-doubts.js';
import { TextNames } from './names.js';
import { makesNew, newRelation } from './new-relations.js';
import type { LineageScope } from './scope.js';
import { type Shape, type Sink, unknownShape } from './shape.js';
import { type Handles, type StatementKind, statementLineage } from './statement.js';
import { StatementWalk } from './statement-walk.js';
import { StoredForms } from './stored-forms.js';
import { type MadeRelation, madeRelation, mayFill, noOwnNames } from './temporary.js';
import {
  anythingPending,
  mayRunCode,
  mayRunPending,
  nothingPending,
  type PendingCode,
  pendingAfter,
} from './unfollowed.js';
import type { LineageWalk } from './walk.js';
import { writeShape } from './write.js';

export interface Lineage {
  readonly kind: StatementKind;
  /** The rows that come back. */
  readonly output: Shape;
  /** Whether rows come back is not known; otherwise they do where `output` is not `emptyShape`. */
  readonly maySend: boolean;
  /** Columns that conditions, orderings and groupings look at: what they hold can be inferred from the result. */
  readonly inferred: Flow;
  /** Columns that expressions look at: what they hold may stand in an error. */
  readonly examined: Flow;
  /** Rows are written: an error may show any of them whole. */
  readonly writes: boolean;
  readonly sinks: readonly Sink[];
  /** Every relation named, through views too, by oid. */
  readonly relations: ReadonlySet<number>;
  /** A name could not be bound, or code runs that cannot be seen. */
  readonly opaque: boolean;
  /** Settings may be others afterwards, by a function. */
  readonly configures: boolean;
  /** A relation could not be bound: the catalog does not know it, or is not current. */
  readonly unbound: boolean;
  /** A write that fires triggers of the application's own. */
  readonly triggers: boolean;
  /** Before it, others in the text may have run code that nobody has read. */
  readonly overrun: boolean;
  /** It may run code that was put there since the catalog was read, and that nobody has followed. */
  readonly unfollowed: boolean;
  /** Code that the database runs by itself may have put something into tables of any name. */
  readonly fills: boolean;
  /** A relation that it makes for the session alone, or that nobody else sees before it is committed. */
  readonly made?: MadeRelation | undefined;
  /** What it leaves unknown of those that the transaction has made. */
  readonly lost: LostNames;
  /** It drops what is not there. */
  readonly idle: boolean;
  /** Statistics of groups, where the text is nothing but a query for them. */
  readonly grouped?: Grouped | undefined;
}

interface WalkStart {
  readonly depth?: number;
  readonly scope?: LineageScope | undefined;
  readonly parameters?: readonly Flow[];
  /** Of what functions are called under. */
  readonly callPath?: SearchPath;
  /** What names in the bodies of functions mean, and in lasting views. */
  readonly bodies?: LineageCatalog;
}

/** Views on views on views: PostgreSQL itself has no limit, but nobody needs more. */
const maxViewDepth = 20;

export class LineageAnalyser {
  readonly #grammar: Grammar;
  readonly #functions = new FunctionConduct();
  readonly #code: CodeFlows;
  /** By oid and by the path that functions in it are called under. */
  readonly #views = new Map<string, { readonly walk: LineageWalk; readonly shape: Shape }>();
  readonly #forms = new StoredForms();
  #rewritten: DerivedColumns['rewritten'] = new Map();
  #generation: number | undefined;
  /** Relations that no catalog has numbered yet are numbered from here down. */
  #lastMade = 0;

  constructor(grammar: Grammar) {
    this.#grammar = grammar;
    this.#code = new CodeFlows(grammar);
  }

  /** One Lineage for each statement of the text; undefined when the text cannot be read. Never throws. */
  analyse(
    sql: string,
    searchPath: SearchPath,
    catalog: LineageCatalog,
    handles: Handles,
    own = noOwnNames,
    pendingBefore = nothingPending,
  ): readonly Lineage[] | undefined {
    this.#forget(catalog);
    try {
      const parsed = this.#grammar.parse(sql);
      if ('rejection' in parsed) return undefined;
      const names = new TextNames(searchPath, catalog, own);
      let pending = pendingBefore;
      return (parsed.tree.stmts ?? []).map(({ stmt }) => {
        const unfollowed = mayRunPending(stmt, pending, catalog);
        const walk = this.#walk(names.searchPath, names.catalog);
        const { overrun } = names;
        const { kind, output, maySend = false, rows } = statementLineage(stmt, walk, handles);
        const isFollowed = own.trusted && !walk.opaque && !walk.configures;
        const made = isFollowed ? this.#made(stmt, rows, names, pending) : undefined;
        const idle = stmt !== undefined && dropsNothing(stmt, names.catalog);
        const lost = made || idle || !stmt ? [] : lostNames(stmt, walk, names.fresh, catalog);
        pending = pendingAfter(stmt, pending, catalog, made !== undefined);
        names.after(stmt, walk, made);
        return {
          kind,
          output,
          maySend,
          inferred: walk.inferred,
          examined: walk.examined,
          writes: walk.writes,
          sinks: walk.sinks,
          relations: walk.relations,
          opaque: walk.opaque,
          configures: walk.configures,
          unbound: walk.unbound,
          triggers: walk.triggers,
          overrun,
          unfollowed,
          fills: own.fills && stmt !== undefined && mayFill(stmt, walk),
          made,
          lost,
          idle,
          grouped: parsed.tree.stmts?.length === 1 ? groupedOutput(stmt, walk) : undefined,
        };
      });
    } catch {
      // Nesting beyond the stack, a tree of a form that nobody has seen: not understood.
      return undefined;
    }
  }

  #made(
    stmt: Node | undefined,
    rows: Shape | undefined,
    names: TextNames,
    pending: PendingCode,
  ): MadeRelation | undefined {
    if (stmt === undefined || !makesNew.has(tagOf(stmt))) return undefined;
    const view = as(stmt, 'ViewStmt')?.query;
    const recorded = view && recording(names.catalog);
    const shape = recorded
      ? this.#walk(names.searchPath, recorded.catalog, { bodies: names.catalog }).query(view)
      : rows;
    const { catalog, searchPath } = names;
    const oid = this.#lastMade - 1;
    const definitions = { catalog, pending, walk: () => this.#walk(searchPath, catalog) };
    const made =
      madeRelation(stmt, shape, catalog, searchPath, oid, recorded?.bound) ??
      newRelation(stmt, { definitions, searchPath, oid, rows: shape, bound: recorded?.bound });
    if (made !== undefined) this.#lastMade--;
    return made;
  }

  /** What is pending once the text has run. @param followed see unfollowed.ts. Never throws. */
  pendingAfter(sql: string, before: PendingCode, catalog: LineageCatalog, followed: boolean): PendingCode {
    const parsed = this.#grammar.parse(sql);
    if ('rejection' in parsed) return anythingPending;
    return (parsed.tree.stmts ?? []).reduce(
      (pending, { stmt }) => pendingAfter(stmt, pending, catalog, followed),
      before,
    );
  }

  /** Names over which code may run, once the text has run, that the catalog did not say. Never throws. */
  unreadAfter(sql: string, catalog: LineageCatalog): readonly string[] {
    const parsed = this.#grammar.parse(sql);
    if ('rejection' in parsed) return [everyName];
    return (parsed.tree.stmts ?? []).flatMap(({ stmt }) => {
      return stmt === undefined ? [] : unreadAfter(stmt, catalog);
    });
  }

  /** The text may run code over one of these names, or by itself. Never throws. */
  mayRunCode(sql: string, unread: ReadonlySet<string>, catalog: LineageCatalog): boolean {
    const parsed = this.#grammar.parse(sql);
    if ('rejection' in parsed) return true;
    return (parsed.tree.stmts ?? []).some(({ stmt }) => stmt !== undefined && mayRunCode(stmt, unread, catalog));
  }

  /** What the database makes of its own columns. Never throws. */
  derived(catalog: LineageCatalog): DerivedColumns {
    this.#forget(catalog);
    const derived = derivedColumns(catalog, this.#grammar, (path, scope, parameters) =>
      this.#walk(path, catalog, { scope, parameters }),
    );
    this.#rewritten = derived.rewritten;
    this.#forms.widen(derived.columns, catalog);
    // what was followed meanwhile took those columns for what they were before
    this.#views.clear();
    this.#code.clear();
    return derived;
  }

  /** What a column holds has a form that is followed wherever it is read by its name. */
  hasForm(column: BaseColumn): boolean {
    return this.#forms.of(column) !== undefined;
  }

  #forget(catalog: LineageCatalog): void {
    if (this.#generation === catalog.generation) return;
    this.#views.clear();
    this.#code.clear();
    this.#generation = catalog.generation;
  }

  #walk(
    searchPath: SearchPath,
    catalog: LineageCatalog,
    { depth = 0, scope, parameters = [], callPath = searchPath, bodies = catalog }: WalkStart = {},
  ): LineageWalk {
    const start: StartWalk = (path, inner, values) =>
      this.#walk(path, bodies, { depth, scope: inner, parameters: values });
    return new StatementWalk({
      catalog,
      searchPath,
      callPath,
      scope,
      parameters,
      codeFlow: (code, path) => this.#code.of(code, path, start, catalog.variant),
      defaultsOf: (code, path) => this.#code.defaults(code, path, start, catalog.variant),
      blockFlow: (language, body, path) => this.#code.block(language, body, path, start),
      textFlow: (sql, path) => this.#code.text(sql, path, start),
      functions: this.#functions,
      writeShape,
      rewritten: (relation) => this.#rewritten.get(relation),
      storedForm: (column) => this.#forms.of(column),
      viewShape: (relation, outer) => {
        const key = `${relation.oid} ${callPath?.join('\0') ?? '?'} ${catalog.variant ?? ''}`;
        let view = this.#views.get(key);
        if (view === undefined) {
          const { made } = relation;
          const walk = this.#walk(made ? made.searchPath : [], made ? boundCatalog(made.bound, bodies) : bodies, {
            depth: depth + 1,
            callPath,
            bodies,
          });
          view = { walk, shape: depth > maxViewDepth ? unknownShape : this.#view(relation, walk) };
          this.#views.set(key, view);
        }
        outer.adopt(view.walk);
        return view.shape;
      },
    });
  }

  #view({ definition = '', made }: CatalogRelation, walk: LineageWalk): Shape {
    if (made !== undefined) return walk.query(made.query);
    const parsed = this.#grammar.parse(definition);
    const stmt = 'tree' in parsed ? parsed.tree.stmts?.[0]?.stmt : undefined;
    if (stmt !== undefined) return walk.query(stmt, undefined);
    walk.opaque = true;
    return unknownShape;
  }
}

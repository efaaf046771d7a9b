/**
 * One walk through a statement, a view or a body: what it was seen to touch, and the parts that it is done by.
 * State: what was touched. Must not know masks, nor how any syntax is followed: that is what the parts know.
 */
import type { RangeVar, WithClause } from 'libpg-query';
import { eachChild, type Node } from '../grammar/tree.js';
import {
  anyFlow,
  argumentOf,
  type BaseColumn,
  type CatalogCode,
  type CatalogRelation,
  type Flow,
  type LineageCatalog,
  noFlow,
  type SearchPath,
} from './catalog.js';
import { union } from './flow.js';
import type { FunctionConduct } from './functions.js';
import { isMeasured, measured, measuredColumn } from './measured.js';
import { columnOf } from './places.js';
import type { FromItem, LineageScope } from './scope.js';
import { type Column, type Shape, type Sink, unknownShape } from './shape.js';
import { converted, fieldsOf, plain, reflowed, type Value, withBeside } from './structure.js';

/** What a call of a function does, its arguments left open: what it touched, and the rows that it gives back. */
export interface CodeFlow {
  readonly walk: LineageWalk;
  readonly rows: Shape;
}

export interface LineageKnowledge {
  readonly catalog: LineageCatalog;
  readonly searchPath: SearchPath;
  /** Of what functions are called under: a view's own names are bound once and for all, those in bodies that it calls anew. */
  readonly callPath: SearchPath;
  /** Of a function's body: its parameters and variables. */
  readonly scope?: LineageScope | undefined;
  /** What `$1` and so on stand for; a client's values are its own. */
  readonly parameters?: readonly Flow[];
  readonly codeFlow: (code: CatalogCode, searchPath: SearchPath) => CodeFlow;
  /** What the last arguments of a call are that leaves them out. */
  readonly defaultsOf: (code: CatalogCode, searchPath: SearchPath) => CodeFlow;
  /** The body of DO. */
  readonly blockFlow: (language: string, body: string, searchPath: SearchPath) => CodeFlow;
  /** Statements in a text that a function runs; the values of their rows. */
  readonly textFlow: (sql: string, searchPath: SearchPath) => { readonly walk: LineageWalk; readonly rows: Flow };
  readonly functions: FunctionConduct;
  /** The columns of a view by its definition; `outer` adopts what it touches. */
  readonly viewShape: (relation: CatalogRelation, outer: LineageWalk) => Shape;
  /** What a column holds that the database itself fills, where that has a form. */
  readonly storedForm: (column: BaseColumn) => Value | undefined;
  /** Columns of a relation that triggers may put other values into before a row is stored; undefined: any. */
  readonly rewritten: (relation: number) => ReadonlySet<number> | undefined;
  /** The rows of RETURNING; undefined for a statement that is no write. */
  readonly writeShape: (node: Node, walk: LineageWalk, outer: LineageScope | undefined) => Shape | undefined;
}

/** Rounds of recursive queries inside each other multiply: a text must not be able to hang the proxy. */
const maxVisits = 50_000;

export abstract class LineageWalk {
  readonly knowledge: LineageKnowledge;
  inferred: Flow = noFlow;
  /** Every column that some expression looks at: no error can show another, unless rows are written. */
  examined: Flow = noFlow;
  readonly sinks: Sink[] = [];
  readonly relations = new Set<number>();
  opaque = false;
  unbound = false;
  triggers = false;
  writes = false;
  rules = false;
  /** What calls of the application's own code give back: the planner may evaluate them, and a plan shows it. */
  computed: Flow = noFlow;
  /** set_config() runs, of whatever setting. */
  configures = false;
  #visited = 0;

  constructor(knowledge: LineageKnowledge) {
    this.knowledge = knowledge;
  }

  /** The rows of anything that stands where a query may: SELECT, VALUES, or a statement with RETURNING. */
  abstract query(node: Node | undefined, outer?: LineageScope): Shape;
  abstract targetList(list: readonly Node[], scope: LineageScope): Shape;
  /** Binds WITH queries in `scope`. */
  abstract with(clause: WithClause | undefined, scope: LineageScope): void;
  abstract fromItem(node: Node, scope: LineageScope): FromItem;
  /** One value as a column, under the name that PostgreSQL gives it. */
  abstract value(node: Node | undefined, scope: LineageScope): Column;
  /** The rows that a call gives back: of what PostgreSQL has by that name, and of what the application has. */
  abstract callShape(node: Node, scope: LineageScope): Shape;
  abstract relation(range: RangeVar): CatalogRelation | undefined;
  abstract tableShape(range: RangeVar): Shape;

  /** What may have a part in the value of an expression. */
  flow(node: Node | undefined, scope: LineageScope): Flow {
    return this.value(node, scope).flow;
  }

  /** What flows in everything below a node: `struct` is what it is made of. */
  below(struct: unknown, scope: LineageScope): Flow {
    const flows: Flow[] = [];
    eachChild(struct, (child) => {
      flows.push(this.flow(child, scope));
    });
    return union(flows);
  }

  infer(flow: Flow): void {
    this.inferred = union([this.inferred, new Set([...flow].map(columnOf))]);
  }

  /** @param given the arguments of a call: what `argument(n)` in what `inner` found stands for */
  adopt(inner: LineageWalk, given?: readonly Value[]): void {
    this.infer(inserted(inner.inferred, given));
    this.examined = union([this.examined, inserted(inner.examined, given)]);
    this.writes ||= inner.writes;
    for (const { value, ...sink } of inner.sinks) {
      const known = value && { value: reflowed(value, (flow) => inserted(flow, given)) };
      this.sinks.push({ ...sink, flow: inserted(sink.flow, given), ...known });
    }
    for (const oid of inner.relations) this.relations.add(oid);
    this.opaque ||= inner.opaque;
    this.unbound ||= inner.unbound;
    this.triggers ||= inner.triggers;
    this.configures ||= inner.configures;
    this.computed = union([this.computed, inserted(inner.computed, given)]);
  }

  /**
   * The rows that a call of the application's own code gives back.
   * @param named `given` may stand for any of the parameters, in whatever order
   */
  call(code: CatalogCode, given: readonly Value[], named = false): Shape {
    const { walk, rows } = this.knowledge.codeFlow(code, this.knowledge.callPath);
    const values = code.defaults === undefined ? given : this.#completed(code, given, named);
    this.adopt(walk, values);
    this.computed = union([this.computed, inserted(rows.all, values)]);
    const insert = (flow: Flow): Flow => inserted(flow, values);
    return {
      columns: rows.columns?.map((one) => ({ ...converted(reflowed(one, insert)), name: one.name })),
      all: insert(rows.all),
      whole: rows.whole && reflowed(rows.whole, insert),
    };
  }

  /**
   * Code that runs because a relation is touched: what it reads, an error or a notice of it may show.
   * @param row what its arguments may be, where it runs on a read too
   */
  passBy(code: CatalogCode | undefined, row: Flow | undefined): void {
    // of PostgreSQL's own, or of an extension
    if (code?.extension) return;
    const walk = code && this.knowledge.codeFlow(code, this.knowledge.callPath).walk;
    for (const oid of walk?.relations ?? []) this.relations.add(oid);
    if (walk && row) {
      const given = code.inputs.map(() => plain(row));
      this.examined = union([this.examined, inserted(walk.examined, given)]);
    }
    this.triggers ||= walk === undefined || walk.opaque || walk.unbound || walk.triggers || walk.writes;
  }

  #completed(code: CatalogCode, given: readonly Value[], named: boolean): readonly Value[] {
    const { walk, rows } = this.knowledge.defaultsOf(code, this.knowledge.callPath);
    if (!named && given.length >= code.inputs.length) return given;
    this.adopt(walk);
    const from = code.inputs.length - (rows.columns?.length ?? code.inputs.length);
    return code.inputs.map((_, at) => {
      const left =
        rows.columns === undefined ? rows : { all: at < from ? noFlow : (rows.columns[at - from]?.flow ?? noFlow) };
      const value = given[at];
      if (value === undefined) return plain(left.all);
      return named ? withBeside(value, left.all) : value;
    });
  }

  notUnderstood(): Shape {
    this.opaque = true;
    return unknownShape;
  }

  /** Nobody knows what is behind it. */
  unseen(carried: Flow): Flow {
    this.opaque = true;
    return union([carried, anyFlow]);
  }

  /** Throws RangeError once the statement has taken more visits than any that a person wrote. */
  visit(): void {
    if (++this.#visited > maxVisits) throw new RangeError('the statement takes too long to understand');
  }
}

/** `flow` with the arguments of a call in the place of what they were called in the body. */
function inserted(flow: Flow, given: readonly Value[] | undefined): Flow {
  if (given === undefined) return flow;
  let open = false;
  for (const column of flow) if (column.startsWith('$')) open = true;
  if (!open) return flow;
  const known = [...flow].filter((column) => !column.startsWith('$'));
  const filled = [...flow]
    .filter((column) => column.startsWith('$'))
    .map((column) => {
      const whole = argumentFlow(measuredColumn(column), given);
      return isMeasured(column) ? measured(whole) : whole;
    });
  return union([new Set(known), ...filled]);
}

function argumentFlow(column: string, given: readonly Value[]): Flow {
  const { position, field } = argumentOf(column);
  const value = given[position - 1];
  if (value === undefined) return noFlow;
  const named = field === undefined ? [] : fieldsOf(value)?.filter(({ name }) => name === field);
  return named?.length === 1 && named[0] !== undefined ? named[0].flow : value.flow;
}

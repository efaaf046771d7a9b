/**
 * What a handler of one kind of node may do. State: the facts collected so far for one statement.
 * Must not know any particular node: handlers for those are put together in visitor.ts.
 */
import type { BuiltInFunctions } from './builtin-functions.js';
import type { CatalogFunctions } from './catalog-functions.js';
import { type EffectDetails, EffectList } from './effect-list.js';
import { Effort } from './effort.js';
import type { EffectKind, Handle, StatementFacts, TransactionEffect } from './facts.js';
import type { Grammar } from './grammar.js';
import { Scope } from './scope.js';
import { eachChild, type Node, type NodeTypes, type Tag } from './tree.js';

/** What all statements of one analyser share. */
export interface Knowledge {
  readonly grammar: Grammar;
  readonly builtIns: BuiltInFunctions;
  readonly catalog: CatalogFunctions | undefined;
}

export type Visit = (node: Node, scope: Scope, walk: Walk) => void;

/** For each node tag, what it means. A tag that is missing is not known to us. */
export type Handlers = {
  readonly [T in Tag]?: (struct: NodeTypes[T], walk: Walk, scope: Scope, node: Node) => void;
};

/**
 * `run`: the statement is executed. `plan`: only planned (EXPLAIN): tables are looked at, and functions of users may
 * be run by the planner. `define`: stored for later (views, rules, function bodies).
 */
export type Mode = 'run' | 'plan' | 'define';

/** Text within text (a function body in a DO block in a string ...) is followed this far. */
const maxTextDepth = 8;

export class Walk {
  readonly knowledge: Knowledge;
  readonly effects = new EffectList();
  readonly functions = new Set<string>();
  /** User functions whose bodies are being read, against recursion. */
  readonly bodies: Set<string>;
  readonly effort: Effort;
  /** The statement's own text. */
  source = '';
  command = '';
  parameters = 0;
  deferred = false;
  transaction: TransactionEffect | undefined;
  handle: Handle | undefined;
  #mode: Mode = 'run';
  readonly #visit: Visit;
  readonly #textDepth: number;

  constructor(knowledge: Knowledge, visit: Visit, parent?: Walk) {
    this.knowledge = knowledge;
    this.#visit = visit;
    this.#textDepth = parent === undefined ? 0 : parent.#textDepth + 1;
    this.bodies = parent?.bodies ?? new Set();
    this.effort = parent?.effort ?? new Effort();
  }

  get mode(): Mode {
    return this.#mode;
  }

  add(kind: EffectKind, details: EffectDetails = {}): void {
    if (this.#mode === 'plan') {
      this.#addPlanned(kind, details);
    } else if (this.#mode === 'define') {
      this.effects.add(kind, { ...details, detail: [details.detail, 'in definition'].filter(Boolean).join(', ') });
    } else {
      this.effects.add(kind, details);
    }
  }

  /** The planner looks at every table, writes none, and may run functions that claim to be stable. */
  #addPlanned(kind: EffectKind, details: EffectDetails): void {
    const tables = details.targets?.filter((target) => target?.type === 'table') ?? [];
    if (tables.length > 0) this.effects.add('read', { ...details, targets: tables, detail: 'explain' });
    else if (kind === 'unknown' || (kind === 'function-call' && details.opaque === true))
      this.effects.add(kind, details);
  }

  visit(node: Node | undefined, scope: Scope): void {
    if (node !== undefined) this.#visit(node, scope, this);
  }

  visitAll(nodes: readonly Node[] | undefined, scope: Scope): void {
    for (const node of nodes ?? []) this.visit(node, scope);
  }

  /** Everything below a struct: so nothing that we do not treat on purpose goes unseen. */
  visitBelow(struct: unknown, scope: Scope): void {
    eachChild(struct, (node) => this.visit(node, scope));
  }

  in(mode: Mode, run: () => void): void {
    const before = this.#mode;
    this.#mode = mode;
    try {
      run();
    } finally {
      this.#mode = before;
    }
  }

  /** A statement inside this one (PREPARE, DECLARE), with facts of its own. */
  inner(node: Node | undefined, scope: Scope): Walk {
    const walk = new Walk(this.knowledge, this.#visit, this);
    walk.visit(node, scope);
    this.parameters = Math.max(this.parameters, walk.parameters);
    return walk;
  }

  /** Runs SQL text found inside the statement: its effects are ours. False when it could not be read to the end. */
  text(sql: string): boolean {
    if (this.#textDepth >= maxTextDepth) return false;
    const parsed = this.knowledge.grammar.parse(sql);
    if ('rejection' in parsed) return false;
    const statements = parsed.tree.stmts ?? [];
    const walk = new Walk(this.knowledge, this.#visit, this);
    for (const { stmt } of statements) {
      walk.source = statements.length === 1 ? sql : '';
      walk.visit(stmt, new Scope());
    }
    this.absorb(walk);
    return true;
  }

  absorb(inner: Walk): void {
    for (const effect of inner.effects.toArray()) this.add(effect.kind, effect);
    for (const name of inner.functions) this.functions.add(name);
  }

  facts(start: number, end: number): StatementFacts {
    return {
      command: this.command,
      start,
      end,
      effects: this.effects.toArray(),
      ...(this.transaction === undefined ? {} : { transaction: this.transaction }),
      ...(this.handle === undefined ? {} : { handle: this.handle }),
      functions: [...this.functions],
      parameters: this.parameters,
      deferred: this.deferred,
    };
  }
}

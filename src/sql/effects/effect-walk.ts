/**
 * What a handler of one kind of node may do. State: the facts collected so far for one statement.
 * Must not know any particular node: handlers for those are put together in visitor.ts.
 */

import type { BuiltInFunctions } from '../catalog/builtin-functions.js';
import type { CatalogFunctions } from '../catalog/catalog-functions.js';
import type { CatalogRelations, RowEvent } from '../catalog/catalog-relations.js';
import { AnalysisBudget } from '../conditions/analysis-budget.js';
import { mostOf } from '../conditions/row-list.js';
import { Scope } from '../conditions/scope.js';
import { kindsWith } from '../effect-traits.js';
import type {
  Effect,
  EffectKind,
  Handle,
  RowLimit,
  RowList,
  StatementFacts,
  Target,
  TransactionEffect,
} from '../facts.js';
import type { Grammar } from '../grammar/grammar.js';
import { eachChild, type Node, type NodeTypes, type Tag } from '../grammar/tree.js';
import { type EffectDetails, EffectList } from './effect-list.js';

/** What all statements of one analyser share. */
export interface Knowledge {
  readonly grammar: Grammar;
  readonly builtIns: BuiltInFunctions;
  readonly catalog: CatalogFunctions | undefined;
  readonly relations: CatalogRelations | undefined;
  /** What bodies of functions and views do, by their names; forgotten when the catalog changes. */
  readonly bodies: Map<string, Body>;
  /** Adds what runs because rows of a relation are touched. */
  readonly addImplicit: (relation: Target, event: RowEvent, walk: Walk) => void;
  readonly codePassesOn: (relation: Target, event: RowEvent, walk: Walk) => boolean;
  readonly tablesBehind: (relation: Target, event: RowEvent, walk: Walk) => readonly Target[];
}

export interface Body {
  readonly effects: readonly Effect[];
  readonly functions: ReadonlySet<string>;
  /** It could be read to its end. */
  readonly understood: boolean;
}

/** What a list in a body is, and the number of a LIMIT, told by what its caller gives; undefined where that is not known. */
export interface Given {
  list(list: RowList): RowList | undefined;
  limit(limit: RowLimit): RowLimit | undefined;
}

const nothingGiven: Given = {
  list: () => undefined,
  limit: (limit) => ('rows' in limit ? limit : undefined),
};
/** A variable is the same in every text of a body. */
const sameBody: Given = {
  list: (list) => (list.parameters.length === 0 ? list : undefined),
  limit: (limit) => ('parameter' in limit ? undefined : limit),
};
/** How many rows it is, where it runs once. */
const unrepeated = { mostRows: undefined, namedRows: undefined, listed: undefined, limitedTo: undefined };

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
const maxTextDepth = 12;
/** What reading one body is worth, in steps of AnalysisBudget. */
const bodyEffort = 100;

const rowEvents = kindsWith('touches-rows');

const written: ReadonlySet<string> = new Set(['insert', 'update', 'delete', 'truncate'] satisfies EffectKind[]);

const none: ReadonlySet<string> = new Set();
const every = (): boolean => true;

export class Walk {
  readonly knowledge: Knowledge;
  readonly effects = new EffectList();
  readonly functions = new Set<string>();
  /** Functions and views whose bodies are being read further out, against recursion. */
  readonly #reading: Set<string>;
  /** Those of them that were left out here because of that: without them what is found here is not all of it. */
  readonly #cuts = new Set<string>();
  /** What was found of bodies in spite of such cuts: all of it, as long as those that are missing are being read. */
  readonly #partly: Map<string, Body & { readonly cuts: ReadonlySet<string> }>;
  readonly budget: AnalysisBudget;
  /** Parameters and variables of the body that is read: they look like columns. */
  variables: ReadonlySet<string>;
  /** The statement's own text. */
  source = '';
  /** Of the text around it. */
  integerAt: ((location: number) => number | undefined) | undefined;
  command = '';
  parameters = 0;
  deferred = false;
  transaction: TransactionEffect | undefined;
  handle: Handle | undefined;
  vacates: readonly string[] | undefined;
  /**
   * Functions without arguments that this text has made in pg_temp before this statement, by name, with what they do.
   * Undefined where statements do not run in the order in which they are read.
   */
  madeBefore: Map<string, Walk> | undefined;
  #mode: Mode = 'run';
  /** What is found runs any number of times. */
  #repeated = false;
  readonly #visit: Visit;
  readonly #textDepth: number;

  constructor(knowledge: Knowledge, visit: Visit, parent?: Walk) {
    this.knowledge = knowledge;
    this.#visit = visit;
    this.#textDepth = parent === undefined ? 0 : parent.#textDepth + 1;
    this.#reading = parent === undefined ? new Set() : parent.#reading;
    this.#partly = parent === undefined ? new Map() : parent.#partly;
    this.budget = parent?.budget ?? new AnalysisBudget();
    this.variables = parent?.variables ?? none;
    if (parent !== undefined) this.#repeated = parent.#repeated;
  }

  get mode(): Mode {
    return this.#mode;
  }

  add(kind: EffectKind, given: EffectDetails = {}): void {
    const details = this.#withBehind(kind, given);
    const passedOn = this.#passesOn(kind, details) ? { passedOn: true as const } : undefined;
    const repeated = this.#repeated ? unrepeated : undefined;
    const none = passedOn && kind === 'insert' ? { mostRows: 0 } : undefined;
    this.#record(kind, passedOn || repeated ? { ...details, ...passedOn, ...repeated, ...none } : details);
    if (this.knowledge.relations === undefined || !rowEvents.has(kind) || this.#mode === 'define') return;
    for (const target of details.targets ?? []) {
      if (target?.type === 'table') this.knowledge.addImplicit(target, kind as RowEvent, this);
    }
  }

  #withBehind(kind: EffectKind, details: EffectDetails): EffectDetails {
    const { relations, tablesBehind } = this.knowledge;
    if (relations === undefined || !written.has(kind) || this.#mode !== 'run' || !details.targets) return details;
    const targets = details.targets.map((target) => {
      const behind = target && tablesBehind(target, kind as RowEvent, this);
      return target && behind && behind.length > 0 ? { ...target, behind } : target;
    });
    return { ...details, targets };
  }

  #passesOn(kind: EffectKind, { targets }: EffectDetails): boolean {
    if ((kind !== 'insert' && kind !== 'update' && kind !== 'delete') || this.#mode === 'define') return false;
    const { relations, codePassesOn } = this.knowledge;
    if (relations === undefined) return false;
    const byKey = (target: Target): boolean => kind !== 'insert' && relations.passesOn(target, kind);
    return targets?.some((target) => target && (byKey(target) || codePassesOn(target, kind, this))) ?? false;
  }

  #record(kind: EffectKind, details: EffectDetails): void {
    if (this.#mode === 'plan') {
      this.#addPlanned(kind, details);
    } else if (this.#mode === 'define') {
      const detail = [details.detail, 'in definition'].filter(Boolean).join(', ');
      this.effects.add(kind, { ...details, detail, within: 'definition' });
    } else {
      this.effects.add(kind, details);
    }
  }

  /** The planner looks at every table, writes none, and may run functions that claim to be stable. */
  #addPlanned(kind: EffectKind, details: EffectDetails): void {
    const tables = details.targets?.filter((target) => target?.type === 'table') ?? [];
    if (tables.length > 0) this.effects.add('read', { ...details, targets: tables, detail: 'explain', planned: kind });
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

  /** What `run` finds may run many times: in a loop, or once for each row. */
  repeating(run: () => void): void {
    const before = this.#repeated;
    this.#repeated = true;
    try {
      run();
    } finally {
      this.#repeated = before;
    }
  }

  /** A statement inside this one (PREPARE, DECLARE), with facts of its own. */
  inner(node: Node | undefined, scope: Scope): Walk {
    const walk = new Walk(this.knowledge, this.#visit, this);
    walk.visit(node, scope);
    this.parameters = Math.max(this.parameters, walk.parameters);
    return walk;
  }

  /** For what is run by another statement of the text, or more than once. */
  apart(): Walk {
    const walk = new Walk(this.knowledge, this.#visit, this);
    walk.source = this.source;
    return walk;
  }

  /** Runs SQL text found inside the statement: its effects are ours. False when it could not be read to the end. */
  text(sql: string): boolean {
    if (this.#textDepth >= maxTextDepth) return false;
    const parsed = this.knowledge.grammar.parse(sql);
    if ('rejection' in parsed) return false;
    const statements = parsed.tree.stmts ?? [];
    const walk = new Walk(this.knowledge, this.#visit, this);
    if (this.#mode === 'plan') walk.#mode = 'plan';
    for (const { stmt } of statements) {
      walk.source = statements.length === 1 ? sql : '';
      walk.visit(stmt, walk.rootScope());
    }
    this.absorb(walk);
    // what a prepared statement's or a cursor's name stands for is followed only for statements of the client's own
    return walk.handle === undefined;
  }

  /** The outermost level of names of a statement. */
  rootScope(): Scope {
    const { variables, integerAt } = this;
    return new Scope(undefined, { variables, relations: this.knowledge.relations, integerAt });
  }

  /**
   * Adds what a body does that has a name in the catalog: `read` reads it into a walk of its own. False when it could
   * not be read to its end. `mode`: what the planner does with it, where the statement is only planned.
   */
  body(
    key: string,
    mode: 'run' | 'plan',
    read: (walk: Walk) => boolean,
    keep: (effect: Effect) => boolean = every,
    given: Given = nothingGiven,
  ): boolean {
    if (this.#reading.has(key)) {
      this.#cuts.add(key);
      return true;
    }
    const planned = mode === 'plan' && this.#mode === 'plan';
    const memoKey = planned ? `plan ${key}` : key;
    let body = this.knowledge.bodies.get(memoKey) ?? this.#partlyRead(memoKey);
    if (body === undefined) {
      if (!this.budget.spend(bodyEffort)) return false;
      const walk = new Walk(this.knowledge, this.#visit, this);
      if (planned) walk.#mode = 'plan';
      // remembered for every call of it
      walk.#repeated = false;
      this.#reading.add(key);
      try {
        const understood = read(walk);
        body = { effects: walk.effects.toArray(), functions: walk.functions, understood };
      } finally {
        this.#reading.delete(key);
      }
      const cuts = walk.#cuts;
      cuts.delete(key);
      for (const cut of cuts) this.#cuts.add(cut);
      if (!this.budget.spent) {
        if (cuts.size === 0) this.knowledge.bodies.set(memoKey, body);
        else this.#partly.set(memoKey, { ...body, cuts });
      }
    }
    this.#take(body.effects.filter(keep), true, given);
    for (const name of body.functions) this.functions.add(name);
    return body.understood;
  }

  #partlyRead(memoKey: string): Body | undefined {
    const known = this.#partly.get(memoKey);
    if (known === undefined) return undefined;
    for (const cut of known.cuts) if (!this.#reading.has(cut)) return undefined;
    for (const cut of known.cuts) this.#cuts.add(cut);
    return known;
  }

  absorb(inner: Walk): void {
    for (const cut of inner.#cuts) this.#cuts.add(cut);
    this.#take(inner.effects.toArray(), inner.#mode === 'plan', sameBody);
    for (const name of inner.functions) this.functions.add(name);
  }

  /** `final`: as they are, also where this statement is only planned. */
  #take(effects: readonly Effect[], final: boolean, given: Given): void {
    for (const one of effects) {
      const effect = this.#asPartOfThis(one, given);
      if (final && this.#mode === 'plan') this.effects.add(effect.kind, effect);
      else this.#record(effect.kind, effect);
    }
  }

  #asPartOfThis(effect: Effect, given: Given): Effect {
    if (effect.kind !== 'update' && effect.kind !== 'delete') return effect;
    // parameters there are not those of the statement
    const { mostRows, namedRows: _, listed: inside, limitedTo: limit, ...rest } = effect;
    if (this.#repeated) return { ...rest, within: 'body' };
    if (mostRows !== undefined) return { ...rest, mostRows, within: 'body' };
    const limitedTo = limit && given.limit(limit);
    return { ...rest, ...mostOf(inside && given.list(inside)), ...(limitedTo && { limitedTo }), within: 'body' };
  }

  facts(start: number, end: number): StatementFacts {
    return {
      command: this.command,
      start,
      end,
      effects: this.effects.toArray(),
      ...(this.transaction === undefined ? {} : { transaction: this.transaction }),
      ...(this.handle === undefined ? {} : { handle: this.handle }),
      ...(this.vacates === undefined ? {} : { vacates: this.vacates }),
      functions: [...this.functions],
      parameters: this.parameters,
      deferred: this.deferred,
    };
  }
}

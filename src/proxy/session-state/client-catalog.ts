/**
 * What the statements of one client are judged by beside their text, and what those statements do to it: DDL that goes
 * through makes everything that was read from the catalog doubtful until it has been read again.
 */

import type { AlterForm } from '../../sql/alter-forms.js';
import { isSystemRelation } from '../../sql/catalog/system-relations.js';
import type { PlainDefinition } from '../../sql/definition.js';
import { kindsWith } from '../../sql/effect-traits.js';
import type { Analyser, Effect, EffectKind, Facts, StatementFacts, Target, TargetType } from '../../sql/facts.js';
import type { ChangedNames } from '../../sql/lineage/name-doubts.js';
import type { Candidate } from '../candidate.js';
import { type AnsweredStatement, type StatementTracker, undoesAll } from '../statement-tracker.js';

/** What may be another since the catalog was read, where no text says what it is. */
export interface CatalogDoubts {
  /** What has this name. */
  doubts(name: string): boolean;
  /** What tells the rows of tables apart. */
  readonly doubtsKeys: boolean;
  /** Which settings of an application code of the database reads. */
  readonly doubtsSettings: boolean;
}

export interface ClientCatalog extends CatalogDoubts {
  readonly analyser: Analyser;
  /** It is being read for the first time: nothing is known of any object. */
  readonly unread: boolean;
  /** What was read is in doubt, and can be read again: who waits for `ready` may learn more. */
  readonly behind: boolean;
  /** Has it read. Settles when it has been, or could not be in time. Never rejects. */
  ready(): Promise<void>;
  /** Nothing that outlives the session has this name: what an unqualified name means can only be temporary. */
  onlyTemporary(name: string): boolean;
  /** How many statements of other clients may have changed the catalog; undefined while one of them has not ended. */
  readonly changesOfOthers: number | undefined;
  /** A statement that may change the catalog goes to the server. */
  changing(change: CatalogChange): void;
  /** It has gone well. Before its client has settled. */
  changed(change: CatalogChange): void;
  /** No transaction of this client is open, and nothing of it is under way. */
  settled(): void;
  /** The client's session begins, and ends. */
  opened(): void;
  closed(): void;
}

/** For an analyser that asks no database. */
export function withoutCatalog(analyser: Analyser): ClientCatalog {
  return {
    analyser,
    unread: false,
    behind: false,
    doubts: () => false,
    doubtsKeys: false,
    doubtsSettings: false,
    ready: async () => {},
    onlyTemporary: () => false,
    changesOfOthers: 0,
    changing: () => {},
    changed: () => {},
    settled: () => {},
    opened: () => {},
    closed: () => {},
  };
}

type Changing = Pick<Candidate, 'facts' | 'isTemporary'>;

/** Keeps the catalog informed of what one client does. */
export class CatalogChanges implements StatementTracker {
  readonly #catalog: ClientCatalog;
  readonly #isOfClient: (candidate: Changing) => boolean;
  /** Something that went to the server may have changed the catalog, and is not committed or undone yet. */
  #pending = false;
  /** Those of them that are not answered yet. */
  readonly #under = new Map<Changing, CatalogChange>();
  /** Those that said themselves what they made, in the transaction that is open. */
  #said: CatalogChange[] = [];

  /** @param isOfClient nobody who has a copy of the catalog has to know what the statement does to it */
  constructor(catalog: ClientCatalog, isOfClient: (candidate: Changing) => boolean = () => false) {
    this.#catalog = catalog;
    this.#isOfClient = isOfClient;
    catalog.opened();
  }

  forwarded(candidate: Changing): void {
    if (this.#isOfClient(candidate)) return;
    const { facts, isTemporary } = candidate;
    const change = catalogChange(facts, isTemporary);
    if (change === undefined) return;
    this.#pending = true;
    this.#catalog.changing(change);
    if (change.plain) this.#under.set(candidate, change);
  }

  answered(statement: AnsweredStatement): void {
    const { candidate, how, tags } = statement;
    const change = this.#under.get(candidate);
    this.#under.delete(candidate);
    if (change && how === 'done') {
      this.#said.push(change);
      this.#catalog.changed(change);
    }
    // also by a COMMIT of what had failed, and to a savepoint
    if (this.#said.length > 0 && (tags.includes('ROLLBACK') || undoesAll(statement))) this.#undone();
  }

  /** What they said is not so, or no more. */
  #undone(): void {
    for (const change of this.#said.splice(0)) this.#catalog.changing({ ...change, plain: undefined });
  }

  transactionOver(): void {
    if (!this.#pending) return;
    this.#under.clear();
    this.#said = [];
    this.#pending = false;
    this.#catalog.settled();
  }

  closed(): void {
    this.#catalog.closed();
    this.#undone();
    this.transactionOver();
  }
}

/** What a text may change in the catalog. */
export interface CatalogChange extends Doubts {
  /** Nothing but temporary tables, which no client sees of another. */
  readonly temporary: boolean;
  /** What runs cannot be seen. */
  readonly unseen: boolean;
  /** An object gets another name or schema, or goes to an extension: it may stand in the text of any other. */
  readonly renamed: boolean;
  /** Functions, operators or casts may be others. */
  readonly code: boolean;
  /** Code may be another that is not among `functions`. */
  readonly otherCode: boolean;
  /** All that it names. */
  readonly names: readonly string[];
  /** Beside those, no more than what hangs on them or names them may be another. */
  readonly exact: boolean;
  /** What it makes, where its text says all that the catalog will; nothing that it only calls is known here. */
  readonly plain: PlainDefinition | undefined;
  /** All that it names are functions. */
  readonly codeAlone: boolean;
  /** Functions that may run with it: if there are such, whatever they do. */
  readonly calls: readonly string[];
  /** Relations that may be others by it, unless any may. */
  readonly relations: ChangedNames;
}

const definitions = kindsWith('defines');
/** They grant, and what is shown of a table depends on their texts. */
const saysMore: ReadonlySet<string> = new Set(['CREATE POLICY', 'ALTER POLICY', 'SECURITY LABEL']);
const rows = kindsWith('writes-rows');
const relationTypes: ReadonlySet<TargetType> = new Set(['table', 'view', 'index', 'sequence', 'schema']);

type IsTemporary = (name: string, schema?: string) => boolean;

export function catalogChange(facts: Facts, isTemporary?: IsTemporary): CatalogChange | undefined {
  const unknown = facts.unparseable !== undefined || facts.statements.some(isOfAnother);
  const effects = facts.statements.flatMap(({ command, effects }) =>
    saysMore.has(command) ? effects : effects.filter(mayChangeCatalog),
  );
  if (!unknown && effects.length === 0) return undefined;
  const targets = effects.flatMap((effect) => effect.targets);
  const code = unknown || effects.some(changesCode);
  const unseen = unknown || effects.some(isUnseen);
  const renamed = effects.some(isRenamed) || targets.some(isExtension);
  const exact = !unseen && !renamed && effects.every(namesAll);
  return {
    ...doubtsAfter(facts, effects),
    temporary: !unknown && effects.every((effect) => isOnlyTemporary(effect, isTemporary)),
    unseen,
    renamed,
    code,
    otherCode: unseen || renamed || !effects.every(namesItsCode),
    names: [...targets.map(({ name }) => name), ...effects.flatMap(({ newName }) => newName ?? [])],
    exact,
    plain: unseen || renamed ? undefined : plainlyAll(facts),
    codeAlone: exact && targets.every(({ type }) => type === 'function'),
    relations: exact ? { names: effects.flatMap(namesChanged), widened: effects.flatMap(namesWidened) } : 'all',
    calls: facts.statements.flatMap(callsOf),
  };
}

/** Undefined where one of the definitions does not say all. */
function plainlyAll({ statements }: Facts): PlainDefinition | undefined {
  const all: PlainDefinition[] = [];
  for (const { command, effects, plain } of statements) {
    if (plain) all.push(plain);
    else if (saysMore.has(command) || effects.some(mayChangeCatalog)) return undefined;
  }
  const [first, ...others] = all;
  return others.reduce<PlainDefinition | undefined>((one, other) => one && together(one, other), first);
}

function together(one: PlainDefinition, other: PlainDefinition): PlainDefinition {
  return {
    relations: [...one.relations, ...other.relations],
    functions: [...one.functions, ...other.functions],
    drops: [...one.drops, ...other.drops],
    calls: [...one.calls, ...other.calls],
    operators: [...one.operators, ...other.operators],
    casts: one.casts && other.casts && [...one.casts, ...other.casts],
  };
}

/** What was prepared before, maybe by another client, comes into effect. */
function isOfAnother({ transaction }: StatementFacts): boolean {
  return transaction === 'commit-prepared';
}

function mayChangeCatalog({ kind, opaque, targets, form }: Effect): boolean {
  if (opaque || kind === 'unknown' || definitions.has(kind)) return true;
  return (rows.has(kind) && targets.some(isSystemRelation)) || (form?.endsWith('RowSecurity') ?? false);
}

/** Kinds of objects that are found by their names, with what hangs on them. */
const foundByName: ReadonlySet<TargetType> = new Set(['table', 'view', 'index', 'sequence', 'function']);
/** Forms of ALTER TABLE that do something to a second table, which is not among the targets. */
const reachFurther: ReadonlySet<AlterForm> = new Set<AlterForm>([
  'AddInherit',
  'AttachPartition',
  'DetachPartition',
  'DetachPartitionFinalize',
  'DropInherit',
]);

function namesAll({ targets, cascade, form }: Effect): boolean {
  const isFound = ({ type, name }: Target): boolean => foundByName.has(type) && name !== '';
  return targets.length > 0 && targets.every(isFound) && !cascade && !(form && reachFurther.has(form));
}

/** Forms of ALTER TABLE that leave the table's columns what they are, and what is read of them. */
const leavesColumns: ReadonlySet<AlterForm | undefined> = new Set<AlterForm>([
  'SetNotNull',
  'DropNotNull',
  'AddColumn',
]);

function namesChanged({ kind, form, targets }: Effect): readonly string[] {
  if (kind === 'alter' && leavesColumns.has(form)) return [];
  // the table of an index stays what it is
  const made = kind === 'create' && targets[0]?.type === 'index' ? targets.slice(0, 1) : targets;
  return made.map(({ name }) => name);
}

function namesWidened({ kind, form, targets }: Effect): readonly string[] {
  return kind === 'alter' && form === 'AddColumn' ? targets.map(({ name }) => name) : [];
}

/** Defaults, conditions and queries of these are only written down. */
const onlyWritten: ReadonlySet<string> = new Set([
  'CREATE TABLE',
  'CREATE VIEW',
  'CREATE FUNCTION',
  'CREATE PROCEDURE',
  'CREATE POLICY',
  'ALTER POLICY',
  'CREATE RULE',
  'CREATE TRIGGER',
]);

function callsOf({ command, functions }: StatementFacts): string[] {
  return onlyWritten.has(command) ? [] : functions.map((name) => name.slice(name.lastIndexOf('.') + 1));
}

function isOnlyTemporary({ kind, opaque, temporary, targets }: Effect, isTemporary?: IsTemporary): boolean {
  if (opaque || !definitions.has(kind)) return false;
  if (temporary) return true;
  const placed = kind === 'create' && targets[0]?.type === 'index' ? targets.slice(1) : targets;
  const hidden = ({ schema, name }: Target): boolean =>
    (schema === undefined || schema === 'pg_temp') && isTemporary?.(name, schema) === true;
  return placed.length > 0 && placed.every(hidden);
}

function changesCode({ kind, opaque, targets }: Effect): boolean {
  if (kind === 'grant') return false;
  return opaque || targets.length === 0 || !targets.every(({ type }) => relationTypes.has(type));
}

/** Code that it may change is among its targets, or there is none. */
function namesItsCode({ targets }: Effect): boolean {
  const isNamed = ({ type }: Target): boolean => type === 'function' || (type !== 'schema' && relationTypes.has(type));
  return targets.length > 0 && targets.every(isNamed);
}

function isUnseen({ kind, opaque }: Effect): boolean {
  return opaque || !(definitions.has(kind) || kind === 'grant');
}

const isRenamed = ({ newName, newSchema }: Effect): boolean => (newName ?? newSchema) !== undefined;
const isExtension = ({ type }: Target): boolean => type === 'extension';

/** Rows of these are told apart by keys, which are not believed while the catalog is in doubt. */
const isByKey = (kind: EffectKind): boolean => kind === 'update' || kind === 'delete';

/** Custom settings have a dot in their names: "Customized Options" in the PostgreSQL manual. */
function setsOwnSetting({ kind, targets }: Effect): boolean {
  return kind === 'session' && targets.some(({ type, name }) => type === 'setting' && name.includes('.'));
}

/**
 * True where knowing more of the catalog may change what is thought of a statement.
 * @param isTemporary undefined where the client has made nothing for itself
 */
export function dependsOnCatalog(
  facts: Facts,
  isTemporary: IsTemporary | undefined,
  { doubtsKeys, doubtsSettings }: Omit<CatalogDoubts, 'doubts'>,
): boolean {
  const isJudgedByName = ({ kind }: Effect): boolean =>
    isTemporary !== undefined && (definitions.has(kind) || kind === 'truncate');
  const isInDoubt = (effect: Effect): boolean =>
    (doubtsKeys && isByKey(effect.kind)) || (doubtsSettings && setsOwnSetting(effect));
  return facts.statements.some(({ effects }) =>
    effects.some((effect) => effect.opaque || isInDoubt(effect) || isJudgedByName(effect)),
  );
}

/** While nothing is known of the database, only what is no more than a word to the server needs to know nothing of it. */
export function needsNoCatalog({ statements, unparseable }: Facts): boolean {
  return !unparseable && statements.every(({ transaction }) => transaction === 'begin');
}

const touching = kindsWith('touches-rows');

/** It reads or writes rows of what may be another since it was read: a trigger, a rule or a view may be new. */
export function touchesDoubted(facts: Facts, { doubts }: Pick<CatalogDoubts, 'doubts'>): boolean {
  return facts.statements.some(({ effects }) =>
    effects.some(({ kind, targets }) => touching.has(kind) && targets.some(({ name }) => doubts(name))),
  );
}

const isQuietKind = (kind: EffectKind): boolean =>
  definitions.has(kind) || kind === 'grant' || kind === 'transaction' || kind === 'session';

/** The server answers with nothing but that it is done, so that there is nothing to mask. */
export function returnsNothing(facts: Facts): boolean {
  const { statements, unparseable } = facts;
  const isQuiet = ({ kind, opaque }: Effect): boolean => !opaque && isQuietKind(kind);
  return !unparseable && statements.every(({ effects }) => effects.length > 0 && effects.every(isQuiet));
}

/** What is made for the client alone, or in an open transaction, shows at once where it is known what it is made of. */
export function makesOwn({ statements }: Facts, inTransaction: boolean): boolean {
  const isOwn = ({ kind, temporary }: Effect): boolean => temporary === true || (inTransaction && kind === 'create');
  return statements.some(({ effects }) => effects.some(isOwn));
}

/** What a text that changes the catalog leaves in doubt, by name. */
export interface Doubts {
  readonly functions: readonly string[];
  /** `all` where it cannot be told, as behind opaque code. */
  readonly views: readonly string[] | 'all';
}

function doubtsAfter(facts: Facts, effects: readonly Effect[]): Doubts {
  const functions = effects.flatMap((effect) => namesMade(effect, ['function']));
  const unseen = facts.unparseable !== undefined || facts.statements.some(isOfAnother) || effects.some(isUnseen);
  const wide = effects.some(({ targets }) => targets.some(({ type }) => type === 'schema' || type === 'extension'));
  if (unseen || wide) return { functions, views: 'all' };
  return { functions, views: effects.flatMap((effect) => namesMade(effect, viewTypes(effect))) };
}

/** A table becomes a view by a rule, or takes a view's name. */
function viewTypes({ newName, newSchema, part }: Effect): readonly TargetType[] {
  return (newName ?? newSchema) !== undefined || part === 'rule' ? ['view', 'table'] : ['view'];
}

function namesMade({ targets, newName }: Effect, types: readonly TargetType[]): string[] {
  const names = targets.filter(({ type }) => types.includes(type)).map(({ name }) => name);
  return newName === undefined || names.length === 0 ? names : [...names, newName];
}

/**
 * What a text may change in the catalog: which names are in doubt once it is on its way, and what is not.
 *
 * What must not live here: what the catalog says, and what became of the statement.
 */
import type { AlterForm } from '../../sql/alter-forms.js';
import { isSystemRelation } from '../../sql/catalog/system-relations.js';
import type { PlainDefinition } from '../../sql/definition.js';
import { kindsWith } from '../../sql/effect-traits.js';
import type { Effect, Facts, StatementFacts, Target, TargetType } from '../../sql/facts.js';
import type { ChangedNames } from '../../sql/lineage/name-doubts.js';

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

export type IsTemporary = (name: string, schema?: string) => boolean;

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
    ...((one.runs ?? other.runs) && { runs: true as const }),
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

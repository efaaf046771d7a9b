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
import { isScalarType } from '../../sql/lineage/loaded-code.js';
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
  const others = targets.some(isExtension) || effects.some((effect) => isRenamed(effect) && !renamesRelation(effect));
  const renamed = others || effects.some(isRenamed);
  const exact = !unseen && !renamed && effects.every(namesAll);
  return {
    ...doubtsAfter(facts, effects),
    temporary: !unknown && effects.every((effect) => isOnlyTemporary(effect, isTemporary)),
    unseen,
    renamed,
    code,
    // bodies say what they do to relations by the names that those had, or have by now
    otherCode: unseen || others || !effects.every(namesItsCode),
    names: [...targets.map(({ name }) => name), ...effects.flatMap(({ newName }) => newName ?? [])],
    exact,
    plain: unseen || renamed ? undefined : plainlyAll(facts),
    codeAlone: exact && targets.every(({ type }) => type === 'function'),
    relations: relationsChanged(effects, unseen),
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

/** What is renamed is found by both of its names. */
function relationsChanged(effects: readonly Effect[], unseen: boolean): ChangedNames {
  if (unseen || !effects.every((effect) => (isRenamed(effect) ? renamesRelation(effect) : namesAll(effect))))
    return 'all';
  return { names: effects.flatMap(namesChanged), widened: effects.flatMap(namesWidened) };
}

function renamesRelation({ kind, targets, newName, newSchema }: Effect): boolean {
  const isRelation = ({ type, name }: Target): boolean => (type === 'table' || type === 'view') && name !== '';
  return kind === 'alter' && newName !== undefined && newSchema === undefined && targets.every(isRelation);
}

function namesAll({ kind, targets, cascade, form, enumerates }: Effect): boolean {
  const isFound = ({ type, name }: Target): boolean =>
    name !== '' && (foundByName.has(type) || (type === 'type' && enumerates === true) || isNewSchema(kind, type));
  return targets.length > 0 && targets.every(isFound) && !cascade && !(form && reachFurther.has(form));
}

/** Forms of ALTER TABLE that leave the table's columns what they are, and what is read of them. */
const leavesColumns: ReadonlySet<AlterForm | undefined> = new Set<AlterForm>([
  'SetNotNull',
  'DropNotNull',
  'AddColumn',
]);

/** What is put into it comes with texts of its own. */
const isNewSchema = (kind: Effect['kind'], type: TargetType): boolean => kind === 'create' && type === 'schema';

function namesChanged({ kind, form, targets, newName, enumerates }: Effect): readonly string[] {
  if (enumerates || targets.some(({ type }) => isNewSchema(kind, type))) return [];
  if (newName !== undefined) return [...targets.map(({ name }) => name), newName];
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

function changesCode({ kind, opaque, targets, enumerates }: Effect): boolean {
  // where a name of PostgreSQL's own is taken, one of them may be meant where the other was
  if (kind === 'grant' || (enumerates && !targets.some(({ name }) => isScalarType(name)))) return false;
  return opaque || targets.length === 0 || !targets.every(({ type }) => relationTypes.has(type));
}

/** Code that it may change is among its targets, or there is none. */
function namesItsCode(effect: Effect): boolean {
  const { kind, targets } = effect;
  if (effect.enumerates) return !changesCode(effect);
  const isNamed = ({ type }: Target): boolean =>
    type === 'function' || isNewSchema(kind, type) || (type !== 'schema' && relationTypes.has(type));
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
  const wide = effects.some(({ kind, targets }) =>
    targets.some(({ type }) => (type === 'schema' && !isNewSchema(kind, type)) || type === 'extension'),
  );
  if (unseen || wide) return { functions, views: 'all' };
  return { functions, views: effects.flatMap((effect) => namesMade(effect, viewTypes(effect))) };
}

/** A table becomes a view by a rule, or takes a view's name. */
function viewTypes({ newName, newSchema, part, targets }: Effect): readonly TargetType[] {
  const renames = (newName ?? newSchema) !== undefined && targets.every(({ columns }) => columns === undefined);
  return renames || part === 'rule' ? ['view', 'table'] : ['view'];
}

function namesMade({ targets, newName }: Effect, types: readonly TargetType[]): string[] {
  const names = targets.filter(({ type }) => types.includes(type)).map(({ name }) => name);
  return newName === undefined || names.length === 0 ? names : [...names, newName];
}

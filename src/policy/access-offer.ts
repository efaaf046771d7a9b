/**
 * Which entries of `access` a statement may be about, and which of them covers all that its login lacks.
 *
 * What must live here: facts and privileges -> entries. What it must not know: how privileges are read, how a role is
 * taken on.
 */
import type { Effect, Facts, StatementFacts, Target, TargetType } from '../sql/facts.js';
import { globMatches, matchName, type NamePattern } from './name-pattern.js';
import { type AccessEffect, type AccessRule, accessEffects } from './read-access.js';
import { commandObstacle, formObstacle, roleRun } from './role-commands.js';

export interface AccessOffer {
  /** In the order in which they are tried. */
  readonly rules: readonly AccessRule[];
  /** Why the statement can run as no role, in words that follow "because"; undefined where it can. */
  readonly obstacle?: string;
}

/** One privilege that a statement needs of a relation. */
export interface Need {
  readonly effect: AccessEffect;
  readonly target: Target;
}

/** A need whose relation the catalog has named in full. */
export interface NamedNeed {
  readonly effect: AccessEffect;
  readonly schema: string;
  readonly name: string;
  /** The statement makes it. */
  readonly isNew?: true;
}

/** Those that hold for the connection of this name. */
export function accessOf(all: readonly AccessRule[], connection: string): readonly AccessRule[] {
  return all.filter(({ connections }) => connections?.some((glob) => globMatches(glob, connection)) ?? true);
}

export function accessOffer(all: readonly AccessRule[], facts: Facts, connection: string): AccessOffer | undefined {
  if (all.length === 0 || facts.unparseable) return undefined;
  const rules = accessOf(all, connection).filter((rule) =>
    facts.statements.some(({ effects }) => effects.some((effect) => mayBeAbout(rule, effect))),
  );
  if (rules.length === 0) return undefined;
  const obstacle = obstacleOf(facts);
  return obstacle === undefined ? { rules } : { rules, obstacle };
}

function mayBeAbout({ tables, effects }: AccessRule, effect: Effect): boolean {
  return (
    needsOf(effect)?.some(
      ({ effect: wanted, target }) =>
        (effects.includes(wanted) && tables.some((one) => mayMatch(one, target))) ||
        target.behind?.some((behind) => tables.some((one) => mayMatch(one, behind))),
    ) ?? false
  );
}

/** An index is one of a table that only the catalog knows. */
function mayMatch(pattern: NamePattern, { type, schema, name }: Target): boolean {
  return type === 'index' || matchName(pattern, [schema, name]) !== 'no';
}

function obstacleOf({ statements }: Facts): string | undefined {
  const [statement, behind, ...more] = statements;
  // EXECUTE, and the one statement that can stand under its name
  const one = behind === undefined || (statement?.command === 'EXECUTE' && behind.named === true);
  if (statement === undefined || !one || more.length > 0) return 'it came in one text with others; send it alone';
  const run = behind ?? statement;
  if (roleRun(statement) === undefined || roleRun(run) === undefined) return commandObstacle(run);
  const effects = statements.flatMap(effectsBeside);
  if (effects.some(({ opaque }) => opaque)) return 'it runs code that dbguard cannot look into';
  const formed = effects.flatMap((effect) => formObstacle(effect) ?? [])[0];
  if (formed !== undefined) return formed;
  if (effects.some((effect) => needsOf(effect) === undefined))
    return 'it does more than read and change rows and tables';
  return undefined;
}

/** What the names of prepared statements and cursors stand for is all that these do with them. */
function effectsBeside({ command, effects }: StatementFacts): readonly Effect[] {
  const name = command === 'EXECUTE' ? 'prepare' : command === 'DECLARE CURSOR' ? 'cursor' : undefined;
  return name === undefined ? effects : effects.filter(({ kind, held }) => kind !== name || held);
}

/** Of a text without an obstacle. */
export function accessNeeds({ statements }: Facts): Need[] {
  return statements.flatMap(effectsBeside).flatMap((effect) => needsOf(effect) ?? []);
}

const relations: ReadonlySet<TargetType> = new Set(['table', 'view']);
const relationsAndTheirs: ReadonlySet<TargetType> = new Set([...relations, 'index', 'sequence']);
const ofRows: ReadonlySet<AccessEffect> = new Set(['read', 'insert', 'update', 'delete', 'truncate']);

/** Undefined for what is more than rights on tables: a setting, a lock on the whole table, the next number of a sequence. */
function needsOf({ kind, targets, lockMode, planned = kind }: Effect): Need[] | undefined {
  const locks = planned === 'lock' && lockMode?.startsWith('FOR ');
  const effect = locks ? 'update' : accessEffects.find((one) => one === planned);
  if (effect === undefined) return undefined;
  const types = ofRows.has(effect) ? relations : relationsAndTheirs;
  if (!targets.every(({ type }) => types.has(type))) return undefined;
  // a new index needs its table
  const needed = effect === 'create' ? targets.filter(({ type }) => type !== 'index') : targets;
  return needed.map((target) => ({ effect, target }));
}

/** The first that covers everything. */
export function coveringRule(rules: readonly AccessRule[], lacking: readonly NamedNeed[]): AccessRule | undefined {
  return rules.find(({ tables, effects }) =>
    lacking.every(
      (need) =>
        effects.includes(need.effect) && tables.some((one) => matchName(one, [need.schema, need.name]) === 'yes'),
    ),
  );
}

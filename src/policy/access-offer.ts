/**
 * Which entries of `access` a statement may be about, and which of them covers all that its login lacks.
 *
 * What must live here: facts and privileges -> entries. What it must not know: how privileges are read, how a role is
 * taken on.
 */
import type { Effect, Facts, StatementFacts, Target } from '../sql/facts.js';
import { globMatches, matchName } from './name-pattern.js';
import type { AccessEffect, AccessRule } from './read-access.js';

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
}

/** Commands that run in a transaction of dbguard's as they do in one of their own, and leave nothing of the session behind. */
export const runAsRole: ReadonlySet<string> = new Set([
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'MERGE',
  'TRUNCATE TABLE',
]);

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
      (need) =>
        effects.includes(need.effect) &&
        tables.some((one) => matchName(one, [need.target.schema, need.target.name]) !== 'no'),
    ) ?? false
  );
}

function obstacleOf({ statements: [statement, ...more] }: Facts): string | undefined {
  if (statement === undefined || more.length > 0) return 'it came in one text with others; send it alone';
  if (!runAsRole.has(statement.command)) {
    return `it is ${statement.command}, and only SELECT, INSERT, UPDATE, DELETE, MERGE and TRUNCATE can`;
  }
  if (statement.effects.some(({ opaque }) => opaque)) return 'it runs code that dbguard cannot look into';
  if (statement.effects.some((effect) => needsOf(effect) === undefined))
    return 'it does more than read and change rows';
  return undefined;
}

/** Of a statement without an obstacle. */
export function accessNeeds({ effects }: StatementFacts): Need[] {
  return effects.flatMap((effect) => needsOf(effect) ?? []);
}

const rowEffects: Readonly<Record<string, AccessEffect>> = {
  read: 'read',
  insert: 'insert',
  update: 'update',
  delete: 'delete',
  truncate: 'truncate',
};

/** Undefined for what is more than privileges on rows: a setting, a lock on the whole table, a sequence. */
function needsOf({ kind, targets, lockMode }: Effect): Need[] | undefined {
  const effect = kind === 'lock' && lockMode?.startsWith('FOR ') ? 'update' : rowEffects[kind];
  if (effect === undefined || !targets.every(({ type }) => type === 'table' || type === 'view')) return undefined;
  return targets.map((target) => ({ effect, target }));
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

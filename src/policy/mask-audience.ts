/**
 * For whom a mask holds: `when` and `unless` of a declaration. What is not known about somebody masks: `when` then counts
 * as met, `unless` as not met.
 */
import { configKeys } from './config-keys.js';
import { globMatches } from './name-pattern.js';
import { type Environment, environments } from './read-connection.js';
import type { Value } from './yaml-source.js';

/** Who is connected to what; the same for all of a run. */
export interface Audience {
  readonly subject: string;
  /** As the issuer says; undefined where its tokens do not speak of groups. */
  readonly groups: readonly string[] | undefined;
  /** What the connection may be: more than one where only a repository's file says so. */
  readonly environments: readonly Environment[];
  readonly connection: string;
  readonly agent: string;
}

/** Every key that is there must hold; a list holds when one of its items does. `*` and `?` are wildcards. */
export interface AudienceCondition {
  readonly subject?: readonly string[];
  readonly group?: readonly string[];
  readonly environment?: readonly Environment[];
  readonly connection?: readonly string[];
  readonly agent?: readonly string[];
}

export interface ForWhom {
  readonly when?: AudienceCondition;
  readonly unless?: AudienceCondition;
}

export function readAudience(value: Value): AudienceCondition {
  const fields = value.fields(configKeys.mask_when);
  fields.notEmpty('expected subject, group, environment, connection or agent');
  const globs = (item: Value): string[] => item.oneOrMore((one) => one.string());
  const condition: Record<string, readonly string[]> = {};
  for (const key of ['subject', 'group', 'environment', 'connection', 'agent'] as const) {
    const read = key === 'environment' ? (item: Value) => item.oneOrMore((one) => one.oneOf(environments)) : globs;
    const found = fields.optional(key, read);
    if (fields.has(key)) condition[key] = found ?? [];
  }
  return condition as AudienceCondition;
}

/** Whether all of a condition is known to hold; for what loosens. */
export function surelyMeets(condition: AudienceCondition | undefined, audience: Audience): boolean {
  return condition === undefined || meets(condition, audience, 'surely');
}

export function holdsFor({ when, unless }: ForWhom, audience: Audience): boolean {
  return (when === undefined || meets(when, audience, 'maybe')) && !(unless && meets(unless, audience, 'surely'));
}

function meets(condition: AudienceCondition, audience: Audience, how: 'maybe' | 'surely'): boolean {
  const { groups } = audience;
  const glob = (patterns: readonly string[] | undefined, text: string): boolean =>
    patterns === undefined || patterns.some((pattern) => globMatches(pattern, text));
  const inGroup = groups === undefined ? how === 'maybe' : groups.some((group) => glob(condition.group, group));
  const isOne = (one: Environment): boolean => condition.environment?.includes(one) ?? true;
  const environment = how === 'maybe' ? audience.environments.some(isOne) : audience.environments.every(isOne);
  return (
    glob(condition.subject, audience.subject) &&
    (condition.group === undefined || inGroup) &&
    environment &&
    glob(condition.connection, audience.connection) &&
    glob(condition.agent, audience.agent)
  );
}

import { configKeys } from './config-keys.js';
import type { MassChanges } from './mass-changes.js';
import { type NamePattern, parseNamePattern } from './name-pattern.js';
import { type ProfileName, profileNames } from './profiles.js';
import { readDuration } from './read-identity.js';
import { readMassChanges } from './read-mass-changes.js';
import { type Rule, readRule } from './read-rule.js';
import { parseSize } from './units.js';
import type { Value } from './yaml-source.js';

export interface PolicyConfig {
  readonly profile?: ProfileName;
  readonly rules: readonly Rule[];
  /** Milliseconds of silence after which an approval is denied. */
  readonly approvalTimeoutMs?: number;
  /** Whether a session may start while the bucket cannot be reached. */
  readonly offline?: 'deny' | 'allow';
  readonly limits: Limits;
  readonly massChanges?: MassChanges;
  /** Functions that may be called although they write or nobody knows them. */
  readonly functions: readonly NamePattern[];
}

export interface Limits {
  /** Bytes of one statement's text. */
  readonly statementBytes?: number;
  /** Client connections at a time. */
  readonly connections?: number;
}

export const emptyPolicy: PolicyConfig = { rules: [], limits: {}, functions: [] };

export function readPolicy(value: Value): PolicyConfig {
  const fields = value.fields(configKeys.policy);
  const profile = fields.optional('profile', (item) => item.oneOf(profileNames));
  const approvalTimeoutMs = fields.optional('approval', (item) =>
    item.fields(configKeys.approval).optional('timeout', readTimeout),
  );
  const massChanges = fields.optional('mass_changes', readMassChanges);
  const offline = fields.optional('offline', (item) => item.oneOf(['deny', 'allow']));
  return {
    ...(profile === undefined ? {} : { profile }),
    rules: fields.optional('rules', readRules) ?? [],
    ...(approvalTimeoutMs === undefined ? {} : { approvalTimeoutMs }),
    ...(offline === undefined ? {} : { offline }),
    limits: fields.optional('limits', readLimits) ?? {},
    ...(massChanges === undefined ? {} : { massChanges }),
    functions: fields.optional('functions', (item) => item.list(readFunction)) ?? [],
  };
}

function readRules(value: Value): Rule[] {
  const rules = value.list(readRule);
  const seen = new Map<string, Rule>();
  for (const rule of rules) {
    const twin = seen.get(rule.name);
    if (twin) value.fail(`two rules have the name "${rule.name}", in lines ${twin.place.line} and ${rule.place.line}`);
    seen.set(rule.name, rule);
  }
  return rules;
}

/** An hour of held locks is the most that anybody can want. */
const maxTimeoutMs = 3_600_000;

function readTimeout(value: Value): number {
  const milliseconds = readDuration(value);
  return milliseconds >= 1000 && milliseconds <= maxTimeoutMs
    ? milliseconds
    : value.fail('expected a time from 1s to 1h: locks are held while an approval waits');
}

function readLimits(value: Value): Limits {
  const fields = value.fields(configKeys.limits);
  const statementBytes = fields.optional('statement_bytes', readSize);
  const connections = fields.optional('connections', (item) => item.integer(1, 10_000));
  return {
    ...(statementBytes === undefined ? {} : { statementBytes }),
    ...(connections === undefined ? {} : { connections }),
  };
}

function readSize(value: Value): number {
  const bytes = value.isString ? parseSize(value.string()) : undefined;
  return bytes !== undefined && bytes > 0 ? bytes : value.fail('expected a size with its unit, such as 1MiB or 64KiB');
}

function readFunction(value: Value): NamePattern {
  const pattern = parseNamePattern(value.string('schema.function'), 2);
  return pattern ?? value.fail('expected schema.function or function, without parentheses');
}

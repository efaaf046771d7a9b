/** What is well-formed and yet not what anybody can have meant: rules that never decide, and rules that contradict. */
import { effectKinds, kindsWith } from '../sql/effect-traits.js';
import type { EffectKind } from '../sql/facts.js';
import type { PolicySource } from './combine.js';
import type { Config } from './config.js';
import { type Decision, decisions } from './decision.js';
import { categoriesOfKind } from './effect-category.js';
import { levels } from './levels.js';
import { globMatches } from './name-pattern.js';
import { effectCategories, fixedCategories, type ProfileName } from './profiles.js';
import type { AccessRule } from './read-access.js';
import type { Rule, RuleCondition } from './read-rule.js';
import type { Place } from './yaml-source.js';

export interface LintFinding {
  readonly place: Place;
  /** The rule, or the key. */
  readonly about: string;
  readonly message: string;
}

/** Kinds whose facts know bounded and unbounded; every other effect counts as bounded. */
const rowKinds = kindsWith('counts-rows');
const tableKinds = kindsWith('names-tables');

export function lintPolicy(sources: readonly PolicySource[]): LintFinding[] {
  const ordered = levels.flatMap((level) => sources.filter((source) => source.level === level));
  const findings = ordered.flatMap((source) => [
    ...(source.level === 'repository' ? lintRepository(source.config) : []),
    ...lintConnections(source.config),
    ...lintRecordings(source.config),
    ...source.config.policy.rules.flatMap((rule) => lintRule(rule, source, ordered)),
    ...lintPairs(source.config.policy.rules),
    ...lintMasks(source.config),
    ...lintAccess(source.config, ordered),
  ]);
  return [...findings, ...lintNames(ordered)].sort(byPlace);
}

function byPlace(a: LintFinding, b: LintFinding): number {
  return a.place.file.localeCompare(b.place.file) || a.place.line - b.place.line || a.place.column - b.place.column;
}

/** What a repository says but may not decide. */
function lintRepository(config: Config): LintFinding[] {
  const { policy, file } = config;
  const place: Place = { file, line: 1, column: 1 };
  const findings: LintFinding[] = [];
  const never = (about: string, message: string) =>
    findings.push({ place, about, message: `${message}; a repository can only tighten. Move it into your own file` });
  if (policy.profile === 'observe' || policy.profile === 'migrations') {
    never('policy.profile', `"${policy.profile}" loosens the guarded profile, which stays in force`);
  }
  if (policy.functions.length > 0) never('policy.functions', 'listing functions has no effect here');
  if (policy.offline === 'allow') never('policy.offline', '"allow" has no effect here');
  return findings;
}

/** A file in which the agent reads the real password needs no way around dbguard. */
function lintConnections({ connections }: Config): LintFinding[] {
  return [...connections].flatMap(([name, { url, place }]) => {
    if (url === undefined || !passwordInUrl.test(url)) return [];
    const message = 'the url holds a password, which the agent can read in this file';
    return [{ place, about: name, message: `${message}; leave it out and let password_command ask a vault` }];
  });
}

/** What is recorded, and by whom it can be read. */
function lintRecordings({ connections, bucket }: Config): LintFinding[] {
  return [...connections].flatMap(([name, { record, place }]) => {
    if (record === undefined) return [];
    const { results, terminal, encryptTo, keepDays } = record;
    const says = (message: string): LintFinding => ({ place, about: `record of ${name}`, message });
    if (!results && !terminal) return [says('records nothing: say "results: masked", "terminal: on", or leave it out')];
    const locked = bucket?.kind === 's3' ? bucket.objectLockDays : undefined;
    return [
      ...(encryptTo.length > 0
        ? []
        : [says('whoever may read the bucket reads the recordings: name people in encrypt_to')]),
      ...(encryptTo.length === new Set(encryptTo).size ? [] : [says('names a recipient twice in encrypt_to')]),
      ...(keepDays === undefined ? [says('is kept until somebody deletes it: say for how long with keep')] : []),
      ...(keepDays !== undefined && locked !== undefined && keepDays < locked
        ? [says(`is kept for ${keepDays} days: its objects are locked for so long, not for object_lock_days`)]
        : []),
    ];
  });
}

/** As in a URI before the host, or as a keyword of its own. */
const passwordInUrl = /^postgres(?:ql)?:\/\/[^/?#@]*:[^@]+@|[?&\s]password\s*=|^password\s*=/;

function lintRule(rule: Rule, source: PolicySource, all: readonly PolicySource[]): LintFinding[] {
  const says = (message: string): LintFinding[] => [{ place: rule.place, about: rule.name, message }];
  const kinds = rule.when.effect ?? effectKinds;
  if (rule.decision === 'allow' && source.level === 'repository') {
    return says('never decides: a repository can only tighten. Move it into your own file (dbguard init --user)');
  }
  if (rule.decision === 'allow' && allFixed(kinds)) {
    return says('never decides: no rule can allow what dbguard cannot understand');
  }
  const impossible = impossibleCondition(rule.when, kinds, all);
  if (impossible !== undefined) return says(`never fires: ${impossible}`);
  const { profile } = source.config.policy;
  return profile === undefined ? [] : lintAgainstProfile(rule, kinds, profile).flatMap(says);
}

function allFixed(kinds: readonly EffectKind[]): boolean {
  return kinds.every((kind) => categoriesOfKind[kind].every((one) => fixedCategories.has(one)));
}

function impossibleCondition(
  when: RuleCondition,
  kinds: readonly EffectKind[],
  all: readonly PolicySource[],
): string | undefined {
  const list = kinds.join(', ');
  if (when.bounded === false && !kinds.some((kind) => rowKinds.has(kind) || kind === 'unknown')) {
    return `"bounded: false" is about rows, and ${list} has none`;
  }
  if (when.rows !== undefined && !kinds.some((kind) => rowKinds.has(kind))) {
    return `"rows" is about read, insert, update and delete, not about ${list}`;
  }
  if (
    (when.table ?? when.column) !== undefined &&
    when.opaque !== true &&
    !kinds.some((kind) => tableKinds.has(kind))
  ) {
    return `${list} names no table`;
  }
  const unconnected = noSuchConnection(when.connection, all);
  if (unconnected !== undefined) return unconnected;
  const known = new Set(
    all.flatMap((source) => [...source.config.connections.values()].map((connection) => connection.environment)),
  );
  if (when.environment !== undefined && known.size > 0 && !when.environment.some((one) => known.has(one))) {
    return `no connection is in ${when.environment.join(' or ')}`;
  }
  return undefined;
}

function noSuchConnection(globs: readonly string[] | undefined, all: readonly PolicySource[]): string | undefined {
  const names = all.flatMap((source) => [...source.config.connections.keys()]);
  const unknown = globs?.filter((pattern) => !names.some((name) => globMatches(pattern, name))) ?? [];
  if (globs === undefined || names.length === 0 || unknown.length < globs.length) return undefined;
  return `no connection is called ${unknown.join(' or ')}; there are ${names.join(', ')}`;
}

/** Of several that cover a statement the first in the files is taken. */
function lintAccess({ access }: Config, all: readonly PolicySource[]): LintFinding[] {
  const entries = all.flatMap((source) => source.config.access);
  return access.flatMap((rule) => {
    const says = (message: string) => [{ place: rule.place, about: `access ${rule.name}`, message }];
    const unconnected = noSuchConnection(rule.connections, all);
    if (unconnected !== undefined) return says(`never covers anything: ${unconnected}`);
    const before = entries.slice(0, entries.indexOf(rule));
    const twin = before.find(({ name }) => name === rule.name);
    if (twin)
      return says(
        `another entry has this name, in ${twin.place.file}:${twin.place.line}; transcripts cannot tell them apart`,
      );
    const wider = before.find((one) => coversAccess(one, rule));
    return wider ? says(`is never taken: "${wider.name}" (line ${wider.place.line}) comes first and covers it`) : [];
  });
}

function coversAccess(wide: AccessRule, narrow: AccessRule): boolean {
  return (
    (wide.connections === undefined || same(wide.connections, narrow.connections)) &&
    narrow.effects.every((effect) => wide.effects.includes(effect)) &&
    narrow.tables.every((table) => wide.tables.some((one) => same(one.parts, table.parts) || one.text === '*'))
  );
}

/** Rules that the profile of the same file makes pointless for every category they are about. */
function lintAgainstProfile(rule: Rule, kinds: readonly EffectKind[], profile: ProfileName): string[] {
  if (rule.when.effect === undefined) return [];
  const cells = kinds
    .flatMap((kind) => categoriesOfKind[kind])
    .filter((one) => !fixedCategories.has(one))
    .map((one) => effectCategories[one][profile])
    .map((cell): Decision => (cell === 'ask-once' ? 'ask' : cell));
  const all = kinds.join(', ');
  if (rule.decision === 'allow') {
    const useless = rule.when.opaque === undefined && cells.length > 0 && cells.every((cell) => cell === 'allow');
    return useless ? [`never decides: the ${profile} profile allows ${all} anyway`] : [];
  }
  const weak = cells.length > 0 && cells.every((cell) => rank(cell) > rank(rule.decision));
  return weak ? [`never decides: the ${profile} profile is stricter about ${all}`] : [];
}

function rank(decision: Decision): number {
  return decisions.indexOf(decision);
}

function lintPairs(rules: readonly Rule[]): LintFinding[] {
  return rules.flatMap((rule, index) => {
    const over = rules.find((other, at) => other !== rule && covers(other, rule) && wins(other, rule, at < index));
    if (over === undefined) return [];
    const line = `line ${over.place.line}`;
    const message =
      rule.decision === 'allow'
        ? `contradicts "${over.name}" (${line}), which says ${over.decision} to all of it; the strictest rule wins`
        : `never decides: "${over.name}" (${line}) covers it and says ${over.decision}`;
    return [{ place: rule.place, about: rule.name, message }];
  });
}

/** Between equals the earlier rule is the one that is named. */
function wins(other: Rule, rule: Rule, earlier: boolean): boolean {
  if (other.decision === rule.decision) return earlier;
  return rank(other.decision) > rank(rule.decision);
}

/** Whatever fires `rule` fires `other` too. */
function covers(other: Rule, rule: Rule): boolean {
  return (Object.keys(other.when) as (keyof RuleCondition)[]).every((key) => {
    const wide = other.when[key];
    const narrow = rule.when[key];
    if (narrow === undefined) return false;
    if (!Array.isArray(wide) || !Array.isArray(narrow)) return same(wide, narrow);
    return narrow.every((item) => wide.some((one) => itemCovers(one, item)));
  });
}

function itemCovers(wide: unknown, narrow: unknown): boolean {
  // a pattern as text matches itself and every narrower pattern that it spells out
  return typeof wide === 'string' && typeof narrow === 'string' ? globMatches(wide, narrow) : same(wide, narrow);
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function lintMasks(config: Config): LintFinding[] {
  return config.mask.flatMap((one, index) => {
    const twin = config.mask.findIndex((other) => same(other.column.parts, one.column.parts));
    if (twin === index) return [];
    const message = `the same column is masked in line ${config.mask[twin]?.place.line ?? 0} already`;
    return [{ place: one.place, about: `mask ${one.column.text}`, message }];
  });
}

/** Names are what transcripts and denials quote; two rules of one name in two files cannot be told apart there. */
function lintNames(sources: readonly PolicySource[]): LintFinding[] {
  const seen = new Map<string, Rule>();
  return sources.flatMap((source) =>
    source.config.policy.rules.flatMap((rule) => {
      const twin = seen.get(rule.name);
      seen.set(rule.name, rule);
      if (twin === undefined || twin.place.file === rule.place.file) return [];
      const message = `a rule of this name is in ${twin.place.file}:${twin.place.line} too`;
      return [{ place: rule.place, about: rule.name, message }];
    }),
  );
}

/**
 * One file's say about one effect: its rules that restrict, else a rule of its that allows, else its profile.
 * Only `allow` loosens a profile; a rule that asks never turns a profile's denial into a question.
 */
import type { PolicySource } from './combine.js';
import { type Decision, decisions } from './decision.js';
import type { Level } from './levels.js';
import { type Cell, type EffectCategory, effectCategories, fixedCategories, type ProfileName } from './profiles.js';
import type { Rule } from './read-rule.js';
import { type Certainty, matchRule, type Subject } from './rule-match.js';

/** One file's say. A layer without a profile only adds its rules. */
export interface Layer {
  readonly level: Level;
  readonly profile?: ProfileName;
  readonly rules: readonly Rule[];
}

export function layersOf(sources: readonly PolicySource[], profile: ProfileName | undefined): Layer[] {
  const layers = sources
    .filter((source) => source.level !== 'user')
    .map(({ level, config: { policy } }) => layerOf(level, policy.rules, policy.profile));
  const own = sources.filter((source) => source.level === 'user').map((source) => source.config.policy);
  const profiles = profile === undefined ? own.flatMap((policy) => policy.profile ?? []) : [profile];
  if (profiles.length > 1) return [...layers, ...own.map((one) => layerOf('user', one.rules, one.profile))];
  // The user's files speak as one: what one of them allows loosens the profile that another one names.
  const organisation = layers.some((layer) => layer.level === 'organisation' && layer.profile !== undefined);
  const base = profiles[0] ?? (organisation ? undefined : 'guarded');
  const rules = own.flatMap((policy) => policy.rules);
  return [...layers, layerOf('user', rules, base)];
}

function layerOf(level: Level, rules: readonly Rule[], profile: ProfileName | undefined): Layer {
  return { level, rules, ...(profile === undefined ? {} : { profile }) };
}

/** What one layer says about one effect. */
export interface Finding {
  readonly decision: Decision;
  readonly rule: string;
  readonly origin: string;
  readonly why?: string;
  readonly pendingRows: boolean;
  readonly once: boolean;
}

/** No layer has a profile: cannot happen as layersOf makes them, and must not mean yes. */
export const nothingSaid: Finding = {
  decision: 'ask',
  rule: 'builtin:no-profile',
  origin: 'dbguard',
  pendingRows: false,
  once: false,
};

export function judgeByLayer(layer: Layer, subject: Subject, category: EffectCategory): Finding | undefined {
  let restricting: Finding | undefined;
  let allowing: Finding | undefined;
  let pendingRows = false;
  for (const rule of layer.rules) {
    const quantifier = rule.decision === 'allow' ? 'every' : 'some';
    const match = matchRule(rule.when, subject, quantifier);
    if (match.certainty === 'no') continue;
    pendingRows ||= match.pendingRows;
    if (rule.decision === 'allow') {
      if (match.certainty === 'yes') allowing ??= findingOf(rule, 'allow');
      continue;
    }
    const decision = decisionOf(rule.decision, match.certainty);
    if (restricting === undefined || isStricter(decision, restricting.decision)) {
      restricting = findingOf(rule, decision);
    }
  }
  const base = layer.profile === undefined ? undefined : baseFinding(layer.profile, category);
  const loosened = allowing !== undefined && layer.level !== 'repository' && !fixedCategories.has(category);
  const kept = loosened ? allowing : base;
  const strictest =
    restricting === undefined || (kept !== undefined && isStricter(kept.decision, restricting.decision))
      ? kept
      : restricting;
  return strictest && { ...strictest, pendingRows };
}

/** Nobody can see whether the rule is about this: a person decides, whatever else the rule would do. */
function decisionOf(decision: Decision, certainty: Certainty): Decision {
  return certainty === 'unseen' && decision === 'deny' ? 'ask' : decision;
}

function findingOf(rule: Rule, decision: Decision): Finding {
  return {
    decision,
    rule: rule.name,
    origin: `${rule.place.file}:${rule.place.line}`,
    ...(rule.reason === undefined ? {} : { why: rule.reason }),
    pendingRows: false,
    once: false,
  };
}

function baseFinding(profile: ProfileName, category: EffectCategory): Finding {
  const cell: Cell = effectCategories[category][profile];
  return {
    decision: cell === 'ask-once' ? 'ask' : cell,
    rule: `builtin:${category}`,
    origin: `built-in ${profile} profile`,
    pendingRows: false,
    once: cell === 'ask-once',
  };
}

export function isStricter(a: Decision, b: Decision): boolean {
  return decisions.indexOf(a) > decisions.indexOf(b);
}

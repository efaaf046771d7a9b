/**
 * Where nobody sits beside the client, as at a gateway: what its person would be asked about is a second person's matter.
 *
 * What lives here: a policy's words for that. What it must not know: who approves, how they are reached.
 */
import type { CombinedConfig } from './combine.js';
import type { Ruling } from './decision.js';
import type { AccessRule } from './read-access.js';

/** Nothing is turned where nobody is named who could approve: then it stays a question that nobody hears, which denies. */
export function unattendedConfig<C extends Pick<CombinedConfig, 'access' | 'secondPerson'>>(config: C): C {
  return config.secondPerson === undefined ? config : { ...config, access: config.access.map(elsewhere) };
}

/** A second person decides about one statement each time: neither a transaction nor a span of time is theirs to open. */
export function askedElsewhere(ruling: Ruling): Ruling {
  const known = turned.get(ruling);
  if (known) return known;
  const { covers: _, unlessFew, access, ...one } = ruling;
  const asked: Ruling = {
    ...one,
    decision: one.decision === 'ask' ? 'second-person' : one.decision,
    ...(unlessFew && { unlessFew: askedElsewhere(unlessFew) }),
    ...(access && { access: { ...access, rules: access.rules.map(elsewhere) } }),
  };
  turned.set(ruling, asked);
  return asked;
}

/** The same ruling becomes the same one: a statement that is run again is told by that. */
const turned = new WeakMap<Ruling, Ruling>();

function elsewhere(rule: AccessRule): AccessRule {
  return rule.decision === 'ask' ? { ...rule, decision: 'second-person' } : rule;
}

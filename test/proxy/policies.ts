/** Policies of one line, for tests of the protocol. */
import type { Decision, Policy } from '../../src/policy/decision.js';
import type { Facts } from '../../src/sql/facts.js';

export function policyOf(decide: (facts: Facts) => Decision, approvalTimeoutMs = 20_000): Policy {
  return {
    name: 'test',
    digest: '',
    approvalTimeoutMs,
    accessOffer: () => undefined,
    surplusRows: () => 100,
    decide: ({ facts }) => ({ decision: decide(facts), rule: 'test', origin: 'test', reason: 'Test.' }),
  };
}

export const everything = policyOf(() => 'allow');

/** Only statements that speak of something with this name. */
export const named = (name: string, decision: Decision): Policy =>
  policyOf((facts) => (JSON.stringify(facts).includes(`"${name}"`) ? decision : 'allow'));

/** Once rows are counted, many are denied where `policy` would ask. */
export function denyingMany(policy: Policy): Policy {
  return {
    name: policy.name,
    digest: policy.digest,
    approvalTimeoutMs: policy.approvalTimeoutMs,
    accessOffer: (facts, connection) => policy.accessOffer(facts, connection),
    surplusRows: (connection) => policy.surplusRows(connection),
    decide: (input) => {
      const ruling = policy.decide(input);
      const counted = [...(input.extents?.values() ?? [])].some(({ rows }) => rows?.how === 'counted');
      return counted && ruling.rule.endsWith('-mass') ? { ...ruling, decision: 'deny' } : ruling;
    },
  };
}

import type { LoginKeeper } from '../../identity/login-keeper.js';
import type { Policy, Ruling } from '../../policy/decision.js';

/** The policy, and above it: nobody runs anything without a valid login. `dbguard login` elsewhere lets the run go on. */
export function guardedByLogin<P extends Policy>(policy: P, keeper: Pick<LoginKeeper, 'valid'>): Policy {
  return {
    name: policy.name,
    digest: policy.digest,
    approvalTimeoutMs: policy.approvalTimeoutMs,
    secondPerson: policy.secondPerson,
    ...(policy.unattended === undefined ? {} : { unattended: policy.unattended }),
    accessOffer: (facts, connection) => policy.accessOffer(facts, connection),
    surplusRows: (connection) => policy.surplusRows(connection),
    decide(input): Ruling {
      const valid = keeper.valid(input.now);
      if (valid === true) return policy.decide(input);
      return {
        decision: 'deny',
        rule: 'builtin:login',
        origin: 'dbguard',
        reason: `${valid.message}.`,
        advice: `${valid.hint ?? 'A person has to log in again'}. Then the same statement may run.`,
      };
    },
  };
}

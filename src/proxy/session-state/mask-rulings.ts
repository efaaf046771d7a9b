/** What is said of statements whose results cannot be masked. */
import type { MaskPlan } from '../../masking/statement-plan.js';
import type { Ruling } from '../../policy/decision.js';
import type { Facts } from '../../sql/facts.js';

export function maskRuling(plan: MaskPlan & { kind: 'deny' }): Ruling {
  return {
    decision: 'deny',
    rule: 'builtin:mask',
    origin: 'mask in dbguard.yaml',
    reason: `${plan.reason} ${plan.hint}`,
  };
}

/** COPY towards the client. Towards the server it inserts; to a file or program it is another effect. */
export function copiesOut(facts: Facts): boolean {
  return facts.statements.some(
    (statement) => statement.command === 'COPY' && !statement.effects.some((effect) => effect.kind === 'insert'),
  );
}

export const copyNotMaskable: Ruling = {
  decision: 'deny',
  rule: 'builtin:mask',
  origin: 'mask in dbguard.yaml',
  reason:
    'This COPY may carry masked columns in a form that cannot be masked. Use SELECT, or COPY in text or csv format with plain columns.',
};

export const portalNotMaskable: Ruling = {
  decision: 'deny',
  rule: 'builtin:mask',
  origin: 'mask in dbguard.yaml',
  reason:
    'What this portal returns is not known, so nothing of it could be masked. Bind it anew; use FETCH for a cursor.',
};

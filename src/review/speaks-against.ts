/**
 * Which sentence of a verdict each finding speaks against. The table is whole by its type: a new kind of finding has to
 * say which ✓ it takes away.
 *
 * What lives here: that table, and how much is left of a sentence. What it must not know: words.
 */
import type { Finding, FindingCode } from '../transcript/finding.js';

export type Part = 'who' | 'what' | 'whole' | 'when';
export type Holds = 'yes' | 'no' | 'unknown';

/** Exported for the test of every kind. */
export const speaksAgainst: Readonly<Record<FindingCode, Part>> = {
  'open-unusable': 'who',
  'certificate-invalid': 'who',
  'certificate-expired': 'who',
  'identity-invalid': 'who',
  'identity-unproven': 'who',
  'identity-weak': 'who',
  'identity-local': 'who',
  'identity-look-alike': 'who',
  'login-old': 'who',
  'login-revoked': 'who',
  'wrong-place': 'who',

  'line-malformed': 'what',
  'entry-missing': 'what',
  'entry-order': 'what',
  'chain-broken': 'what',
  'signature-invalid': 'what',
  'seal-wrong': 'what',
  contradiction: 'what',
  'unknown-kind': 'what',
  'unknown-field': 'what',
  'disclosure-changed': 'what',
  'disclosure-missing': 'what',
  redacted: 'what',
  'redaction-unproven': 'what',
  'redaction-ignored': 'what',
  'redaction-invalid': 'what',
  'approval-invalid': 'what',
  'approval-unproven': 'what',
  'approval-redacted': 'what',
  'segment-damaged': 'what',
  'segment-conflict': 'what',
  'unsigned-tail': 'what',

  'after-final-seal': 'whole',
  'not-final': 'whole',
  'still-open': 'whole',
  'segment-missing': 'whole',
  'object-overwritten': 'whole',
  'object-repeated': 'whole',
  'object-deleted': 'whole',
  'foreign-object': 'whole',
  'unknown-object': 'whole',
  'versions-hidden': 'whole',
  'nothing-there': 'whole',
  'session-missing': 'whole',
  'session-truncated': 'whole',
  'session-replaced': 'whole',
  'session-forked': 'whole',
  'session-circular': 'whole',
  'session-expired': 'whole',
  'session-expected': 'whole',
  'approval-reused': 'whole',

  'clock-back': 'when',
  'time-ahead': 'when',
  'late-upload': 'when',
  'id-time': 'when',
  'session-order': 'when',
};

/** What findings leave of a sentence: notes leave it whole. */
export function leaves(findings: readonly Finding[], part: Part, except: readonly FindingCode[] = []): Holds {
  const against = findings.filter(({ code }) => speaksAgainst[code] === part && !except.includes(code));
  if (against.some(({ severity }) => severity === 'failure')) return 'no';
  return against.some(({ severity }) => severity === 'warning') ? 'unknown' : 'yes';
}

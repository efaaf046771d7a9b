/** What a report proves and what it does not, in sentences for people who were not there. */
import type { SessionReport } from './verify-session.js';

export interface ProofLine {
  readonly holds: 'yes' | 'no' | 'unknown';
  readonly label: string;
  readonly text: string;
}

export function proofLines(report: SessionReport): ProofLine[] {
  return [who(report), what(report), whole(report), when(report)];
}

/** Signatures cannot prove a negative: this belongs under every report. */
export const notProvable =
  'Not proven by any transcript: that nothing happened outside dbguard. "dbguard transcripts reconcile" compares with the server’s own log.';

const levels: Readonly<Record<string, string>> = {
  nonce: 'the issuer’s token carries the nonce of this machine’s key',
  dpop: 'the issuer’s access token names this machine’s key',
  audience: 'the platform’s token was made for dbguard, but names no key',
  asserted: 'the issuer’s token names the person, but no key',
};

function who({ open, level, keysFrom, findings }: SessionReport): ProofLine {
  const label = 'who';
  if (open === undefined) return { holds: 'no', label, text: 'nobody: the opening entry is unusable' };
  const { email, sub, iss } = open.subject;
  const name = email === undefined ? `${sub} at ${iss}` : `${email} (${sub} at ${iss})`;
  const codes = [
    'certificate-invalid',
    'certificate-expired',
    'identity-invalid',
    'identity-weak',
    'login-revoked',
    'wrong-place',
  ];
  if (findings.some(({ severity, code }) => severity === 'failure' && codes.includes(code))) {
    return { holds: 'no', label, text: `claims to be ${name}` };
  }
  if (level === undefined)
    return { holds: 'unknown', label, text: `says ${name}; the issuer’s word for it is not proven` };
  const text = `${name}: ${levels[level] ?? level}; issuer keys from ${keysFrom ?? 'nowhere'}`;
  return { holds: level === 'asserted' ? 'unknown' : 'yes', label, text };
}

const identityCodes: readonly string[] = [
  'identity-invalid',
  'identity-weak',
  'login-revoked',
  'certificate-invalid',
  'wrong-place',
];

function what({ entries, signatures, statements, redacted, findings }: SessionReport): ProofLine {
  const broken = findings.some(({ severity, code }) => severity === 'failure' && !identityCodes.includes(code));
  const taken = redacted > 0 ? `; ${count(redacted, 'text')} redacted by a reviewer` : '';
  const held = `${count(entries, 'entry', 'entries')}, ${count(statements, 'statement')}, ${count(signatures, 'signature')}`;
  if (findings.some(({ code }) => code === 'certificate-invalid' || code === 'open-unusable')) {
    return { holds: 'no', label: 'what', text: `${held}, by a key that nobody vouches for` };
  }
  if (broken) return { holds: 'no', label: 'what', text: `${held}: changed since it was signed, see below` };
  return { holds: 'yes', label: 'what', text: `${held}: nothing changed, moved, added or left out in between${taken}` };
}

function whole({ state }: SessionReport): ProofLine {
  const label = 'whole';
  switch (state) {
    case 'complete':
      return { holds: 'yes', label, text: 'sealed by the session itself; nothing follows' };
    case 'open':
      return { holds: 'unknown', label, text: 'no final seal yet: it is still running, or ended a moment ago' };
    case 'unsealed':
      return { holds: 'unknown', label, text: 'no final seal: it crashed, or its end was cut off; the two look alike' };
  }
}

function when({ firstStoredAt, lastStoredAt, openedAt, lastEntryAt, findings }: SessionReport): ProofLine {
  const label = 'when';
  const claimed = `${time(openedAt)} to ${time(lastEntryAt)} UTC by the writer’s clock`;
  if (firstStoredAt === undefined || lastStoredAt === undefined) return { holds: 'unknown', label, text: claimed };
  const stored = `stored ${time(firstStoredAt)} to ${time(lastStoredAt)} by the bucket’s`;
  const odd = findings.some(({ code }) => code === 'time-ahead' || code === 'late-upload' || code === 'clock-back');
  return { holds: odd ? 'unknown' : 'yes', label, text: `${claimed}, ${stored}` };
}

function time(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? 'an impossible time' : date.toISOString().replace('T', ' ').slice(0, 19);
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

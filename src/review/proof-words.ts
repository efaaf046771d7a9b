/** What a report proves and what it does not, in five sentences for people who were not there. */
import type { FindingCode } from '../transcript/finding.js';
import type { VersionKeeping } from '../transcript/object-history.js';
import { ends, type SessionReport } from './verify-session.js';

export interface ProofLine {
  readonly holds: 'yes' | 'no' | 'unknown';
  readonly label: string;
  readonly text: string;
}

/** @param keeping what the bucket keeps, where that is known */
export function proofLines(report: SessionReport, keeping: VersionKeeping = 'kept'): ProofLine[] {
  return [who(report), what(report), whole(report), when(report), notProven(report, keeping)];
}

const levels: Readonly<Record<string, string>> = {
  nonce: 'the issuer’s token carries the nonce of this machine’s key',
  dpop: 'the issuer’s access token names this machine’s key',
  audience: 'the platform’s token was made for dbguard, but names no key',
  asserted: 'the issuer’s token names the person, but no key',
};

const identityCodes: readonly FindingCode[] = [
  'certificate-invalid',
  'certificate-expired',
  'identity-invalid',
  'identity-weak',
  'login-revoked',
  'wrong-place',
];
/** Said of the bucket: what was stored first is none the worse for it. */
const rewriteCodes: readonly FindingCode[] = ['object-overwritten', 'object-deleted'];
/** What is between sessions is said of the session that it is about, and of its end. */
const wholeCodes: readonly FindingCode[] = [
  ...rewriteCodes,
  'segment-missing',
  'session-truncated',
  'session-replaced',
  'session-forked',
];

function failed({ findings }: SessionReport, codes: readonly FindingCode[]): boolean {
  return findings.some(({ severity, code }) => severity === 'failure' && codes.includes(code));
}

/** Nothing but the bucket failed: the first version of everything verifies. */
export function onlyRewritten({ findings }: SessionReport): boolean {
  const failures = findings.filter(({ severity }) => severity === 'failure');
  return failures.length > 0 && failures.every(({ code }) => rewriteCodes.includes(code));
}

function who(report: SessionReport): ProofLine {
  const { open, level, keysFrom } = report;
  const label = 'who';
  if (open === undefined) return { holds: 'no', label, text: 'nobody: there is no opening entry that can be used' };
  const { email, sub, iss } = open.subject;
  const name = email === undefined ? `${sub} at ${iss}` : `${email} (${sub} at ${iss})`;
  if (failed(report, identityCodes)) return { holds: 'no', label, text: `claims to be ${name}` };
  if (level === undefined) {
    return { holds: 'unknown', label, text: `says ${name}; the issuer’s word for it is not proven` };
  }
  const text = `${name}: ${levels[level] ?? level}; issuer keys from ${keysFrom ?? 'nowhere'}`;
  return { holds: level === 'asserted' ? 'unknown' : 'yes', label, text };
}

function what(report: SessionReport): ProofLine {
  const { entries, signatures, statements, asked, denied, redacted, findings } = report;
  const label = 'what';
  if (entries === 0) return { holds: 'no', label, text: 'nothing: no entry was found' };
  const decided = [asked > 0 ? `${asked} asked about` : '', denied > 0 ? `${denied} denied` : ''].filter((one) => one);
  const of = decided.length > 0 ? ` (${decided.join(', ')})` : '';
  const held = `${count(entries, 'entry', 'entries')}, ${count(statements, 'statement')}${of}, ${count(signatures, 'signature')}`;
  if (findings.some(({ code }) => code === 'certificate-invalid' || code === 'open-unusable')) {
    return { holds: 'no', label, text: `${held}, by a key that nobody vouches for` };
  }
  const broken = findings.some(
    ({ severity, code }) => severity === 'failure' && !identityCodes.includes(code) && !rewriteCodes.includes(code),
  );
  if (broken) return { holds: 'no', label, text: `${held}: not as it was signed, see below` };
  const taken = redacted > 0 ? `; ${count(redacted, 'text')} redacted by a reviewer` : '';
  if (findings.some(({ severity, code }) => severity === 'warning' && code === 'redaction-unproven')) {
    return {
      holds: 'unknown',
      label,
      text: `${held}: texts were taken out${taken}, and by whom is not proven, see below`,
    };
  }
  return { holds: 'yes', label, text: `${held}: nothing changed, moved, added or left out in between${taken}` };
}

function whole(report: SessionReport): ProofLine {
  const label = 'whole';
  const { state, sealedUnsigned, entries } = report;
  if (entries === 0) return { holds: 'no', label, text: 'nothing is there' };
  if (failed(report, rewriteCodes)) {
    return {
      holds: 'no',
      label,
      text: 'overwritten or deleted in the bucket since; what was stored first is what was read',
    };
  }
  if (failed(report, wholeCodes)) return { holds: 'no', label, text: 'parts are missing or were replaced, see below' };
  if (state === 'complete') return { holds: 'yes', label, text: 'sealed by the session itself; nothing follows' };
  const end = ends[sealedUnsigned ? 'unsigned' : state][1];
  // who changes the last object leaves one that nobody can ascribe: it may have been the end
  const strangers = report.findings.some(({ code }) => code === 'foreign-object');
  const more = strangers ? '. Objects in its folder that its key did not sign may be what was made of its end' : '';
  return { holds: 'unknown', label, text: `${end}${more}` };
}

function when({ firstStoredAt, lastStoredAt, openedAt, lastEntryAt, findings }: SessionReport): ProofLine {
  const label = 'when';
  if (firstStoredAt === undefined || lastStoredAt === undefined) return { holds: 'unknown', label, text: 'not known' };
  const claimed = `${time(openedAt)} to ${time(lastEntryAt)} UTC by the writer’s clock`;
  const stored = `stored ${time(firstStoredAt)} to ${time(lastStoredAt)} by the bucket’s`;
  const wrong = findings.some(({ code }) => code === 'time-ahead' || code === 'id-time');
  const odd = findings.some(({ code }) => code === 'late-upload' || code === 'clock-back');
  return { holds: wrong ? 'no' : odd ? 'unknown' : 'yes', label, text: `${claimed}, ${stored}` };
}

/** What remains open even where everything above holds; signatures cannot prove a negative. */
function notProven(report: SessionReport, keeping: VersionKeeping): ProofLine {
  const { level, state } = report;
  const open = [
    level === undefined ? 'who it was, as long as the issuer’s keys are not at hand' : (weak[level] ?? ''),
    state === 'complete' ? '' : 'that nothing was cut off at the end',
    keepings[keeping],
    'what happened outside dbguard, which “dbguard transcripts reconcile” compares with the server’s own log',
  ];
  return { holds: 'unknown', label: 'not proven', text: open.filter((one) => one !== '').join('; ') };
}

const weak: Readonly<Record<string, string>> = {
  asserted: 'whose key signed: whoever held the token could have',
  audience: 'whose key signed: whichever job held the token could have',
};

const keepings: Readonly<Record<VersionKeeping, string>> = {
  kept: '',
  none: 'that nothing was overwritten: this bucket keeps no versions, an overwrite would not be seen',
  suspended: 'that nothing was overwritten: this bucket keeps no versions any more, an overwrite would not be seen',
  hidden: 'that nothing was overwritten: these credentials may not list versions (s3:ListBucketVersions)',
};

function time(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? 'an impossible time' : date.toISOString().replace('T', ' ').slice(0, 19);
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

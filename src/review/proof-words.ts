/**
 * What a report proves and what it does not, in five sentences for people who were not there. Each rests on the one
 * before it: what a key signed says nothing of a person whose key it is not proven to be.
 */
import { subjectName } from '../identity/subject-name.js';
import type { FindingCode } from '../transcript/finding.js';
import type { VersionKeeping } from '../transcript/object-history.js';
import { ends, type SessionReport, type Verdict } from './session-report.js';
import { type Holds, leaves } from './speaks-against.js';

export interface ProofLine {
  readonly holds: Holds;
  readonly label: string;
  readonly text: string;
}

/** A report in a few words. */
export function verdictWords(report: SessionReport): string {
  return onlyRewritten(report) ? rewritten : verdictsInWords[report.verdict];
}

export const verdictsInWords: Readonly<Record<Verdict, string>> = {
  proven: 'PROVEN',
  local: 'UNCHANGED AND WHOLE, BY A LOCAL KEY: nobody vouches for who it was',
  unproven: 'NOT ALL PROVEN',
  invalid: 'CHANGED OR FORGED',
};
/** The transcript may be as proven as ever. */
export const recordingChanged = 'RECORDING CHANGED';
const rewritten = 'OVERWRITTEN OR DELETED: proven is what was stored first';

/** Of several reports: as bad as the worst of them. */
export function worstWords(reports: readonly SessionReport[]): { readonly verdict: Verdict; readonly heading: string } {
  const order: readonly Verdict[] = ['invalid', 'unproven', 'local', 'proven'];
  const verdict = order.find((one) => reports.some((report) => report.verdict === one)) ?? 'unproven';
  const worst = reports.filter((report) => report.verdict === verdict);
  const spared = worst.length > 0 && worst.every(onlyRewritten);
  return { verdict, heading: spared ? rewritten : verdictsInWords[verdict] };
}

/** @param keeping what the bucket keeps, where that is known */
export function proofLines(report: SessionReport, keeping: VersionKeeping = 'kept'): ProofLine[] {
  return [who(report), what(report), whole(report), when(report), notProven(report, keeping)];
}

const levels: Readonly<Record<string, string>> = {
  nonce: 'the issuer’s token carries the nonce of this machine’s key',
  dpop: 'the issuer’s access token names this machine’s key',
  audience: 'the platform’s token was made for dbguard, but names no key',
  gateway: 'they showed their token to a gateway, whose key its own login names',
  asserted: 'the issuer’s token names the person, but no key',
};

/** Said of the bucket: what was stored first is none the worse for it. */
const rewriteCodes: readonly FindingCode[] = ['object-overwritten', 'object-deleted'];
/** Its key has signed them all the same. */
const signedFaults: readonly FindingCode[] = ['contradiction', 'seal-wrong'];
/** Said of another session than this one. */
const neighbourCodes: readonly FindingCode[] = ['session-missing', 'session-forked', 'session-circular'];

function failed({ findings }: SessionReport, codes: readonly FindingCode[]): boolean {
  return findings.some(({ severity, code }) => severity === 'failure' && codes.includes(code));
}

/** Nothing but the bucket failed: the first version of everything verifies. */
function onlyRewritten({ findings }: SessionReport): boolean {
  const failures = findings.filter(({ severity }) => severity === 'failure');
  return failures.length > 0 && failures.every(({ code }) => rewriteCodes.includes(code));
}

function who(report: SessionReport): ProofLine {
  const { open, level, keysFrom, findings } = report;
  const label = 'who';
  if (open === undefined) return { holds: 'no', label, text: 'nobody: there is no opening entry that can be used' };
  const { email, sub, iss } = open.subject;
  const left = leaves(findings, label);
  if (level === 'local' && left !== 'no') {
    return {
      holds: 'unknown',
      label,
      text: `${subjectName(open.subject)}: of one machine; nobody vouches for whose it is`,
    };
  }
  const name = email === undefined ? `${sub} at ${iss}` : `${email} (${sub} at ${iss})`;
  if (left === 'no') return { holds: 'no', label, text: `claims to be ${name}, see below` };
  if (level === undefined) {
    return { holds: 'unknown', label, text: `says ${name}; the issuer’s word for it is not proven` };
  }
  const text = `${name}: ${levels[level] ?? level}; issuer keys from ${keysFrom ?? 'nowhere'}`;
  if (level === 'asserted') return { holds: 'unknown', label, text };
  return left === 'yes' ? { holds: 'yes', label, text } : { holds: left, label, text: `${text}; doubtful, see below` };
}

/**
 * Whether the key that signed is the person’s: without that, everything may be somebody else’s own making. A local key
 * stands for nobody else than itself.
 */
function keyIsTheirs(report: SessionReport): Holds {
  const { holds } = who(report);
  if (holds === 'no') return 'no';
  return report.level === undefined || report.level === 'asserted' ? 'unknown' : 'yes';
}

/** All lines are there as the session's key signed them, whoever holds that. */
function isAsSigned({ findings }: SessionReport): boolean {
  return leaves(findings, 'what', signedFaults) !== 'no';
}

function what(report: SessionReport): ProofLine {
  const { entries, signatures, statements, asked, denied, redacted, findings } = report;
  const label = 'what';
  if (entries === 0) return { holds: 'no', label, text: 'nothing: no entry was found' };
  const decided = [asked > 0 ? `${asked} asked about` : '', denied > 0 ? `${denied} denied` : ''].filter((one) => one);
  const of = decided.length > 0 ? ` (${decided.join(', ')})` : '';
  const held = `${count(entries, 'entry', 'entries')}, ${count(statements, 'statement')}${of}, ${count(signatures, 'signature')}`;
  const line = (holds: Holds, text: string): ProofLine => ({ holds, label, text: `${held}: ${text}` });
  if (failed(report, ['certificate-invalid', 'open-unusable'])) return line('no', 'by a key that nobody vouches for');
  if (!isAsSigned(report)) return line('no', 'not as it was signed, see below');
  if (failed(report, signedFaults)) return line('no', 'as it was signed, but it contradicts itself, see below');
  const taken = redacted > 0 ? `${count(redacted, 'text')} redacted by a reviewer; nothing else` : 'nothing';
  const unchanged = `${taken} changed, moved, added or left out in between`;
  if (findings.some(({ severity, code }) => severity === 'warning' && code === 'redaction-unproven')) {
    const proven = redacted > 0 ? `; ${count(redacted, 'text')} redacted by a reviewer` : '';
    return line('unknown', `texts were taken out${proven}, and by whom is not proven, see below`);
  }
  const theirs = keyIsTheirs(report);
  if (theirs === 'no') return line('no', 'whoever signed it, it does not speak for the one it names');
  if (theirs === 'unknown') return line('unknown', 'as its key signed it, and whose key that is is not proven');
  if (findings.some(({ code }) => code === 'unsigned-tail'))
    return line('unknown', `${unchanged} up to the last signature, and what stands behind that proves nothing`);
  if (leaves(findings, label) !== 'yes') return line('unknown', 'not all of it is understood, see below');
  return line('yes', unchanged);
}

function whole(report: SessionReport): ProofLine {
  const label = 'whole';
  const { state, sealedUnsigned, entries, findings } = report;
  const line = (holds: Holds, text: string): ProofLine => ({ holds, label, text });
  if (entries === 0) return line('no', 'nothing is there');
  if (failed(report, rewriteCodes)) {
    return line('no', 'overwritten or deleted in the bucket since; what was stored first is what was read');
  }
  if (leaves(findings, label, neighbourCodes) === 'no') {
    return line('no', 'parts are missing, were replaced or were added, see below');
  }
  if (failed(report, neighbourCodes)) return line('no', 'its place among the sessions is in doubt, see below');
  if (state !== 'complete') {
    const end = ends[sealedUnsigned ? 'unsigned' : state][1];
    // who changes the last object leaves one that nobody can ascribe: it may have been the end
    const strangers = findings.some(({ code }) => code === 'foreign-object');
    const more = strangers ? '. Objects in its folder that its key did not sign may be what was made of its end' : '';
    return line('unknown', `${end}${more}`);
  }
  if (!isAsSigned(report)) return line('no', 'it has an end, but what stands before that is not as it was signed');
  const theirs = keyIsTheirs(report);
  if (theirs === 'no') return line('no', 'sealed by a key that does not speak for the one it names');
  if (theirs === 'unknown') return line('unknown', 'sealed by its key, and whose key that is is not proven');
  if (leaves(findings, label) !== 'yes') return line('unknown', 'sealed by the session itself; doubtful, see below');
  const expired = findings.some(({ code }) => code === 'session-expired');
  const since = expired ? '. Deleted since, as the retention rules say; what was stored first was read' : '';
  return line('yes', `sealed by the session itself; nothing follows${since}`);
}

function when(report: SessionReport): ProofLine {
  const label = 'when';
  const { firstStoredAt, lastStoredAt, openedAt, lastEntryAt, findings } = report;
  if (firstStoredAt === undefined || lastStoredAt === undefined) return { holds: 'unknown', label, text: 'not known' };
  const claimed = `${time(openedAt)} to ${time(lastEntryAt)} UTC by the writer’s clock`;
  const stored = `stored ${time(firstStoredAt)} to ${time(lastStoredAt)} by the bucket’s`;
  const text = `${claimed}, ${stored}`;
  const left = leaves(findings, label);
  if (left === 'no') return { holds: 'no', label, text: `${text}; see below` };
  if (keyIsTheirs(report) !== 'yes' || !isAsSigned(report)) {
    return { holds: 'unknown', label, text: `${text}; of these only the bucket’s is proven` };
  }
  const odd = findings.some(({ code }) => code === 'late-upload' || code === 'clock-back');
  return odd || left !== 'yes'
    ? { holds: 'unknown', label, text: `${text}; see below` }
    : { holds: 'yes', label, text };
}

/** What remains open even where everything above holds; signatures cannot prove a negative. */
function notProven(report: SessionReport, keeping: VersionKeeping): ProofLine {
  const { level, state } = report;
  const open = [
    level === undefined ? 'who it was: the issuer’s word for it' : (weak[level] ?? ''),
    state === 'complete' ? '' : 'that nothing was cut off at the end',
    keepings[keeping],
    'what happened outside dbguard, which “dbguard transcripts reconcile” compares with the server’s own log',
  ];
  return { holds: 'unknown', label: 'not proven', text: open.filter((one) => one !== '').join('; ') };
}

const weak: Readonly<Record<string, string>> = {
  local: 'who it was: nobody vouches for the key',
  asserted: 'whose key signed: whoever held the token could have',
  audience: 'whose key signed: whichever job held the token could have',
  gateway:
    'that it was the person who sent it: the key is the gateway’s, and whoever held the token could have shown it',
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

/**
 * What is said about one session when all of it has been read: the verdict, and the state that it was left in.
 * What it must not know: how a session is read, and how it is shown.
 */
import type { Finding } from '../transcript/finding.js';
import type { OpenDetails } from '../transcript/open-entry.js';
import type { SessionVerifier } from '../transcript/verify.js';
import type { SegmentObject, SessionObjects } from './catalog.js';
import type { ProvenIdentity } from './identity-demands.js';
import type { Recording } from './recordings.js';

export type SessionState = 'complete' | 'open' | 'unsealed';
/**
 * `invalid`: a failure. `unproven`: no failure, but something that could be proven is not. `local`: everything is, but for
 * who it was, since its key is one that nobody vouches for.
 */
export type Verdict = 'proven' | 'local' | 'unproven' | 'invalid';

/** What findings make of a session. */
function verdictOf(findings: readonly Finding[]): Verdict {
  if (findings.some(({ severity }) => severity === 'failure')) return 'invalid';
  const doubts = findings.filter(({ severity }) => severity === 'warning');
  if (doubts.length === 0) return 'proven';
  return doubts.every(({ code }) => code === 'identity-local') ? 'local' : 'unproven';
}

export interface SessionReport {
  readonly sid: string;
  readonly verdict: Verdict;
  readonly state: SessionState;
  /** A final seal is there that no signature covers. */
  readonly sealedUnsigned: boolean;
  readonly open?: OpenDetails;
  /** The evidence level that was really proven. */
  readonly level?: string;
  readonly keysFrom?: string;
  readonly entries: number;
  readonly statements: number;
  readonly asked: number;
  readonly denied: number;
  readonly signatures: number;
  readonly redacted: number;
  readonly size: number;
  /** Entries that a signature covers, from the first one on. */
  readonly signedSize: number;
  readonly head: string;
  /** Milliseconds since 1970 UTC: by the writer's clock, and when the bucket had it. */
  readonly openedAt: number;
  readonly lastEntryAt: number;
  readonly firstStoredAt?: number;
  readonly lastStoredAt?: number;
  readonly findings: readonly Finding[];
  /** Ids of requests to a second person whose approval it has used. */
  readonly approvalsUsed?: readonly string[];
  /** What its chain says of its recordings, where there are any; whether they lie there is not looked at. */
  readonly recordings?: readonly Recording[];
}

/** A session that has been silent for longer is not running any more: heartbeats come once a minute. */
const OPEN_MS = 5 * 60_000;

/** Neither clock alone could keep a dead session open for ever. */
function stateOf(verifier: SessionVerifier, lastStoredAt: number, now: number): SessionState {
  if (verifier.final) return 'complete';
  const fresh = now - lastStoredAt <= OPEN_MS && Math.abs(now - verifier.lastTime / 1000) <= OPEN_MS;
  return fresh ? 'open' : 'unsealed';
}

export function reportOf(
  { sid }: Pick<SessionObjects, 'sid'>,
  verifier: SessionVerifier,
  proven: ProvenIdentity,
  own: readonly SegmentObject[],
  now: number,
): SessionReport {
  const firstStoredAt = own.reduce((first, { createdAt }) => Math.min(first, createdAt), Infinity);
  const lastStoredAt = own.reduce((last, { createdAt }) => Math.max(last, createdAt), 0);
  const state = stateOf(verifier, lastStoredAt, now);
  const { findings } = verifier;
  if (own.length > 0 && state !== 'complete') {
    const [code, message] = ends[verifier.sealedUnsigned ? 'unsigned' : state];
    findings.warn(code, message, { n: verifier.size });
  }
  return {
    sid,
    verdict: verdictOf(findings.list),
    state,
    sealedUnsigned: verifier.sealedUnsigned,
    ...(verifier.open ? { open: verifier.open } : {}),
    ...(proven.level ? { level: proven.level } : {}),
    ...(proven.keysFrom ? { keysFrom: proven.keysFrom } : {}),
    entries: verifier.entries,
    ...verifier.totals,
    signatures: verifier.signatures,
    redacted: verifier.redacted,
    size: verifier.size,
    signedSize: verifier.signedSize,
    head: verifier.head,
    openedAt: verifier.openedAt,
    lastEntryAt: verifier.lastTime / 1000,
    ...(lastStoredAt > 0 ? { firstStoredAt, lastStoredAt } : {}),
    findings: findings.list,
  };
}

/** The report with what was found between this session and others. */
export function withFindings(report: SessionReport, more: readonly Finding[]): SessionReport {
  const findings = [...report.findings, ...more];
  return { ...report, findings, verdict: verdictOf(findings) };
}

/** Why a session is not whole, in the same words wherever it is said. */
export const ends = {
  open: ['still-open', 'no final seal yet: it may still run, and what it did so far can still be cut off'],
  unsealed: ['not-final', 'no final seal: it crashed, or its end was cut off; the two look alike'],
  unsigned: ['not-final', 'its final seal is not signed, and so is no seal: it crashed, or its end was changed'],
} as const;

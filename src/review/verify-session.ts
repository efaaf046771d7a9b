/**
 * One session from its objects to a verdict: redactions first, then the segments in order, each against the bucket's
 * own time.
 */
import { messageOf } from '../errors.js';
import type { Finding, Findings } from '../transcript/finding.js';
import { reachesSignature } from '../transcript/line.js';
import { subjectHash } from '../transcript/object-key.js';
import type { OpenDetails } from '../transcript/open-entry.js';
import { SessionVerifier } from '../transcript/verify.js';
import type { ObjectSource, SegmentObject, SessionObjects } from './catalog.js';
import { identify, type ProvenIdentity } from './identify.js';
import { isAboutContent, linesOf, segmentText } from './read-segment.js';
import { readRedactions } from './redaction.js';
import type { VerifyOptions } from './verify-options.js';

export type SessionState = 'complete' | 'open' | 'unsealed';
/** `invalid`: a failure. `unproven`: no failure, but something that could be proven is not. */
export type Verdict = 'proven' | 'unproven' | 'invalid';

export interface SessionReport {
  readonly sid: string;
  readonly verdict: Verdict;
  readonly state: SessionState;
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
  readonly head: string;
  /** Milliseconds since 1970 UTC: by the writer's clock, and when the bucket had it. */
  readonly openedAt: number;
  readonly lastEntryAt: number;
  readonly firstStoredAt?: number;
  readonly lastStoredAt?: number;
  readonly findings: readonly Finding[];
}

/** A session that has been silent for longer is not running any more: heartbeats come once a minute. */
const OPEN_MS = 5 * 60_000;
const CLOCK_AHEAD_MS = 5 * 60_000;
const LATE_MS = 60 * 60_000;

export async function verifySession(session: SessionObjects, options: VerifyOptions): Promise<SessionReport> {
  const proven: ProvenIdentity = {};
  const redactions = await readRedactions(session, options);
  const verifier = new SessionVerifier({
    sid: session.sid,
    identify: async (open, openedAt, findings) => {
      const times = { openedAt, ...firstStored(session) };
      const result = await identify(session.sid, open, times, findings, options.keys, options.demands);
      Object.assign(proven, { level: result.level, keysFrom: result.keysFrom });
      return result;
    },
    isRedacted: (n, name, digest) => redactions.covers(n, name, digest),
    ...(options.onEntry ? { onEntry: options.onEntry } : {}),
    ...(options.signatures ? { signatures: options.signatures } : {}),
  });
  await feed(verifier, session, options.source);
  redactions.report(verifier.findings);
  await verifier.end();
  if (verifier.open && subjectHash(verifier.open.subject) !== session.subject) {
    verifier.findings.fail('wrong-place', 'the session lies in the folder of another person', { n: 0 });
  }
  return report(session, verifier, proven, options.now);
}

/** When the bucket had the opening entry; nothing where it has no segment. */
function firstStored({ segments }: SessionObjects): { readonly storedAt?: number } {
  const times = segments.map(({ createdAt }) => createdAt);
  return times.length === 0 ? {} : { storedAt: Math.min(...times) };
}

/** Verifies the lines of all segments. Reads one segment ahead of the one that is being checked. */
async function feed(verifier: SessionVerifier, session: SessionObjects, source: ObjectSource): Promise<void> {
  const { findings } = verifier;
  const numbers = [...new Set(session.segments.map((object) => object.segment))].sort((a, b) => a - b);
  const fetchAll = (number: number | undefined): Promise<Fetched[]> => {
    const objects = session.segments.filter((object) => object.segment === number);
    const fetched = Promise.all(objects.map((object) => fetch(object, source)));
    fetched.catch(() => undefined); // is heard when its turn comes, if it comes
    return fetched;
  };
  let ahead = fetchAll(numbers[0]);
  let expected = 0;
  for (const [index, number] of numbers.entries()) {
    if (number > expected) {
      const which = number - 1 === expected ? `segment ${expected} is` : `segments ${expected} to ${number - 1} are`;
      findings.fail('segment-missing', `${which} missing`, { segment: expected });
    }
    expected = number + 1;
    const candidates = ahead;
    ahead = fetchAll(numbers[index + 1]);
    const chosen = choose(await candidates, verifier, number);
    if (chosen === undefined) continue;
    verifier.beginSegment(number);
    for (const line of linesOf(chosen.text)) await verifier.line(line);
    checkTimes(findings, verifier, chosen.object);
  }
}

interface Fetched {
  readonly object: SegmentObject;
  readonly text: string;
  readonly problem?: string;
}

async function fetch(object: SegmentObject, source: ObjectSource): Promise<Fetched> {
  try {
    return { object, text: await segmentText(await source.read(object.key)) };
  } catch (error) {
    // A network that is away says nothing about the transcript.
    if (!isAboutContent(error)) throw error;
    return { object, text: '', problem: messageOf(error) };
  }
}

/** Anybody who may create objects may put a second one beside a segment: the one that continues the chain counts. */
function choose(candidates: readonly Fetched[], verifier: SessionVerifier, segment: number): Fetched | undefined {
  const { findings } = verifier;
  for (const { object, problem } of candidates) {
    if (problem !== undefined) findings.fail('segment-damaged', `${object.key}: ${problem}`, { segment });
  }
  const usable = candidates.filter(({ problem }) => problem === undefined);
  const chosen = usable.length > 1 ? usable.find(({ text }) => continues(text, verifier)) : usable[0];
  for (const { object, text } of usable) {
    if (text !== (chosen ?? usable[0])?.text) {
      findings.fail('segment-conflict', `${object.key} is a second segment ${segment}, with other content`, {
        segment,
      });
    }
  }
  return chosen ?? usable[0];
}

function continues(text: string, verifier: SessionVerifier): boolean {
  try {
    return reachesSignature(linesOf(text), verifier.head);
  } catch {
    return false;
  }
}

function checkTimes(findings: Findings, verifier: SessionVerifier, { createdAt, segment }: SegmentObject): void {
  const lastEntryAt = verifier.lastTime / 1000;
  if (verifier.latestInSegment / 1000 > createdAt + CLOCK_AHEAD_MS) {
    const message = `segment ${segment} has entries later than the time at which the bucket had it already`;
    findings.fail('time-ahead', message, { segment });
  } else if (createdAt - lastEntryAt > LATE_MS) {
    const hours = Math.round((createdAt - lastEntryAt) / 3_600_000);
    const message = `segment ${segment} reached the bucket ${hours} h after its entries: until then only the writer's clock vouches for the time`;
    findings.note('late-upload', message, { segment });
  }
}

function report(
  session: SessionObjects,
  verifier: SessionVerifier,
  proven: ProvenIdentity,
  now: number,
): SessionReport {
  const firstStoredAt = session.segments.reduce((first, { createdAt }) => Math.min(first, createdAt), Infinity);
  const lastStoredAt = session.segments.reduce((last, { createdAt }) => Math.max(last, createdAt), 0);
  const lastEntryAt = verifier.lastTime / 1000;
  // The writer's clock alone could keep a dead session open for ever.
  const silent = now - lastStoredAt > OPEN_MS;
  const state = verifier.final ? 'complete' : silent ? 'unsealed' : 'open';
  const { findings } = verifier;
  if (state === 'unsealed') {
    const message = 'the session has no final seal: it crashed, or its end was cut off; the two look alike';
    findings.warn('not-final', message, { n: verifier.size });
  }
  const verdict = findings.failures > 0 ? 'invalid' : findings.warnings > 0 ? 'unproven' : 'proven';
  return {
    sid: session.sid,
    verdict,
    state,
    ...(verifier.open ? { open: verifier.open } : {}),
    ...(proven.level ? { level: proven.level } : {}),
    ...(proven.keysFrom ? { keysFrom: proven.keysFrom } : {}),
    entries: verifier.entries,
    ...verifier.totals,
    signatures: verifier.signatures,
    redacted: verifier.redacted,
    size: verifier.size,
    head: verifier.head,
    openedAt: verifier.openedAt,
    lastEntryAt,
    ...(lastStoredAt > 0 ? { firstStoredAt, lastStoredAt } : {}),
    findings: findings.list,
  };
}

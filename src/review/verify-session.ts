/**
 * One session from its objects to a verdict: redactions first, then its own segments in order, each against the bucket's
 * own time. What its key did not sign is a foreign object, and says nothing about the session.
 */
import { messageOf } from '../errors.js';
import type { Findings } from '../transcript/finding.js';
import type { SignatureLine } from '../transcript/line.js';
import { parseObjectKey, sessionTime, subjectHash, textDigest } from '../transcript/object-key.js';
import { SessionVerifier } from '../transcript/verify.js';
import { ApprovalChecks } from './approval-checks.js';
import type { SegmentObject, SessionObjects } from './catalog.js';
import { ForeignObjects } from './foreign-objects.js';
import { identify } from './identify.js';
import type { ProvenIdentity } from './identity-demands.js';
import { reportVersions } from './object-versions.js';
import { holdsAnEntry, type Judge, OpeningChooser } from './opening-segments.js';
import { bestOf, type Candidate, contradicts, isSameText, Patience, standingOf } from './own-segments.js';
import { readAhead } from './read-ahead.js';
import { isAboutContent } from './read-segment.js';
import { RecordingEntries } from './recordings.js';
import { readRedactions } from './redaction.js';
import { type SegmentLines, segmentLines } from './segment-lines.js';
import { reportOf, type SessionReport } from './session-report.js';
import type { Pieces } from './unpacked.js';
import type { VerifyOptions } from './verify-options.js';

const CLOCK_AHEAD_MS = 5 * 60_000;
const LATE_MS = 60 * 60_000;
/** An id is made when the session begins. */
const ID_TIME_MS = 5 * 60_000;

export async function verifySession(session: SessionObjects, options: VerifyOptions): Promise<SessionReport> {
  const proven: ProvenIdentity = {};
  const foreign = new ForeignObjects(session.strangers);
  const redactions = await readRedactions(session, options, (key, why) => foreign.add(key, why));
  const judge: Judge = (open, openedAt, storedAt, findings) =>
    identify(session.sid, open, { openedAt, storedAt }, findings, options.keys, options.demands);
  const approvals = new ApprovalChecks(session.sid, options);
  const recorded = new RecordingEntries();
  const verifier = new SessionVerifier({
    sid: session.sid,
    approvals,
    identify: async (open, openedAt, findings) => {
      redactions.authoredBy(open.subject);
      const storedAt = reading.own.at(-1)?.createdAt ?? openedAt;
      const result = await judge(open, openedAt, storedAt, findings);
      Object.assign(proven, { level: result.level, keysFrom: result.keysFrom });
      return result;
    },
    isRedacted: (n, name, digest) => redactions.covers(n, name, digest),
    onEntry: (entry, disclosed) => {
      recorded.add(entry);
      return options.onEntry?.(entry, disclosed);
    },
    ...(options.signatures ? { signatures: options.signatures } : {}),
  });
  const reading: Reading = new Reading(session, verifier, options, foreign, judge);
  await reading.readAll();
  redactions.report(verifier.findings);
  foreign.report(verifier.findings);
  if (reading.own.length > 0) await verifier.end();
  else
    verifier.findings.warn('nothing-there', 'no object in its folder is a transcript: nothing says that there was one');
  checkPlace(session, verifier);
  const { recordings } = recorded;
  return {
    ...reportOf(session, verifier, proven, reading.own, options.now),
    approvalsUsed: approvals.used,
    ...(recordings.length > 0 ? { recordings } : {}),
  };
}

/** What lives here: the way through the segments of one session. What it must not know: what is wrong within one. */
class Reading {
  readonly #session: SessionObjects;
  readonly #verifier: SessionVerifier;
  readonly #options: VerifyOptions;
  readonly #foreign: ForeignObjects;
  readonly #openings: OpeningChooser;
  /** Objects whose lines were verified. */
  readonly own: SegmentObject[] = [];
  readonly #patience = new Patience();
  /** Objects of one number. */
  #candidates: Candidate[] = [];
  /** The segment that comes next. */
  #expected = 0;
  /** What lies where segments are expected and is not the session's own. */
  #inTheWay: string | undefined;

  constructor(
    session: SessionObjects,
    verifier: SessionVerifier,
    options: VerifyOptions,
    foreign: ForeignObjects,
    judge: Judge,
  ) {
    this.#session = session;
    this.#verifier = verifier;
    this.#options = options;
    this.#foreign = foreign;
    this.#openings = new OpeningChooser(session, judge);
  }

  async readAll(): Promise<void> {
    // Of one number the plain name first: names beside it are for a name that was taken.
    const objects = [...this.#session.segments].sort((a, b) => a.segment - b.segment || a.key.length - b.key.length);
    let number = -1;
    for await (const { object, bytes, problem } of readAhead(objects, this.#options.source)) {
      if (object.segment !== number) await this.#choose(number);
      number = object.segment;
      if (object.gone && !this.#verifier.final) await reportVersions(object, this.#verifier.findings, this.#options);
      const lines = bytes === undefined ? (problem ?? '') : await linesIn(bytes, object);
      if (typeof lines === 'string') this.#setAside(object, lines);
      else await this.#consider(object, lines);
    }
    await this.#choose(number);
  }

  /** Of the objects of one number only those are held that may be the session's own. */
  async #consider(object: SegmentObject, lines: SegmentLines): Promise<void> {
    const verifier = this.#verifier;
    if (!verifier.identified) {
      if (await holdsAnEntry(lines)) this.#candidates.push({ object, lines });
      else this.#setAside(object, 'no transcript');
    } else {
      const standing = await standingOf(lines, verifier, this.#patience);
      if (standing === 'foreign') this.#setAside(object, 'not signed by this session');
      else this.#candidates.push({ object, lines, standing });
    }
    if (this.#candidates.length > MAX_CANDIDATES) this.#candidates = await this.#preferred();
  }

  #setAside(object: SegmentObject, why: string): void {
    this.#foreign.add(object.key, why);
    if (object.segment === this.#expected) this.#inTheWay ??= `${object.key}: ${why}`;
  }

  /** Of several the session's own; the others are said to be what they are. */
  async #preferred(): Promise<Candidate[]> {
    const verifier = this.#verifier;
    const candidates = this.#candidates;
    if (candidates.length < 2) return candidates;
    if (!verifier.identified) {
      const opening = await this.#openings.choose(candidates);
      for (const { object } of opening?.conflicts ?? []) this.#conflict(object);
      for (const { object } of opening?.foreign ?? []) this.#setAside(object, 'does not open this session');
      return opening === undefined ? [] : [opening.chosen];
    }
    const own = candidates.filter(({ standing }) => standing === 'own');
    const chosen = (await bestOf(own, verifier)) ?? candidates[0];
    if (chosen === undefined) return [];
    for (const other of candidates) {
      if (other === chosen || isSameText(other, chosen)) continue;
      const vouches = (line: SignatureLine) => verifier.vouchesFor(line);
      if (await contradicts(other.lines, chosen.lines, verifier.signedSize, vouches)) this.#conflict(other.object);
      else this.#setAside(other.object, 'another one of that number continues the chain');
    }
    return [chosen];
  }

  async #choose(number: number): Promise<void> {
    const [chosen] = await this.#preferred();
    this.#candidates = [];
    if (chosen !== undefined) await this.#take(number, chosen);
  }

  #conflict({ key, segment }: SegmentObject): void {
    const message = `${key} is a second segment ${segment} with other content, signed by the same person: one of two stories is not true`;
    this.#verifier.findings.fail('segment-conflict', message, { segment });
  }

  async #take(number: number, { object, lines }: Candidate): Promise<void> {
    const verifier = this.#verifier;
    if (number > this.#expected) this.#reportGap(number);
    this.#expected = number + 1;
    this.#inTheWay = undefined;
    this.own.push(object);
    verifier.beginSegment(number);
    const long = this.#options.onEntry === undefined ? 'checked' : 'whole';
    await lines
      .each((line, passed) => verifier.line(line, passed), long)
      .catch((error: unknown) => this.#onDamage(error, object));
    checkTimes(verifier.findings, verifier, object);
    await reportVersions(object, verifier.findings, this.#options);
  }

  #reportGap(number: number): void {
    const expected = this.#expected;
    const which = number - 1 === expected ? `segment ${expected} is` : `segments ${expected} to ${number - 1} are`;
    const { findings } = this.#verifier;
    findings.fail('segment-missing', `${which} missing: a later one is there`, { segment: expected });
    if (this.#inTheWay) findings.fail('segment-damaged', this.#inTheWay, { segment: expected });
  }

  #onDamage(error: unknown, { key, segment }: SegmentObject): void {
    if (!isAboutContent(error)) throw error;
    this.#verifier.findings.fail('segment-damaged', `${key}: ${messageOf(error)}`, { segment });
  }
}

/** Objects of one number that are compared; more than the session's own and a few copies are an attempt to drown it. */
const MAX_CANDIDATES = 8;

/** The reason when there are none. */
async function linesIn(bytes: Uint8Array | Pieces, { key }: SegmentObject): Promise<SegmentLines | string> {
  try {
    const lines = segmentLines(bytes);
    const said = parseObjectKey(key)?.text;
    const isNamedSo = said === undefined || said === textDigest(await lines.digest());
    return isNamedSo ? lines : 'its name is not that of its text';
  } catch (error) {
    if (!isAboutContent(error)) throw error;
    return messageOf(error);
  }
}

function checkPlace(session: SessionObjects, { open, openedAt, findings }: SessionVerifier): void {
  if (open === undefined) return;
  if (subjectHash(open.subject) !== session.subject) {
    findings.fail('wrong-place', 'the session lies in the folder of another person', { n: 0 });
  }
  if (Math.abs(sessionTime(session.sid) - openedAt) > ID_TIME_MS) {
    const message = `its id says ${new Date(sessionTime(session.sid)).toISOString().slice(0, 19)}Z, its first entry another time`;
    findings.fail('id-time', message, { n: 0 });
  }
  if (open.previous?.sid === session.sid) {
    findings.fail('session-circular', 'it names itself as the session before it', { n: 0 });
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

/**
 * Which of several first segments opens the session. There is no key yet to tell them apart by: the one whose evidence of
 * identity holds is it.
 */
import { DbguardError } from '../errors.js';
import { Findings } from '../transcript/finding.js';
import { decodeLine, decodePayload } from '../transcript/line.js';
import { subjectHash } from '../transcript/object-key.js';
import { type OpenDetails, readOpen } from '../transcript/open-entry.js';
import type { Identification } from '../transcript/verify.js';
import type { ProvenIdentity } from './identify.js';
import type { Candidate } from './own-segments.js';
import type { SegmentLines } from './segment-lines.js';

/** Identity as `identify` judges it. Times in milliseconds since 1970 UTC, by the writer's and by the bucket's clock. */
export type Judge = (
  open: OpenDetails,
  openedAt: number,
  storedAt: number,
  findings: Findings,
) => Promise<Identification & ProvenIdentity>;

interface Judged {
  readonly candidate: Candidate;
  readonly open: OpenDetails | undefined;
  readonly failures: number;
  readonly proven: boolean;
}

export interface Opening {
  readonly chosen: Candidate;
  /** Openings that the same person made for the same session. */
  readonly conflicts: readonly Candidate[];
  readonly foreign: readonly Candidate[];
}

/** @param subject hash of the folder's owner */
export async function chooseOpening(
  candidates: readonly Candidate[],
  subject: string,
  judge: Judge,
): Promise<Opening | undefined> {
  const judged: Judged[] = [];
  for (const candidate of candidates) judged.push(await judgeOpening(candidate, subject, judge));
  const rank = ({ failures, proven, open }: Judged): number => (open === undefined ? -1000 : Number(proven) - failures);
  const best = judged.reduce<Judged | undefined>((a, b) => (a === undefined || rank(b) > rank(a) ? b : a), undefined);
  if (best === undefined) return undefined;
  const others = judged.filter((one) => one !== best && one.candidate.lines.text !== best.candidate.lines.text);
  const own = (one: Judged): boolean =>
    one.open !== undefined && one.failures === 0 && (one.proven || one.open.loginKey.x === best.open?.loginKey.x);
  return {
    chosen: best.candidate,
    conflicts: others.filter(own).map(({ candidate }) => candidate),
    foreign: others.filter((one) => !own(one)).map(({ candidate }) => candidate),
  };
}

async function judgeOpening(candidate: Candidate, subject: string, judge: Judge): Promise<Judged> {
  const nothing = { candidate, open: undefined, failures: 0, proven: false };
  try {
    const entry = decodePayload(await firstPayload(candidate.lines));
    const open = readOpen(entry);
    if (subjectHash(open.subject) !== subject) return { ...nothing, open, failures: 1 };
    const findings = new Findings();
    const { level } = await judge(open, entry.t / 1000, candidate.object.createdAt, findings);
    return { candidate, open, failures: findings.failures, proven: level !== undefined };
  } catch (error) {
    if (error instanceof DbguardError && error.code === 'transcript-invalid') return nothing;
    throw error;
  }
}

/** Throws `transcript-invalid` where there is none. */
async function firstPayload(lines: SegmentLines): Promise<string> {
  let payload = '';
  await lines.each((text) => {
    const line = decodeLine(text);
    if (line.kind === 'entry') payload = line.payload;
    return false;
  });
  return payload;
}

/** Holds an entry at all: anything else was never a part of any session. */
export async function holdsAnEntry(lines: SegmentLines): Promise<boolean> {
  try {
    decodePayload(await firstPayload(lines));
    return true;
  } catch (error) {
    if (error instanceof DbguardError && error.code === 'transcript-invalid') return false;
    throw error;
  }
}

/**
 * Which of several first segments opens the session. There is no key yet to tell them apart by: the one whose evidence of
 * identity holds is it.
 */
import type { VerifyingKey } from '../ed25519.js';
import { DbguardError } from '../errors.js';
import { certifiedSid } from '../identity/session.js';
import { Findings } from '../transcript/finding.js';
import { decodeLine, decodePayload, firstHead } from '../transcript/line.js';
import { subjectHash } from '../transcript/object-key.js';
import { type OpenDetails, readOpen } from '../transcript/open-entry.js';
import { isSignedBy } from '../transcript/signature-checks.js';
import type { Identification } from '../transcript/verify.js';
import type { SessionObjects } from './catalog.js';
import type { ProvenIdentity } from './identity-demands.js';
import {
  type Candidate,
  contradicts,
  isBetter,
  isSameText,
  type SignedPart,
  signedPart,
  type Vouches,
} from './own-segments.js';
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
  /** Nothing speaks against its evidence of identity; how much speaks for it. */
  readonly failures: number;
  readonly proven: boolean;
  readonly usable: boolean;
  /** The public half, base64url. */
  readonly loginKey: string;
  readonly part: SignedPart;
  readonly vouches: Vouches;
}

export interface Opening {
  readonly chosen: Candidate;
  /** Openings that the same person made for the same session, and signed. */
  readonly conflicts: readonly Candidate[];
  readonly foreign: readonly Candidate[];
}

/** Copies of an opening entry are judged once; of hostile ones not all are remembered. */
const REMEMBERED = 64;

type Session = Pick<SessionObjects, 'sid' | 'subject'>;
type Standing = Pick<Judged, 'failures' | 'proven' | 'usable' | 'loginKey'> & { readonly sessionKey?: VerifyingKey };

/** What lives here: what was judged already. What it must not know: how identity is judged. */
export class OpeningChooser {
  readonly #session: Session;
  readonly #judge: Judge;
  readonly #known = new Map<string, Standing>();

  constructor(session: Session, judge: Judge) {
    this.#session = session;
    this.#judge = judge;
  }

  async choose(candidates: readonly Candidate[]): Promise<Opening | undefined> {
    const judged: Judged[] = [];
    for (const candidate of candidates) judged.push(await this.#judged(candidate));
    return openingOf(judged);
  }

  async #judged(candidate: Candidate): Promise<Judged> {
    const { sid } = this.#session;
    const { sessionKey, ...standing } = await this.#standing(candidate);
    const vouches: Vouches = async (line) => sessionKey !== undefined && isSignedBy(sessionKey, sid, line);
    const part = sessionKey && (await signedPart(candidate.lines, firstHead(sid), vouches));
    return { ...standing, candidate, vouches, part: part ?? { signed: 0, behind: 0 } };
  }

  async #standing({ lines, object }: Candidate): Promise<Standing> {
    const payload = await firstPayload(lines);
    let standing = this.#known.get(payload);
    if (standing === undefined) {
      standing = await this.#judgeEntry(payload, object.createdAt);
      if (this.#known.size >= REMEMBERED) this.#known.clear();
      this.#known.set(payload, standing);
    }
    return standing;
  }

  async #judgeEntry(payload: string, storedAt: number): Promise<Standing> {
    try {
      const entry = decodePayload(payload);
      const open = readOpen(entry);
      const { subject, sid } = this.#session;
      // what is plainly of another session costs nothing
      if (subjectHash(open.subject) !== subject || certifiedSid(open.certificate) !== sid)
        return { failures: 1, proven: false, usable: true, loginKey: '' };
      const findings = new Findings();
      const { level, sessionKey } = await this.#judge(open, entry.t / 1000, storedAt, findings);
      return {
        ...{ failures: findings.failures, proven: level !== undefined, usable: true, loginKey: open.loginKey.x },
        ...(sessionKey ? { sessionKey } : {}),
      };
    } catch (error) {
      if (error instanceof DbguardError && error.code === 'transcript-invalid')
        return { failures: 0, proven: false, usable: false, loginKey: '' };
      throw error;
    }
  }
}

async function openingOf(judged: readonly Judged[]): Promise<Opening | undefined> {
  const best = judged.reduce<Judged | undefined>(
    (a, b) => (a === undefined || isBetterOpening(b, a) ? b : a),
    undefined,
  );
  if (best === undefined) return undefined;
  const [conflicts, foreign]: Candidate[][] = [[], []];
  for (const { candidate, usable, failures, proven, loginKey, vouches } of judged) {
    if (candidate === best.candidate || isSameText(candidate, best.candidate)) continue;
    // its evidence of identity could be copied by anybody who read it; a signature could not
    const samePerson = usable && failures === 0 && (proven || loginKey === best.loginKey);
    const own = samePerson && (await contradicts(candidate.lines, best.candidate.lines, 0, vouches));
    (own ? conflicts : foreign)?.push(candidate);
  }
  return { chosen: best.candidate, conflicts: conflicts ?? [], foreign: foreign ?? [] };
}

function isBetterOpening(a: Judged, b: Judged): boolean {
  const rank = ({ failures, proven, usable }: Judged): number => (usable ? Number(proven) - failures : -1000);
  const difference = rank(a) - rank(b);
  return difference > 0 || (difference === 0 && isBetter(a.part, b.part));
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

/**
 * Which of the objects that bear a segment's number is the session's own. Whoever may create objects may put some beside
 * it, before it or behind it: only what the session's key signed is the session's, everything else is a foreign object.
 *
 * What lives here: telling them apart. What it must not know: findings, buckets, what is wrong within a segment.
 */
import { DbguardError } from '../errors.js';
import {
  decodeDisclosure,
  decodeLine,
  decodePayload,
  type EntryLine,
  nextHead,
  type SignatureLine,
} from '../transcript/line.js';
import type { SessionVerifier } from '../transcript/verify.js';
import type { SegmentObject } from './catalog.js';
import type { SegmentLines } from './segment-lines.js';

/**
 * `own`: a signature in it is new and by the session's key. `tail`: unsigned entries that continue the last ones, as a
 * crash leaves them; they may be anybody's. `foreign`: neither.
 */
export type Standing = 'own' | 'tail' | 'foreign';

export interface Candidate {
  readonly object: SegmentObject;
  readonly lines: SegmentLines;
  /** Undefined before there is a key to hold signatures against. */
  readonly standing?: Standing;
}

/** Signatures of one object that are looked at before it counts as foreign; hostile objects may have a million. */
const TRIED = 256;

export async function standingOf(lines: SegmentLines, verifier: SessionVerifier): Promise<Standing> {
  let tried = 0;
  let own = false;
  await signaturesOf(lines, (line) => {
    own = line.size > verifier.signedSize && verifier.vouchesFor(line);
    return !own && ++tried < TRIED;
  });
  if (own) return 'own';
  const unsigned = tried === 0 && !verifier.final && (await continues(lines, verifier.size));
  return unsigned ? 'tail' : 'foreign';
}

/** Entries, numbered from `next` on, and nothing else. */
async function continues(lines: SegmentLines, next: number): Promise<boolean> {
  let expected = next;
  let sound = true;
  await lines
    .each((text) => {
      const line = lineOf(text);
      sound = line?.kind === 'entry' && entryNumber(line) === expected++;
      return sound;
    })
    .catch(contentOnly);
  return sound && expected > next;
}

/** The one that continues the chain without a fault, else the one that continues it, else the first. */
export async function bestOf(own: readonly Candidate[], verifier: SessionVerifier): Promise<Candidate | undefined> {
  if (own.length < 2) return own[0];
  let best: { readonly candidate: Candidate; readonly rank: number } | undefined;
  for (const candidate of own) {
    const rank = await soundness(candidate.lines, verifier.head);
    if (best === undefined || rank > best.rank) best = { candidate, rank };
  }
  return best?.candidate;
}

/** Signed by the session's key, and nowhere in `chosen`: whoever holds the key has told two stories. */
export async function contradicts(other: Candidate, chosen: Candidate, verifier: SessionVerifier): Promise<boolean> {
  const told = new Set<string>();
  await signaturesOf(chosen.lines, ({ size, head }) => told.add(`${size} ${head}`).size > 0);
  let tried = 0;
  let found = false;
  await signaturesOf(other.lines, (line) => {
    if (told.has(`${line.size} ${line.head}`) || line.size <= verifier.signedSize) return true;
    found = verifier.vouchesFor(line);
    return !found && ++tried < TRIED;
  });
  return found;
}

/** Until `visit` returns false. */
async function signaturesOf(lines: SegmentLines, visit: (line: SignatureLine) => boolean): Promise<void> {
  await lines
    .each((text) => {
      const line = text.startsWith('{"size":') ? lineOf(text) : undefined;
      return line?.kind === 'signature' ? visit(line) : true;
    })
    .catch(contentOnly);
}

/** Entries up to the first fault; a segment without one wins by all. */
async function soundness(lines: SegmentLines, from: string): Promise<number> {
  let head = from;
  let sound = 0;
  await lines
    .each((text) => {
      const line = lineOf(text);
      if (line === undefined) return false;
      if (line.kind === 'entry') {
        if (!isWhole(line)) return false;
        head = nextHead(head, line.payload);
      } else {
        if (line.head !== head) return false;
        head = nextHead(head, text);
      }
      sound++;
      return true;
    })
    .catch(contentOnly);
  return sound;
}

/** Every disclosure is there and is what the entry says. */
function isWhole(line: EntryLine): boolean {
  try {
    const { c } = decodePayload(line.payload);
    const disclosed = line.disclosures.map(decodeDisclosure);
    return disclosed.length === Object.keys(c).length && disclosed.every(({ name, digest }) => c[name] === digest);
  } catch {
    return false;
  }
}

function entryNumber(line: EntryLine): number | undefined {
  try {
    return decodePayload(line.payload).n;
  } catch {
    return undefined;
  }
}

function lineOf(text: string) {
  try {
    return decodeLine(text);
  } catch {
    return undefined;
  }
}

/** What cannot be unpacked to its end is judged by what came before. */
function contentOnly(error: unknown): void {
  if (!(error instanceof DbguardError && error.code === 'transcript-invalid')) throw error;
}

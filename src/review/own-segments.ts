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
  type PassedDisclosure,
  type ReadDisclosure,
  SIGNATURE_START,
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
/** And of all objects of a session, beside those that continue its chain: hostile folders may have a million objects. */
const TRIED_IN_ALL = 4096;

/** Entries that no signature of the session's covers: writers sign within 64. */
const MOST_UNSIGNED = 10_000;

/** How many signatures may still be tried on one session that are not where its chain has them. */
export class Patience {
  left = TRIED_IN_ALL;
}

export async function standingOf(
  lines: SegmentLines,
  verifier: SessionVerifier,
  patience: Patience,
): Promise<Standing> {
  let head = verifier.head;
  let tried = 0;
  let entries = 0;
  let own = false;
  const trySignature = async (line: SignatureLine): Promise<boolean> => {
    const continues = tried++ === 0 && line.head === head;
    if (line.size > verifier.signedSize && (continues || patience.left-- > 0)) own = await verifier.vouchesFor(line);
    return !own && tried < TRIED && patience.left > 0;
  };
  await lines
    .each((text) => {
      if (!text.startsWith(SIGNATURE_START)) {
        if (tried === 0) head = nextHead(head, text.split('\t', 1)[0] ?? '');
        return ++entries < MOST_UNSIGNED;
      }
      const line = lineOf(text);
      return line?.kind === 'signature' ? trySignature(line) : ++tried < TRIED;
    })
    .catch(contentOnly);
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
      sound = line?.kind === 'entry' && entryNumber(line) === expected++ && expected - next < MOST_UNSIGNED;
      return sound;
    })
    .catch(contentOnly);
  return sound && expected > next;
}

export function isSameText(a: Candidate, b: Candidate): boolean {
  return a.lines.text !== undefined && a.lines.text === b.lines.text;
}

/** Is that signature by the session's key? */
export type Vouches = (line: SignatureLine) => Promise<boolean>;

/** The one of which most is signed and holds, with the least behind it that is not; of equals the first. */
export async function bestOf(own: readonly Candidate[], verifier: SessionVerifier): Promise<Candidate | undefined> {
  if (own.length < 2) return own[0];
  let best: { readonly candidate: Candidate; readonly part: SignedPart } | undefined;
  for (const candidate of own) {
    const part = await signedPart(candidate.lines, verifier.head, (line) => verifier.vouchesFor(line));
    if (best === undefined || isBetter(part, best.part)) best = { candidate, part };
  }
  return best?.candidate;
}

/** Signed by the session's key, and nowhere in `chosen`: whoever holds the key has told two stories. */
export async function contradicts(
  other: SegmentLines,
  chosen: SegmentLines,
  signedSize: number,
  vouches: Vouches,
): Promise<boolean> {
  const told = new Set<string>();
  await signaturesOf(chosen, async ({ size, head }) => told.add(`${size} ${head}`).size > 0);
  let tried = 0;
  let found = false;
  await signaturesOf(other, async (line) => {
    if (told.has(`${line.size} ${line.head}`) || line.size <= signedSize) return true;
    found = await vouches(line);
    return !found && ++tried < TRIED;
  });
  return found;
}

/** Until `visit` returns false. */
async function signaturesOf(lines: SegmentLines, visit: (line: SignatureLine) => Promise<boolean>): Promise<void> {
  await lines
    .each((text) => {
      const line = text.startsWith(SIGNATURE_START) ? lineOf(text) : undefined;
      return line?.kind === 'signature' ? visit(line) : true;
    })
    .catch(contentOnly);
}

/** Lines up to the last signature that holds, and those behind it: more than any number where one of them is at fault. */
export interface SignedPart {
  readonly signed: number;
  readonly behind: number;
}

export function isBetter(a: SignedPart, b: SignedPart): boolean {
  return a.signed > b.signed || (a.signed === b.signed && a.behind < b.behind);
}

/** @param from the head of the chain before the first line */
export async function signedPart(lines: SegmentLines, from: string, vouches: Vouches): Promise<SignedPart> {
  let head = from;
  let sound = 0;
  let fault = false;
  /** Each vouches for what stands before it, so that the last one that is genuine says it all. */
  const fitting: { readonly line: SignatureLine; readonly upTo: number }[] = [];
  await lines
    .each((text, passed) => {
      const line = lineOf(text, passed);
      const holds = line?.kind === 'entry' ? isWhole(line) : line?.head === head;
      fault = line === undefined || !holds;
      if (line === undefined || fault) return false;
      sound++;
      head = nextHead(head, line.kind === 'entry' ? line.payload : text);
      if (line.kind === 'signature') fitting.push({ line, upTo: sound });
      return true;
    })
    .catch((error: unknown) => {
      contentOnly(error);
      fault = true;
    });
  let signed = 0;
  for (const { line, upTo } of fitting.slice(-TRIED).reverse()) {
    if (!(await vouches(line))) continue;
    signed = upTo;
    break;
  }
  return { signed, behind: fault ? Number.POSITIVE_INFINITY : sound - signed };
}

/** Every disclosure is there and is what the entry says. */
function isWhole(line: EntryLine<ReadDisclosure>): boolean {
  try {
    const { c } = decodePayload(line.payload);
    const disclosed = line.disclosures.map(decodeDisclosure);
    return disclosed.length === Object.keys(c).length && disclosed.every(({ name, digest }) => c[name] === digest);
  } catch {
    return false;
  }
}

function entryNumber(line: EntryLine<ReadDisclosure>): number | undefined {
  try {
    return decodePayload(line.payload).n;
  } catch {
    return undefined;
  }
}

function lineOf(text: string, passed?: readonly PassedDisclosure[]) {
  try {
    return decodeLine(text, passed);
  } catch {
    return undefined;
  }
}

/** What cannot be unpacked to its end is judged by what came before. */
function contentOnly(error: unknown): void {
  if (!(error instanceof DbguardError && error.code === 'transcript-invalid')) throw error;
}

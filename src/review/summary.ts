/**
 * A session in one line of a list, from its first and its last segment. Not verified: what is listed is what the
 * transcript says of itself.
 */
import { DbguardError, messageOf } from '../errors.js';
import type { Entry } from '../transcript/entry.js';
import { decodeLine, decodePayload, isRecord } from '../transcript/line.js';
import { sessionTime } from '../transcript/object-key.js';
import { type OpenDetails, readOpen } from '../transcript/open-entry.js';
import type { ObjectSource, SegmentObject, SessionObjects } from './catalog.js';
import { entriesIn, segmentText } from './read-segment.js';
import { segmentLines } from './segment-lines.js';

export interface SessionSummary {
  readonly sid: string;
  /** Key prefix's hash of the subject. */
  readonly subject: string;
  readonly open?: OpenDetails;
  /** Milliseconds since 1970 UTC. */
  readonly startedAt: number;
  readonly lastAt?: number;
  readonly final: boolean;
  /** As the last seal counts. */
  readonly statements?: number;
  readonly asked?: number;
  readonly denied?: number;
  /** The session cannot be read. */
  readonly problem?: string;
}

/** What is read of a session for its line. A list of all sessions holds this of each of them, and nothing else. */
export interface SessionEnds {
  readonly sid: string;
  readonly subject: string;
  readonly first?: ObjectName;
  /** Absent where it is the first. */
  readonly last?: ObjectName;
}

type ObjectName = Pick<SegmentObject, 'key' | 'version'>;

export function endsOf({ sid, subject, segments }: SessionObjects): SessionEnds {
  const [first] = segments;
  const last = segments.at(-1);
  return {
    sid,
    subject,
    ...(first === undefined ? {} : { first: nameOf(first) }),
    ...(last === undefined || last === first ? {} : { last: nameOf(last) }),
  };
}

function nameOf({ key, version }: SegmentObject): ObjectName {
  return { key, ...(version === undefined ? {} : { version }) };
}

export async function summarise(
  { sid, subject, first, last }: SessionEnds,
  source: ObjectSource,
): Promise<SessionSummary> {
  const base = { sid, subject, startedAt: sessionTime(sid), final: false };
  try {
    if (first === undefined) return { ...base, problem: 'it has no segments' };
    const read = async ({ key, version }: ObjectName): Promise<string> => textOf(await source.read(key, version));
    const [head, tail] = await Promise.all([read(first), last && read(last)]);
    const [opening] = entriesIn(head);
    if (opening === undefined) return { ...base, problem: 'there is no entry in it' };
    return { ...base, open: readOpen(opening.entry), ...ending(tail ?? head) };
  } catch (error) {
    return { ...base, problem: messageOf(error) };
  }
}

/** Unpacked at once where it is small, as nearly all are: a turn for each costs more than the unpacking. */
async function textOf(bytes: Uint8Array): Promise<string> {
  return segmentLines(bytes).text ?? segmentText(bytes);
}

function ending(text: string): Pick<SessionSummary, 'lastAt' | 'final' | 'statements' | 'asked' | 'denied'> {
  const { entry, signed } = lastEntry(text);
  const lastAt = entry.t / 1000;
  const { totals, final } = entry.fields;
  // a seal that nobody signed is none
  if (!signed || entry.k !== 'seal' || !isRecord(totals)) return { lastAt, final: false };
  const { statements, asked, denied } = totals;
  if (typeof statements !== 'number' || typeof asked !== 'number' || typeof denied !== 'number') {
    return { lastAt, final: final === true };
  }
  return { lastAt, final: final === true, statements, asked, denied };
}

function lastEntry(text: string): { readonly entry: Entry; readonly signed: boolean } {
  let signed = false;
  for (let end = text.trimEnd().length; end > 0; ) {
    const start = text.lastIndexOf('\n', end - 1) + 1;
    const line = decodeLine(text.slice(start, end));
    if (line.kind === 'entry') return { entry: decodePayload(line.payload), signed };
    signed = true;
    end = start - 1;
  }
  throw new DbguardError('transcript-invalid', 'there is no entry in it');
}

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

export async function summarise(session: SessionObjects, source: ObjectSource): Promise<SessionSummary> {
  const base = { sid: session.sid, subject: session.subject, startedAt: sessionTime(session.sid), final: false };
  try {
    const first = session.segments[0];
    const last = session.segments.at(-1);
    if (first === undefined || last === undefined) return { ...base, problem: 'it has no segments' };
    const read = async ({ key, version }: SegmentObject): Promise<string> => textOf(await source.read(key, version));
    const [head, tail] = await Promise.all([read(first), last === first ? undefined : read(last)]);
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

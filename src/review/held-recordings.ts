/**
 * Whether recordings lie in the bucket as they were recorded, for a reader with a key or without: nothing is opened. What is gone
 * leaves the transcript as proven as it was; what is something else is a fault.
 */
import { counted } from '../words.js';
import type { ObjectReader } from './catalog.js';
import type { ProofLine } from './proof-words.js';
import { type Recording, type RecordingOwner, readRecording } from './recordings.js';

const DAY_MS = 86_400_000;
export const streamWords = { results: 'the results', terminal: 'the screen' } as const;

/** A sentence for each stream. @param now milliseconds since 1970 UTC */
export async function heldRecordings(
  owner: RecordingOwner,
  recordings: readonly Recording[],
  source: Pick<ObjectReader, 'read'>,
  now: number,
): Promise<ProofLine[]> {
  const lines: ProofLine[] = [];
  for (const recording of recordings) lines.push(await heldRecording(owner, recording, source, now));
  return lines;
}

async function heldRecording(
  owner: RecordingOwner,
  recording: Recording,
  source: Pick<ObjectReader, 'read'>,
  now: number,
): Promise<ProofLine> {
  const { stream, keepDays, recipients, chunks, end } = recording;
  let [there, changed] = [0, 0];
  const gone = new Map<string, number>();
  for await (const chunk of readRecording(owner, recording, source)) {
    if (chunk.state === 'changed') changed++;
    else if (chunk.state === 'gone') {
      const why = chunk.isThere ? chunk.why : goneWords(keepDays, chunk.at, now);
      gone.set(why, (gone.get(why) ?? 0) + 1);
    } else there++;
  }
  const readers = recipients === undefined ? 'not encrypted' : `to ${counted(recipients.length, 'key')}`;
  const said = [
    `${streamWords[stream]}, ${readers}: ${there} of ${counted(chunks.length, 'chunk')} there as recorded`,
    changed > 0 ? `in the place of ${changed} lies something else` : '',
    ...[...gone].map(([why, count]) => `${count} ${why}`),
    end === 'failed' ? 'from then on nothing could be recorded' : '',
    end === undefined ? lostWords(chunks) : '',
  ];
  const isWhole = gone.size === 0 && end === 'session';
  const holds = changed > 0 ? 'no' : isWhole ? 'yes' : 'unknown';
  return { holds, label: 'recorded', text: said.filter((one) => one !== '').join('; ') };
}

function goneWords(keepDays: number | undefined, at: number, now: number): string {
  if (keepDays === undefined) return 'gone, although nothing says that they expire';
  const isOver = now - at >= (keepDays - 1) * DAY_MS;
  return isOver
    ? `expired after ${counted(keepDays, 'day')}, as its rule says`
    : `not there before the ${counted(keepDays, 'day')} of its rule are over: deleted, or not uploaded yet`;
}

/** A session that crashed, or runs: what was on its way into a chunk. */
export function lostWords(chunks: Recording['chunks']): string {
  const last = chunks.at(-1);
  const since = last === undefined ? 'nothing of it has arrived' : `what came back after #${last.n} may be missing`;
  return `it has no end, as of a session that crashed, or still runs: ${since}`;
}

/**
 * What the recordings of a session say, for a reader with a key or without: every chunk is held against the chain before anything
 * of it is shown. What is gone is said, and is no fault; what is something else is one.
 */
import { counted } from '../words.js';
import type { ObjectReader } from './catalog.js';
import { lostWords, streamWords } from './held-recordings.js';
import { ShownAnswers } from './recorded-results.js';
import { type OpenSealed, type Recording, type RecordingOwner, readRecording } from './recordings.js';

export interface SessionRecordings {
  readonly answers: ShownAnswers;
  /** Lines of the stream `terminal`. */
  readonly drawn: readonly unknown[];
  /** One sentence each. */
  readonly said: readonly { readonly text: string; readonly holds: 'yes' | 'no' | 'unknown' }[];
}

/** @param open undefined where the reader has no key */
export async function readRecordings(
  owner: RecordingOwner,
  recordings: readonly Recording[],
  source: Pick<ObjectReader, 'read'>,
  open: OpenSealed | undefined,
): Promise<SessionRecordings> {
  const answers = new ShownAnswers();
  const drawn: unknown[] = [];
  const said: SessionRecordings['said'][number][] = [];
  for (const recording of recordings) {
    const what = streamWords[recording.stream];
    const lost = new Map<string, { count: number; changed: boolean }>();
    let read = 0;
    for await (const chunk of readRecording(owner, recording, source, open)) {
      if (chunk.state === 'read') {
        read++;
        if (recording.stream === 'results') answers.add(chunk.lines);
        else for (const line of chunk.lines) drawn.push(line);
        continue;
      }
      const known = lost.get(chunk.why);
      lost.set(chunk.why, { count: (known?.count ?? 0) + 1, changed: chunk.state === 'changed' });
    }
    const all = recording.chunks.length;
    if (read > 0 || all === 0)
      said.push({
        text: `${what}: ${read} of ${counted(all, 'chunk')} shown, as the chain has them`,
        holds: 'yes',
      });
    for (const [why, { count, changed }] of lost)
      said.push({
        text: `${what}: ${count} of ${counted(all, 'chunk')} not shown: ${why}`,
        holds: changed ? 'no' : 'unknown',
      });
    if (recording.end !== 'session')
      said.push({
        text: `${what}: ${recording.end === 'failed' ? 'from some point on nothing could be recorded' : lostWords(recording.chunks)}`,
        holds: 'unknown',
      });
  }
  return { answers, drawn, said };
}

/** The sentences of what is something else than what was recorded. */
export function recordingFaults({ said }: Pick<SessionRecordings, 'said'>): string[] {
  return said.filter(({ holds }) => holds === 'no').map(({ text }) => text);
}

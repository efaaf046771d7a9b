/** Recordings of sessions in a directory bucket, read as a lead does: entries by verification, then each chunk. */
import { openDirectoryBucket } from '../../src/io/bucket/directory.js';
import { sessionsWithin } from '../../src/review/catalog.js';
import { ShownAnswers } from '../../src/review/recorded-results.js';
import { type ChunkRead, type OpenSealed, RecordingEntries, readRecording } from '../../src/review/recordings.js';
import type { SessionReport } from '../../src/review/session-report.js';
import { verifySession } from '../../src/review/verify-session.js';
import type { Entry } from '../../src/transcript/entry.js';
import type { RecordedStream } from '../../src/transcript/recording.js';

export interface ReadBack {
  readonly report: SessionReport;
  readonly entries: readonly Entry[];
  readonly recordings: RecordingEntries;
  readonly answers: ShownAnswers;
  chunks(stream: RecordedStream): Promise<readonly ChunkRead[]>;
}

export async function readBack(bucket: string, sid: string, open?: OpenSealed): Promise<ReadBack> {
  const source = openDirectoryBucket(bucket);
  const entries: Entry[] = [];
  const recordings = new RecordingEntries();
  for await (const session of sessionsWithin(source, { first: sid, last: sid })) {
    const report = await verifySession(session, {
      source,
      keys: { keysOf: async () => [] },
      demands: {},
      now: Date.now(),
      onEntry: (entry) => {
        entries.push(entry);
        recordings.add(entry);
      },
    });
    const chunks = async (stream: RecordedStream): Promise<ChunkRead[]> => {
      const read: ChunkRead[] = [];
      const recording = recordings.of(stream);
      if (recording) for await (const chunk of readRecording(session, recording, source, open)) read.push(chunk);
      return read;
    };
    const answers = new ShownAnswers();
    for (const chunk of await chunks('results')) if (chunk.state === 'read') answers.add(chunk.lines);
    return { report, entries, recordings, answers, chunks };
  }
  throw new Error(`no session ${sid} in ${bucket}`);
}

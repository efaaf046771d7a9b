/** One session for a replay: verified while it is read, with what of its recordings this reader can open. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import { decryptionWith } from '../../io/age/age.js';
import { readIdentities } from '../../io/age/identities.js';
import type { ObjectSource, SessionObjects } from '../../review/catalog.js';
import { EarlierEntries } from '../../review/earlier-entries.js';
import { ShownAnswers } from '../../review/recorded-results.js';
import { type OpenSealed, RecordingEntries, readRecording } from '../../review/recordings.js';
import { type Film, makeFilm } from '../../review/replay/film.js';
import type { SessionReport } from '../../review/session-report.js';
import { type TimelineItem, timelineItem } from '../../review/timeline.js';
import type { VerifyOptions } from '../../review/verify-options.js';
import { verifySession } from '../../review/verify-session.js';
import { recordedStreams } from '../../transcript/recording.js';
import { counted } from '../../words.js';

export interface SessionFilm {
  readonly film: Film;
  readonly answers: ShownAnswers;
  readonly report: SessionReport;
  /** What of the recordings cannot be shown, and why; a sentence each. */
  readonly missing: readonly string[];
  /** Something lies in the place of a chunk that is not what was recorded. */
  readonly changed: boolean;
}

export async function readSessionFilm(
  session: SessionObjects,
  source: ObjectSource,
  verify: Omit<VerifyOptions, 'source' | 'onEntry'>,
  { open, idleMs }: { readonly open: OpenSealed | undefined; readonly idleMs: number },
): Promise<SessionFilm> {
  const recordings = new RecordingEntries();
  const earlier = new EarlierEntries();
  const items: TimelineItem[] = [];
  const report = await verifySession(session, {
    ...verify,
    source,
    onEntry: (entry, disclosed) => {
      recordings.add(entry);
      items.push(timelineItem(entry, disclosed, earlier));
    },
  });
  const answers = new ShownAnswers();
  const drawn: unknown[] = [];
  const missing: string[] = [];
  let changed = false;
  for (const stream of recordedStreams) {
    const recording = recordings.of(stream);
    if (recording === undefined) continue;
    const lost = new Map<string, number>();
    for await (const chunk of readRecording(session, recording, source, open)) {
      if (chunk.state === 'read') {
        if (stream === 'results') answers.add(chunk.lines);
        else for (const line of chunk.lines) drawn.push(line);
      } else {
        changed ||= chunk.state === 'changed';
        lost.set(chunk.why, (lost.get(chunk.why) ?? 0) + 1);
      }
    }
    const what = stream === 'terminal' ? 'the screen' : 'the results';
    for (const [why, chunks] of lost)
      missing.push(
        `${counted(chunks, 'chunk')} of ${recording.chunks.length} of ${what} ${chunks === 1 ? 'is' : 'are'} not shown: ${why}`,
      );
    if (recording.end !== 'session')
      missing.push(
        `the recording of ${what} has no end: ${recording.end === 'failed' ? 'it could not be written any more' : 'the session crashed, or still runs'}`,
      );
  }
  return { film: makeFilm(items, drawn, idleMs), answers, report, missing, changed };
}

/** The reader's private key. Throws `usage` where the file holds none. */
export async function recordingKey(file: string | undefined, cwd: string): Promise<OpenSealed | undefined> {
  if (file === undefined) return undefined;
  const path = resolve(cwd, file);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new DbguardError('usage', `cannot read ${file}: ${reasonOf(error)}`, {
      hint: 'Name the file of your age key (age-keygen), or your ssh-ed25519 private key.',
      cause: error,
    });
  }
  return decryptionWith(readIdentities(text, file));
}

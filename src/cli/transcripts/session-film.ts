/** One session for a replay: verified while it is read, with what of its recordings this reader can open. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import type { ObjectSource, SessionObjects } from '../../review/catalog.js';
import { EarlierEntries } from '../../review/earlier-entries.js';
import { readRecordings, type SessionRecordings } from '../../review/read-recordings.js';
import type { OpenSealed } from '../../review/recordings.js';
import { type Film, makeFilm } from '../../review/replay/film.js';
import type { SessionReport } from '../../review/session-report.js';
import { type TimelineItem, timelineItem } from '../../review/timeline.js';
import type { VerifyOptions } from '../../review/verify-options.js';
import { verifySession } from '../../review/verify-session.js';
import { decryptionWith } from '../../transcript/age/age.js';
import { readIdentities } from '../../transcript/age/identities.js';

export interface SessionFilm extends Pick<SessionRecordings, 'answers' | 'said'> {
  readonly film: Film;
  readonly report: SessionReport;
}

export async function readSessionFilm(
  session: SessionObjects,
  source: ObjectSource,
  verify: Omit<VerifyOptions, 'source' | 'onEntry'>,
  { open, idleMs }: { readonly open: OpenSealed | undefined; readonly idleMs: number },
): Promise<SessionFilm> {
  const earlier = new EarlierEntries();
  const items: TimelineItem[] = [];
  const report = await verifySession(session, {
    ...verify,
    source,
    onEntry: (entry, disclosed) => void items.push(timelineItem(entry, disclosed, earlier)),
  });
  const read = await readRecordings(session, report.recordings ?? [], source, open);
  return { ...read, film: makeFilm(items, read.drawn, idleMs), report };
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

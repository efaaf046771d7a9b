/**
 * What earlier sessions left in the spool: a crash, a kill -9, a bucket that was away. Their segments are uploaded as
 * they are, without a seal where there is none: only the session itself could have signed one.
 */
import { existsSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { DbguardError } from '../../errors.js';
import type { Bucket } from '../../transcript/entry.js';
import { sessionPrefix } from '../../transcript/object-key.js';
import { rememberedBucket, removeSpool, spoolRoot, sumOf } from './spool.js';
import { claimSpool, releaseSpool } from './spool-lock.js';
import { type Backoff, type Progress, Uploader } from './uploader.js';
import { folders, waitingChunks, waitingSegments } from './waiting.js';

export interface SpooledSession {
  readonly sid: string;
  /** Key prefix in the bucket, with a slash at the end. */
  readonly prefix: string;
  readonly folder: string;
  /** Location of the bucket that it belongs to, as far as is known. */
  readonly bucket: string | undefined;
}

export interface RecoveryOptions {
  /** dbguard's state folder. */
  readonly state: string;
  readonly bucket: Bucket;
  /** Also sessions that began in another bucket. */
  readonly anyBucket?: boolean;
  readonly signal?: AbortSignal;
  readonly backoff?: Backoff;
  readonly onTrouble?: (error: DbguardError) => void;
  readonly onProgress?: (session: SpooledSession, progress: Progress) => void;
}

export interface RecoveredSession extends SpooledSession, Progress {
  /** `elsewhere`: it belongs to another bucket and was left alone. */
  readonly state: 'uploaded' | 'left' | 'elsewhere';
}

/** Sessions that wait, running ones included; oldest first. */
export function listSpool(state: string): SpooledSession[] {
  const root = spoolRoot(state);
  const sessions: SpooledSession[] = [];
  for (const subject of folders(join(root, 'v1'))) {
    for (const sid of folders(join(root, 'v1', subject))) {
      const prefix = sessionPrefix(subject, sid);
      const folder = join(root, prefix);
      sessions.push({ sid, prefix, folder, bucket: rememberedBucket(folder) });
    }
  }
  return sessions.sort((a, b) => (a.sid < b.sid ? -1 : 1));
}

/** Uploads what no living process owns. One session after the other, oldest first; stops when `signal` aborts. */
export async function recoverSpool(options: RecoveryOptions): Promise<RecoveredSession[]> {
  const done: RecoveredSession[] = [];
  for (const session of listSpool(options.state)) {
    if (options.signal?.aborted) break;
    const { bucket } = session;
    if (bucket !== undefined && bucket !== options.bucket.location && !options.anyBucket) {
      done.push({
        ...session,
        state: 'elsewhere',
        uploaded: 0,
        left: waitingSegments(session.folder).length + waitingChunks(session).length,
      });
    } else if (claimSpool(session.folder)) {
      done.push(await recover(session, options));
    }
  }
  return done;
}

async function recover(session: SpooledSession, options: RecoveryOptions): Promise<RecoveredSession> {
  const { bucket, signal, backoff, onTrouble, onProgress } = options;
  const { folder, prefix } = session;
  try {
    const how = { bucket, prefix, ...(backoff ? { backoff } : {}), ...(onTrouble ? { onTrouble } : {}) };
    const uploader = new Uploader(how);
    const chunks = new Uploader(how);
    for (const segment of waitingSegments(folder)) {
      if (cutTornLine(segment.path)) uploader.offer(segment);
    }
    for (const chunk of waitingChunks(session)) chunks.offer(chunk);
    const all = await uploader.finish(signal, (step) => onProgress?.(session, sumOf(step, chunks.progress)));
    const progress = sumOf(all, await chunks.finish(signal, (step) => onProgress?.(session, sumOf(all, step))));
    if (progress.left === 0) removeSpool(folder);
    return { ...session, ...progress, state: progress.left === 0 ? 'uploaded' : 'left' };
  } finally {
    if (existsSync(folder)) releaseSpool(folder);
  }
}

/** A line without its newline was never acknowledged: its write(2) had not returned. False when nothing is left. */
function cutTornLine(path: string): boolean {
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end === 0) {
    rmSync(path);
    return false;
  }
  if (end < bytes.length) truncateSync(path, end);
  return true;
}

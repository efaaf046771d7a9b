/**
 * One session's transcript on its way: journal, uploader and the folder between them. And what earlier sessions left
 * behind. The folder mirrors the bucket: `spool/v1/<subject>/<sid>/00000000.jsonl`.
 */
import { readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import type { SessionCredential } from '../../identity/identity.js';
import { evidenceOf, sessionSigner, subjectOfSession } from '../../identity/session.js';
import type { Encrypt } from '../../transcript/age/age.js';
import type { Bucket } from '../../transcript/entry.js';
import { sessionPrefix, subjectHash } from '../../transcript/object-key.js';
import {
  type OpenDetails,
  openEntry,
  type PreviousSession,
  type SessionConnection,
} from '../../transcript/open-entry.js';
import type { RecordingBegin } from '../../transcript/recording.js';
import { privateDir } from '../files/state-dirs.js';
import { type Journal, type JournalLimits, openJournal } from './journal.js';
import { PreviousSessionFile } from './previous-session-file.js';
import { RecordingWriter } from './recording-writer.js';
import { lockSpool, releaseSpool, removeLock } from './spool-lock.js';
import { type Backoff, type Progress, Uploader, type WaitingChunk } from './uploader.js';
import { removeChunkFolders } from './waiting.js';

export interface TranscriptOptions {
  /** dbguard's state folder: `stateDirs(env).state`. */
  readonly state: string;
  readonly bucket: Bucket;
  readonly credential: SessionCredential;
  readonly connection?: SessionConnection;
  readonly policy?: { readonly name: string; readonly digest: string };
  /** dbguard's own version. */
  readonly version: string;
  /** The command that is run, as shown. */
  readonly agent?: string;
  /** Each failed attempt to reach the bucket. The session goes on; the spool keeps what is not uploaded. */
  readonly onTrouble?: (error: DbguardError) => void;
  /** The journal cannot be written any more: nothing runs from now on. */
  readonly onFailure?: (error: DbguardError) => void;
  readonly limits?: Partial<JournalLimits>;
  readonly backoff?: Backoff;
}

export interface Transcript {
  readonly recorder: Journal;
  /** Where it will be in the bucket, with a slash at the end. */
  readonly prefix: string;
  /** A stream of a recording begins. It ends before `finish`, by its `close`. @param onFailure see RecordingWriter */
  record(
    begin: RecordingBegin,
    encrypt: Encrypt | undefined,
    onFailure: (error: DbguardError) => void,
  ): RecordingWriter;
  /** Resolves once the opening entry is in the bucket; rejects with the reason when it does not get there: see `Uploader`. */
  ready(patienceMs: number, attempts?: number): Promise<void>;
  /**
   * Seals the session and waits for the upload, or for `signal`. What is `left` waits in the spool for `recoverSpool`.
   * Rejects with `journal-unwritable`, after the upload, when the end of the session could not be written.
   */
  finish(options?: FinishOptions): Promise<Progress>;
}

export interface FinishOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** Opens journal and spool and starts the upload of the opening entry. Throws `journal-unwritable`, `config-invalid`. */
export function openTranscript(options: TranscriptOptions): Transcript {
  try {
    return open(options);
  } catch (error) {
    if (error instanceof DbguardError) throw error;
    throw new DbguardError('journal-unwritable', `no journal can be made in ${options.state}: ${reasonOf(error)}`, {
      hint: 'Nothing runs unrecorded: see to the space and the permissions of that folder.',
      cause: error,
    });
  }
}

function open(options: TranscriptOptions): Transcript {
  const { credential, bucket } = options;
  const subject = subjectHash(subjectOfSession(credential));
  const prefix = sessionPrefix(subject, credential.sid);
  const root = privateDir(spoolRoot(options.state));
  const folder = privateDir(join(root, prefix));
  lockSpool(folder);
  rememberBucket(folder, bucket);
  const how = {
    bucket,
    prefix,
    ...(options.backoff ? { backoff: options.backoff } : {}),
    ...(options.onTrouble ? { onTrouble: options.onTrouble } : {}),
  };
  const uploader = new Uploader(how);
  const refused: ((error: DbguardError) => void)[] = [];
  // rights of their own may keep chunks out; no segment waits behind one
  const chunks = new Uploader({
    ...how,
    onTrouble: (error) => {
      const tell = isRefusal(error) ? refused.splice(0) : [];
      if (tell.length === 0) options.onTrouble?.(error);
      for (const one of tell) one(refusal(error));
    },
  });
  const journal = openJournal({
    dir: folder,
    sid: credential.sid,
    signer: sessionSigner(credential),
    onSegment: (segment) => uploader.offer(segment),
    ...(options.onFailure ? { onFailure: options.onFailure } : {}),
    ...(options.limits ? { limits: options.limits } : {}),
  });
  const previousSession = new PreviousSessionFile(root, subject);
  previousSession.begin(credential.sid, (previous) => {
    journal.append(openEntry(openDetails(options, previous)));
    journal.closeSegment();
  });
  return {
    recorder: journal,
    prefix,
    record: (begin, encrypt, onFailure) => {
      const { sid } = credential;
      const onChunk = (chunk: WaitingChunk): void => chunks.offer(chunk);
      refused.push(onFailure);
      return new RecordingWriter({ begin, subject, sid, folder, recorder: journal, encrypt, onChunk, onFailure });
    },
    ready: (patienceMs, attempts) => uploader.ready(patienceMs, attempts),
    finish: async ({ signal, onProgress } = {}) => {
      const failure = await journal.close(true).catch((error: unknown) => error);
      if (failure === undefined) previousSession.end(credential.sid, journal.size, journal.head);
      const segments = await uploader.finish(signal, (step) => onProgress?.(sumOf(step, chunks.progress)));
      const progress = sumOf(segments, await chunks.finish(signal, (step) => onProgress?.(sumOf(segments, step))));
      if (progress.left === 0 && failure === undefined) removeSpool(folder);
      else releaseSpool(folder);
      if (failure !== undefined) throw failure;
      return progress;
    },
  };
}

/** The bucket has answered, and takes no recording: no network is to blame, and waiting does not help. */
function isRefusal({ code, cause }: DbguardError): boolean {
  if (code !== 'bucket-unreachable') return true;
  return cause instanceof Error && (cause.name === 'AccessDenied' || ('code' in cause && cause.code === 'EACCES'));
}

function refusal(cause: DbguardError): DbguardError {
  return new DbguardError('recording-unwritable', `the bucket takes no recording: ${cause.message}`, {
    hint: 'Whoever records needs s3:PutObject under recordings/, too. What was recorded waits on this machine: dbguard upload.',
    cause,
  });
}

export function sumOf(one: Progress, other: Progress): Progress {
  return { uploaded: one.uploaded + other.uploaded, left: one.left + other.left };
}

export function spoolRoot(state: string): string {
  return join(state, 'spool');
}

/** The public side of a credential, and the tokens that prove it. */
export function openDetails(
  options: Omit<TranscriptOptions, 'state' | 'bucket'>,
  previous?: PreviousSession,
): OpenDetails {
  const { credential, connection, policy, version, agent } = options;
  return {
    ...evidenceOf(credential),
    ...(connection ? { connection } : {}),
    ...(policy ? { policy } : {}),
    version,
    ...(agent === undefined ? {} : { agent }),
    ...(previous ? { previous } : {}),
  };
}

const BUCKET_FILE = 'bucket';

/** So that a later run does not bring half a session to another place. */
function rememberBucket(folder: string, bucket: Bucket): void {
  writeFileSync(join(folder, BUCKET_FILE), bucket.location, { mode: 0o600 });
}

/** The location that the session's first segments went to. */
export function rememberedBucket(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, BUCKET_FILE), 'utf8');
  } catch {
    return undefined;
  }
}

/** The session's folder alone: a session that begins this moment may be making its own beside it. */
export function removeSpool(folder: string): void {
  rmSync(join(folder, BUCKET_FILE), { force: true });
  removeLock(folder);
  removeChunkFolders(folder);
  try {
    rmdirSync(folder);
  } catch {
    // not empty: what is left belongs to somebody else
  }
}

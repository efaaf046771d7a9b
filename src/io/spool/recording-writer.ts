/**
 * One stream of a recording on its way: lines become chunks, each packed, encrypted and in the spool before the chain says its
 * digest. Nothing of it touches the disk before that.
 *
 * What lives here: when a chunk is cut, the order of chunks, and what happens when one cannot be written. What it must not
 * know: what lines mean.
 */
import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { DbguardError, reasonOf } from '../../errors.js';
import type { Encrypt } from '../../transcript/age/age.js';
import type { Recorder } from '../../transcript/entry.js';
import {
  beginEntry,
  chunkEntry,
  chunkKey,
  chunkName,
  endEntry,
  keepFolder,
  type RecordingBegin,
} from '../../transcript/recording.js';
import type { WaitingChunk } from './uploader.js';

const compress = promisify(gzip);

export interface RecordingOptions {
  readonly begin: RecordingBegin;
  readonly subject: string;
  readonly sid: string;
  /** The session's own folder in the spool. */
  readonly folder: string;
  readonly recorder: Pick<Recorder, 'append'>;
  /** Undefined: chunks are not encrypted. */
  readonly encrypt: Encrypt | undefined;
  readonly onChunk: (chunk: WaitingChunk) => void;
  /** Called once: from then on nothing is recorded any more. */
  readonly onFailure: (error: DbguardError) => void;
  readonly limits?: Partial<RecordingLimits>;
  /** Writes a new file that only this user may open. */
  readonly writeFile?: (path: string, bytes: Uint8Array) => Promise<void>;
}

export interface RecordingLimits {
  /** Characters: a chunk is cut when it has so many, */
  readonly chunkSize: number;
  /** or this many milliseconds after its first line. */
  readonly chunkMs: number;
  /** Characters that wait to be written; beyond them whoever records has to wait. */
  readonly waiting: number;
}

const defaultLimits: RecordingLimits = { chunkSize: 256 * 1024, chunkMs: 5_000, waiting: 4 << 20 };

export class RecordingWriter {
  readonly #options: RecordingOptions;
  readonly #limits: RecordingLimits;
  #text = '';
  #chunks = 0;
  /** Characters of chunks that are cut and not in the spool yet. */
  #waiting = 0;
  #work: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #over = false;
  readonly #drained = new Set<() => void>();
  failure: DbguardError | undefined;

  /** Its beginning is in the chain. */
  constructor(options: RecordingOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    options.recorder.append(beginEntry(options.begin));
  }

  /** More waits than may: what is recorded has to wait, too, until `onDrain`. */
  get full(): boolean {
    return this.#waiting > this.#limits.waiting;
  }

  /** Returns how to hear of it no more. */
  onDrain(listener: () => void): () => void {
    this.#drained.add(listener);
    return () => this.#drained.delete(listener);
  }

  /** @param line JSON, without its end */
  write(line: string): void {
    if (this.#over) return;
    this.#text += `${line}\n`;
    if (this.#text.length >= this.#limits.chunkSize) this.#cut();
    else this.#timer ??= setTimeout(() => this.#cut(), this.#limits.chunkMs).unref();
  }

  /** What is left becomes the last chunk; resolves when the chain has the end. */
  async close(): Promise<void> {
    if (!this.#over) this.#cut();
    await this.#work;
    if (this.#over) return;
    this.#over = true;
    this.#options.recorder.append(endEntry(this.#options.begin.stream, 'session'));
  }

  #cut(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#text;
    this.#text = '';
    if (text === '') return;
    this.#waiting += text.length;
    this.#work = this.#work.then(() => this.#put(text)).catch((error: unknown) => this.#fail(error));
  }

  async #put(text: string): Promise<void> {
    if (this.#over) return;
    const wasFull = this.full;
    const { begin, subject, sid, folder, encrypt, recorder } = this.#options;
    const packed = await compress(text, { level: 1 });
    const bytes = encrypt ? await encrypt(packed) : packed;
    const digest = createHash('sha256').update(bytes).digest('base64url');
    const chunk = this.#chunks++;
    const place = { subject, sid, stream: begin.stream, keepDays: begin.keepDays, encrypted: encrypt !== undefined };
    const path = join(folder, keepFolder(begin.keepDays), chunkName(begin.stream, chunk, digest, place.encrypted));
    await (this.#options.writeFile ?? writeNew)(path, bytes);
    this.#waiting -= text.length;
    recorder.append(chunkEntry(begin.stream, { chunk, digest, size: bytes.length }));
    this.#options.onChunk({ path, key: chunkKey(place, chunk, digest) });
    if (wasFull && !this.full) for (const listener of this.#drained) listener();
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#text = '';
    this.#waiting = 0;
    const { begin, recorder, onFailure } = this.#options;
    this.failure = new DbguardError('recording-unwritable', `the recording cannot be written: ${reasonOf(error)}`, {
      hint: 'See to the space and the permissions of the disk. What was recorded so far is kept.',
      cause: error,
    });
    try {
      recorder.append(endEntry(begin.stream, 'failed'));
    } catch {
      // the journal has failed as well, and says so itself
    }
    onFailure(this.failure);
    for (const listener of this.#drained) listener();
  }
}

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
}

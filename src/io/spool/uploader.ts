/**
 * Brings closed segments of one session to the bucket, or chunks of its recordings, in order, as long as it takes.
 *
 * What lives here: retries, and the rule that a file goes only after the bucket's receipt. What it must not know: what
 * is in a segment, who writes it.
 */
import { readFile, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Gunzip, gunzipSync, gzip } from 'node:zlib';
import { DbguardError, messageOf } from '../../errors.js';
import type { Bucket } from '../../transcript/entry.js';
import { alternativeKey, segmentKey } from '../../transcript/object-key.js';
import { isOneMember, wholeObject } from '../../transcript/one-member.js';

const compress = promisify(gzip);

export interface Backoff {
  /** Milliseconds; doubled at each failure in a row, up to `maxMs`, each with jitter. */
  readonly firstMs: number;
  readonly maxMs: number;
}

export interface UploaderOptions {
  readonly bucket: Bucket;
  /** As `sessionPrefix` gives it. */
  readonly prefix: string;
  readonly backoff?: Backoff;
  /** In [0, 1). */
  readonly random?: () => number;
  /** Called at each failure that will be tried again, and for each segment that cannot be stored at all. */
  readonly onTrouble?: (error: DbguardError) => void;
}

export interface WaitingSegment {
  readonly number: number;
  readonly path: string;
}

/** A chunk of a recording: stored as it is, under a name that has its digest. */
export interface WaitingChunk {
  readonly path: string;
  readonly key: string;
}

export interface Progress {
  readonly uploaded: number;
  readonly left: number;
}

const defaultBackoff: Backoff = { firstMs: 500, maxMs: 60_000 };

export class Uploader {
  readonly #options: UploaderOptions;
  readonly #backoff: Backoff;
  readonly #queue: (WaitingSegment | WaitingChunk)[] = [];
  /** Refused for good; their files stay. */
  readonly #stuck: (WaitingSegment | WaitingChunk)[] = [];
  readonly #watchers = new Set<() => void>();
  #uploaded = 0;
  #failures = 0;
  #lastError: DbguardError | undefined;
  #running = false;
  readonly #stop = new AbortController();
  #wake: (() => void) | undefined;

  constructor(options: UploaderOptions) {
    this.#options = options;
    this.#backoff = options.backoff ?? defaultBackoff;
  }

  get progress(): Progress {
    return { uploaded: this.#uploaded, left: this.#queue.length + this.#stuck.length };
  }

  offer(object: WaitingSegment | WaitingChunk): void {
    this.#queue.push(object);
    if (!this.#running && !this.#stop.signal.aborted) {
      this.#running = true;
      void this.#run();
    }
  }

  /**
   * Resolves once the first segment is in the bucket. Rejects with the reason when that takes longer than `patienceMs`,
   * or as many attempts have failed.
   */
  async ready(patienceMs: number, attempts = Number.POSITIVE_INFINITY): Promise<void> {
    const decided = () => this.#uploaded > 0 || this.#stuck.length > 0 || this.#failures >= attempts;
    await this.#until(decided, AbortSignal.timeout(patienceMs));
    if (this.#uploaded > 0) return;
    throw (
      this.#lastError ??
      new DbguardError('bucket-unreachable', `the bucket ${this.#options.bucket.location} did not answer in time`, {
        hint: 'Check the network, or let the policy allow work without the bucket.',
      })
    );
  }

  /** Resolves once nothing is left to try, or `signal` aborts. What is left stays in the spool. */
  async finish(signal?: AbortSignal, onProgress?: (progress: Progress) => void): Promise<Progress> {
    this.#wake?.(); // somebody waits now: try at once
    let reported = -1;
    await this.#until(() => {
      if (this.#uploaded !== reported) onProgress?.(this.progress);
      reported = this.#uploaded;
      return this.#queue.length === 0;
    }, signal);
    this.#stop.abort();
    this.#wake?.();
    return this.progress;
  }

  async #run(): Promise<void> {
    for (let next = this.#queue[0]; next !== undefined && !this.#stop.signal.aborted; next = this.#queue[0]) {
      try {
        await ('key' in next ? this.#store(next) : this.#upload(next));
        this.#uploaded++;
        this.#failures = 0;
        this.#queue.shift();
      } catch (error) {
        if (this.#stop.signal.aborted) break; // nobody waits any more
        const trouble = asTrouble(error);
        this.#lastError = trouble;
        this.#options.onTrouble?.(trouble);
        if (trouble.code === 'bucket-unreachable') await this.#pause();
        else this.#stuck.push(...this.#queue.splice(0, 1));
      }
      for (const watcher of this.#watchers) watcher();
    }
    this.#running = false;
  }

  async #upload({ number, path }: WaitingSegment): Promise<void> {
    const { prefix } = this.#options;
    const content = await readFile(path);
    const packed = await compress(content, { level: 1 });
    // a stranger may have taken the first name; behind a lost answer or a crash, either may be ours already
    if (!(await this.#put(segmentKey(prefix, number), packed, content)))
      if (!(await this.#put(alternativeKey(prefix, number, content), packed, content)))
        throw new DbguardError('bucket-conflict', `both names of segment ${number} are taken by other objects`, {
          hint: 'Somebody else stores under this session. The segment stays in the spool; a lead can see who it is.',
        });
    await rm(path); // only now: this is behind the bucket's receipt
  }

  async #store({ path, key }: WaitingChunk): Promise<void> {
    await this.#options.bucket.create(key, await readFile(path), this.#stop.signal);
    await rm(path);
  }

  /** False where the name is taken by something else. */
  async #put(key: string, packed: Uint8Array, content: Uint8Array): Promise<boolean> {
    const { bucket } = this.#options;
    try {
      await bucket.create(key, packed, this.#stop.signal);
      return true;
    } catch (error) {
      if (!(error instanceof DbguardError && error.code === 'bucket-conflict')) throw error;
      return holds(bucket, key, content);
    }
  }

  /** Full jitter: many developers whose bucket comes back at the same moment must not come back at the same moment. */
  async #pause(): Promise<void> {
    const { firstMs, maxMs } = this.#backoff;
    const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(this.#failures++, 20));
    const delay = ceiling / 2 + (ceiling / 2) * (this.#options.random ?? Math.random)();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  #until(reached: () => boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      // Somebody waits: the process must not end for want of anything else to do.
      const alive = setInterval(() => look(), 1_000);
      const look = (): void => {
        if (!reached() && !signal?.aborted) return;
        clearInterval(alive);
        this.#watchers.delete(look);
        signal?.removeEventListener('abort', look);
        resolve();
      };
      this.#watchers.add(look);
      signal?.addEventListener('abort', look);
      look();
    });
  }
}

/** Compressed again by another version of zlib, the same segment has other bytes. */
async function holds(bucket: Bucket, key: string, content: Uint8Array): Promise<boolean> {
  try {
    const existing = await bucket.read(key);
    // with `info` the types do not say it: the bytes, and the engine that knows how many it took
    const result: unknown = gunzipSync(existing, { maxOutputLength: content.length + 1, info: true });
    const { buffer, engine } = result as { readonly buffer: Buffer; readonly engine: Gunzip };
    // what a reader would not take for a segment is not ours, whatever comes of it
    return isOneMember(wholeObject(existing), engine.bytesWritten, buffer.length) && buffer.equals(content);
  } catch {
    return false; // not ours, or not ours to read
  }
}

function asTrouble(error: unknown): DbguardError {
  if (error instanceof DbguardError) return error;
  return new DbguardError('internal', `what waits in the spool cannot be uploaded: ${messageOf(error)}`, {
    cause: error,
  });
}

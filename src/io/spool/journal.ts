/**
 * The local journal of one session: a Recorder whose entries are signed and on this machine's disk before a statement
 * goes out. It is a row of segment files, 00000000.jsonl and on; each ends with a seal and is then free to be uploaded.
 *
 * What lives here: grouping (one signature and one write(2) for all that an event-loop turn brought), segments, and
 * failing closed. What it must not know: what entries mean, buckets.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DbguardError, messageOf } from '../../errors.js';
import { Chain, type Link } from '../../transcript/chain.js';
import type { Disclosures, EntryBody, Recorder, Signer } from '../../transcript/entry.js';
import { LINE_END, signedLineEnd } from '../../transcript/line.js';
import { segmentFileName } from '../../transcript/object-key.js';
import { privateDir } from '../files/state-dirs.js';
import { JournalFile, type JournalFiles, systemFiles } from './journal-files.js';

export interface JournalOptions {
  /** The session's own folder; made when missing. */
  readonly dir: string;
  readonly sid: string;
  readonly signer: Signer;
  /** Microseconds since 1970 UTC. */
  readonly now?: () => number;
  readonly randomBytes?: (size: number) => Uint8Array;
  readonly files?: JournalFiles;
  readonly limits?: Partial<JournalLimits>;
  /** A segment is complete and nobody writes to it any more. */
  readonly onSegment?: (segment: ClosedSegment) => void;
  /** Called once: from then on every append throws. */
  readonly onFailure?: (error: DbguardError) => void;
}

export interface ClosedSegment {
  readonly number: number;
  readonly path: string;
  /** The session's last. */
  readonly final: boolean;
}

/** Milliseconds and bytes. */
export interface JournalLimits {
  /** A segment with content is closed after this time, */
  readonly segmentMs: number;
  /** or when it has this size, but not before `busySegmentMs` unless it has `maxSegmentBytes`, */
  readonly segmentBytes: number;
  readonly busySegmentMs: number;
  readonly maxSegmentBytes: number;
  /** or this long after an entry that somebody waited for on the disk. */
  readonly afterSyncMs: number;
  /** An entry that nobody asked to commit (an outcome) waits no longer than this. */
  readonly lingerMs: number;
  readonly heartbeatMs: number;
}

const defaultLimits: JournalLimits = {
  segmentMs: 5_000,
  segmentBytes: 256 * 1024,
  busySegmentMs: 1_000,
  maxSegmentBytes: 8 * 1024 * 1024,
  afterSyncMs: 200,
  lingerMs: 50,
  heartbeatMs: 60_000,
};

export interface Journal extends Recorder {
  readonly sid: string;
  /** Entries so far. */
  readonly size: number;
  /** SHA-256 of the last entry's pre-authentication encoding, base64url. */
  readonly head: string;
  /** Signs, writes and seals what there is as a segment, so that it can leave this machine now. */
  closeSegment(): void;
  /** Seals the session (`final`) and resolves once everything is on the disk; without `final` the session stays unsealed. */
  close(final: boolean): Promise<void>;
}

const SCRATCH_BYTES = 256 * 1024;
/** Characters; a turn that brings more is written in pieces. */
const MAX_UNWRITTEN = 4 * 1024 * 1024;

/** Throws `journal-unwritable` or `config-invalid` when no file can be made there. */
export function openJournal(options: JournalOptions): Journal {
  privateDir(options.dir);
  return new SegmentedJournal(options);
}

type Done = (error?: Error) => void;

class SegmentedJournal implements Journal {
  readonly sid: string;
  readonly #options: JournalOptions;
  readonly #files: JournalFiles;
  readonly #limits: JournalLimits;
  readonly #chain: Chain;
  #file: JournalFile;
  #segment = 0;
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  /** Complete lines of this turn, then the last one, which still lacks its end. */
  #text = '';
  #last: Link | undefined;
  #waiting: Done[] = [];
  #waitingForDisk: Done[] = [];
  #scheduled: NodeJS.Immediate | undefined;
  #linger: NodeJS.Timeout | undefined;
  #segmentTimer: NodeJS.Timeout | undefined;
  #segmentDue = 0;
  readonly #heartbeat: NodeJS.Timeout;
  #heartbeatAt = 0;
  /** `performance.now()` of the first write to this segment. */
  #segmentSince = 0;
  /** Segments that are closed but perhaps not on the disk yet. */
  readonly #leaving = new Set<Promise<void>>();
  #failure: DbguardError | undefined;
  #closed = false;

  constructor(options: JournalOptions) {
    this.sid = options.sid;
    this.#options = options;
    this.#files = options.files ?? systemFiles;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#chain = new Chain(options.sid, {
      now: options.now ?? (() => Date.now() * 1000),
      randomBytes: options.randomBytes ?? randomBytes,
    });
    this.#file = this.#createFile();
    this.#heartbeat = setInterval(() => this.#beat(), this.#limits.heartbeatMs).unref();
  }

  get size(): number {
    return this.#chain.size;
  }

  get head(): string {
    return this.#chain.head;
  }

  append(body: EntryBody, disclosures?: Disclosures): number {
    if (this.#failure) throw this.#failure;
    if (this.#closed) throw unwritable('the session is over');
    if (this.#text.length > MAX_UNWRITTEN) this.#flush(false);
    const n = this.#add(body, disclosures);
    if (this.#scheduled === undefined && this.#linger === undefined) {
      this.#linger = setTimeout(() => this.#flush(false), this.#limits.lingerMs).unref();
    }
    return n;
  }

  commit(sync: boolean, done: Done): void {
    (sync ? this.#waitingForDisk : this.#waiting).push(done);
    // Not a microtask: sockets that became readable in the same poll join this group.
    this.#scheduled ??= setImmediate(() => this.#flush(false));
  }

  closeSegment(): void {
    this.#flush(true);
  }

  async close(final: boolean): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#heartbeat);
    this.#flush(final, final);
    clearTimeout(this.#segmentTimer);
    if (!final) this.#track(this.#file);
    await Promise.all(this.#leaving);
    if (this.#failure) throw this.#failure;
  }

  #add(body: EntryBody, disclosures?: Disclosures): number {
    const link = this.#chain.add(body, disclosures);
    this.#text += this.#last === undefined ? link.line : LINE_END + link.line;
    this.#last = link;
    return link.n;
  }

  /** One signature over the last line covers all lines before it, through the chain. */
  #flush(seal: boolean, final = false): void {
    clearImmediate(this.#scheduled);
    clearTimeout(this.#linger);
    this.#scheduled = undefined;
    this.#linger = undefined;
    const waiting = this.#waiting;
    const waitingForDisk = this.#waitingForDisk;
    this.#waiting = [];
    this.#waitingForDisk = [];
    const sealed = !this.#failure && this.#write(seal, final, waitingForDisk.length > 0);
    for (const done of waiting) done(this.#failure);
    if (waitingForDisk.length > 0) this.#sync(waitingForDisk);
    if (sealed) this.#next(final);
  }

  /** True when the segment was sealed. */
  #write(seal: boolean, final: boolean, synced: boolean): boolean {
    const content = this.#last !== undefined || this.#file.bytes > 0;
    const sealing = final || (content && (seal || this.#isFull()));
    if (sealing) this.#add(this.#chain.seal(final));
    const last = this.#last;
    if (last === undefined) return false;
    try {
      const signature = Buffer.from(this.#options.signer.sign(Buffer.from(last.preAuth))).toString('base64url');
      if (this.#file.bytes === 0) this.#segmentSince = performance.now();
      this.#file.write(this.#encode(this.#text + signedLineEnd(signature)));
    } catch (error) {
      this.#fail(error);
      return false;
    } finally {
      this.#text = '';
      this.#last = undefined;
    }
    this.#heartbeatAt = performance.now();
    if (!sealing) this.#armSegmentTimer(synced);
    return sealing;
  }

  /** Into one buffer for ever: a new one for each group costs more in garbage collection than the write itself. */
  #encode(text: string): Uint8Array {
    if (text.length * 3 > this.#scratch.length) return Buffer.from(text);
    return this.#scratch.subarray(0, this.#scratch.write(text));
  }

  #isFull(): boolean {
    const bytes = this.#file.bytes + this.#text.length;
    if (bytes < this.#limits.segmentBytes) return false;
    if (bytes >= this.#limits.maxSegmentBytes) return true;
    return this.#file.bytes > 0 && performance.now() - this.#segmentSince >= this.#limits.busySegmentMs;
  }

  /** The earlier of two due times holds: a stream of asked statements must not put the upload off. */
  #armSegmentTimer(soon: boolean): void {
    const delay = soon ? this.#limits.afterSyncMs : this.#limits.segmentMs;
    const due = performance.now() + delay;
    if (this.#segmentTimer !== undefined && due >= this.#segmentDue) return;
    clearTimeout(this.#segmentTimer);
    this.#segmentDue = due;
    this.#segmentTimer = setTimeout(() => this.#flush(true), delay).unref();
  }

  /** Hands the sealed segment over and starts the next one. */
  #next(final: boolean): void {
    clearTimeout(this.#segmentTimer);
    this.#segmentTimer = undefined;
    const segment = { number: this.#segment, path: this.#file.path, final };
    this.#track(this.#file);
    if (!final) {
      this.#segment++;
      try {
        this.#file = this.#createFile();
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#options.onSegment?.(segment);
  }

  /** Puts a file that is complete on the disk, in the background. */
  #track(file: JournalFile): void {
    const leaving = new Promise<void>((resolve) => {
      file.syncAndClose((error) => {
        if (error) this.#fail(error);
        resolve();
      });
    });
    this.#leaving.add(leaving);
    void leaving.then(() => this.#leaving.delete(leaving));
  }

  #sync(waiting: readonly Done[]): void {
    const earlier = [...this.#leaving];
    this.#file.sync((error) => {
      if (error) this.#fail(error);
      void Promise.all(earlier).then(() => {
        for (const done of waiting) done(this.#failure);
      });
    });
  }

  #beat(): void {
    if (this.#failure || performance.now() - this.#heartbeatAt < this.#limits.heartbeatMs / 2) return;
    this.append({ k: 'heartbeat' });
    this.#flush(false);
  }

  #createFile(): JournalFile {
    try {
      return new JournalFile(this.#files, join(this.#options.dir, segmentFileName(this.#segment)));
    } catch (error) {
      throw unwritable(messageOf(error), error);
    }
  }

  #fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure = error instanceof DbguardError ? error : unwritable(messageOf(error), error);
    clearInterval(this.#heartbeat);
    clearTimeout(this.#segmentTimer);
    this.#options.onFailure?.(this.#failure);
    const waiting = [...this.#waiting, ...this.#waitingForDisk];
    this.#waiting = [];
    this.#waitingForDisk = [];
    for (const done of waiting) done(this.#failure);
  }
}

function unwritable(reason: string, cause?: unknown): DbguardError {
  return new DbguardError('journal-unwritable', `the journal cannot be written: ${reason}`, {
    hint: 'Nothing runs unrecorded: see to the space and the permissions of the disk, then start a new session.',
    cause,
  });
}

/**
 * The local journal of one session: a Recorder whose entries are in a file of this machine before a statement goes
 * out. It is a row of segment files, 00000000.jsonl and on; each ends with a signed seal and is then free to be uploaded.
 *
 * A signature costs more than everything else that is done for a statement, so it does not hold one up: it covers all
 * entries since the last one, at the latest `signMs` or `signEntries` after the first of them. What waits for the disk
 * (approved statements) and every seal is signed in the same write.
 *
 * What lives here: grouping (one write(2) for all that an event-loop turn brought), when to sign, segments, and failing
 * closed. What it must not know: what entries mean, buckets.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import { Chain } from '../../transcript/chain.js';
import type { Disclosures, EntryBody, Recorder, RepeatedBody, Signer } from '../../transcript/entry.js';
import { segmentFileName } from '../../transcript/object-key.js';
import { privateDir } from '../files/state-dirs.js';
import { microsecondClock } from '../microsecond-clock.js';
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
  /** An entry is unsigned no longer than this, and is written by then also when nobody asked for it (an outcome). */
  readonly signMs: number;
  /** No more entries than these stand between two signatures. */
  readonly signEntries: number;
  readonly heartbeatMs: number;
}

const defaultLimits: JournalLimits = {
  segmentMs: 5_000,
  segmentBytes: 256 * 1024,
  busySegmentMs: 1_000,
  maxSegmentBytes: 8 * 1024 * 1024,
  afterSyncMs: 200,
  signMs: 2,
  signEntries: 64,
  heartbeatMs: 60_000,
};

export interface Journal extends Recorder {
  readonly sid: string;
  /** Entries so far. */
  readonly size: number;
  /** Of the chain after the last line: SHA-256, base64url. */
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

/** What a flush leaves behind: lines in the file, those and a signature, a sealed segment, a sealed session. */
type Flush = 'lines' | 'signed' | 'sealed' | 'final';

class SegmentedJournal implements Journal {
  readonly sid: string;
  readonly #options: JournalOptions;
  readonly #files: JournalFiles;
  readonly #limits: JournalLimits;
  readonly #chain: Chain;
  #file: JournalFile;
  #segment = 0;
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  /** Lines that are not in the file yet. */
  #text = '';
  /** Entries since the last signature, in the file or not. */
  #unsigned = 0;
  #waiting: Done[] = [];
  #waitingForDisk: Done[] = [];
  #scheduled: NodeJS.Immediate | undefined;
  #signTimer: NodeJS.Timeout | undefined;
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
      now: options.now ?? microsecondClock(),
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

  append(body: EntryBody | RepeatedBody, disclosures?: Disclosures): number {
    if (this.#failure) throw this.#failure;
    if (this.#closed) throw unwritable('the session is over');
    if (this.#text.length > MAX_UNWRITTEN) this.#flush('lines');
    const n = this.#add(body, disclosures);
    if (this.#unsigned >= this.#limits.signEntries) this.#signInTurn();
    // Not unref'ed: what is said last is signed too.
    this.#signTimer ??= setTimeout(() => this.#flush('signed'), this.#limits.signMs);
    return n;
  }

  commit(sync: boolean, done: Done): void {
    (sync ? this.#waitingForDisk : this.#waiting).push(done);
    // Not a microtask: sockets that became readable in the same poll join this group.
    this.#scheduled ??= setImmediate(() => this.#flush('lines'));
  }

  closeSegment(): void {
    this.#flush('sealed');
  }

  async close(final: boolean): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#heartbeat);
    this.#flush(final ? 'final' : 'signed');
    clearTimeout(this.#segmentTimer);
    if (!final) this.#track(this.#file);
    await Promise.all(this.#leaving);
    if (this.#failure) throw this.#failure;
  }

  #add(body: EntryBody | RepeatedBody, disclosures?: Disclosures): number {
    const link = this.#chain.add(body, disclosures);
    this.#text += link.line;
    this.#unsigned++;
    return link.n;
  }

  #signInTurn(): void {
    try {
      this.#sign();
    } catch (error) {
      this.#fail(error);
      throw this.#failure;
    }
  }

  #sign(): void {
    clearTimeout(this.#signTimer);
    this.#signTimer = undefined;
    this.#text += this.#chain.sign(this.#options.signer);
    this.#unsigned = 0;
  }

  #flush(how: Flush): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const waiting = this.#waiting;
    const waitingForDisk = this.#waitingForDisk;
    this.#waiting = [];
    this.#waitingForDisk = [];
    const sealed = !this.#failure && this.#write(how, waitingForDisk.length > 0);
    for (const done of waiting) done(this.#failure);
    if (waitingForDisk.length > 0) this.#sync(waitingForDisk);
    if (sealed) this.#next(how === 'final');
  }

  /** True when the segment was sealed. */
  #write(how: Flush, synced: boolean): boolean {
    const content = this.#text !== '' || this.#file.bytes > 0;
    const sealing = how === 'final' || (content && (how === 'sealed' || this.#isFull()));
    try {
      if (sealing) this.#add(this.#chain.seal(how === 'final'));
      if (this.#unsigned > 0 && (sealing || synced || how !== 'lines')) this.#sign();
      if (this.#text === '') return false;
      if (this.#file.bytes === 0) this.#segmentSince = performance.now();
      this.#file.write(this.#encode(this.#text));
    } catch (error) {
      this.#fail(error);
      return false;
    } finally {
      this.#text = '';
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
    this.#segmentTimer = setTimeout(() => this.#flush('sealed'), delay).unref();
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
    this.#flush('signed');
  }

  #createFile(): JournalFile {
    try {
      return new JournalFile(this.#files, join(this.#options.dir, segmentFileName(this.#segment)));
    } catch (error) {
      throw unwritable(reasonOf(error), error);
    }
  }

  #fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure = error instanceof DbguardError ? error : unwritable(reasonOf(error), error);
    clearInterval(this.#heartbeat);
    clearTimeout(this.#segmentTimer);
    clearTimeout(this.#signTimer);
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

/**
 * Bytes on their way to the server, kept back until the journal entries that speak of them are committed.
 *
 * What lives here: promise 1, "no statement byte reaches the database before a signed entry for it". What it must
 * not know: what the bytes mean.
 */
import type { Recorder } from '../../transcript/entry.js';
import { Outgoing } from '../outgoing.js';

interface Batch {
  readonly slices: Buffer[];
  committed: boolean;
}

export class JournaledOutbox {
  readonly out = new Outgoing();
  readonly #recorder: Recorder;
  readonly #write: (slices: Buffer[]) => void;
  readonly #fail: (error: Error) => void;
  /** Batches in order; only a committed prefix may leave. */
  #batches: Batch[] = [];
  #needsCommit = false;
  #needsSync = false;

  constructor(recorder: Recorder, write: (slices: Buffer[]) => void, fail: (error: Error) => void) {
    this.#recorder = recorder;
    this.#write = write;
    this.#fail = fail;
  }

  /** The bytes pushed since the last release may leave only after everything journaled so far is committed. */
  requireCommit(sync = false): void {
    this.#needsCommit = true;
    this.#needsSync ||= sync;
  }

  /** True when nothing is kept back. */
  get empty(): boolean {
    return this.out.length === 0 && this.#batches.length === 0;
  }

  /** Sends what may be sent now, the rest when its commit is done. */
  release(): void {
    if (this.out.length === 0) return;
    const slices = this.out.take();
    if (!this.#needsCommit && this.#batches.length === 0) {
      this.#write(slices);
      return;
    }
    const batch: Batch = { slices, committed: !this.#needsCommit };
    this.#batches.push(batch);
    if (!this.#needsCommit) return;
    const sync = this.#needsSync;
    this.#needsCommit = false;
    this.#needsSync = false;
    this.#recorder.commit(sync, (error) => {
      if (error) {
        this.#batches = [];
        this.#fail(error);
        return;
      }
      batch.committed = true;
      this.#flush();
    });
  }

  #flush(): void {
    let ready = 0;
    while (this.#batches[ready]?.committed) ready++;
    for (const batch of this.#batches.splice(0, ready)) this.#write(batch.slices);
  }
}

import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { DbguardError, reasonOf } from '../../errors.js';

const batchCharacters = 1 << 16;

/**
 * Lines to a stream in large pieces, no faster than they are read.
 *
 * What lives here: the piece that is being filled, and whether the reader has left. What it must not know: the lines.
 */
export class LineWriter {
  readonly #stream: Writable;
  #batch = '';
  #failure: Error | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error) => {
      this.#failure ??= error;
    });
  }

  /** False once nobody reads any more, as after `| head`: not an error, but the end. Throws for any other failure. */
  async write(line: string): Promise<boolean> {
    this.#batch += `${line}\n`;
    return this.#batch.length < batchCharacters ? this.#open() : this.flush();
  }

  async flush(): Promise<boolean> {
    if (!this.#open()) return false;
    const batch = this.#batch;
    this.#batch = '';
    if (this.#stream.write(batch)) return this.#open();
    await writable(this.#stream);
    return this.#open();
  }

  #open(): boolean {
    const failure = this.#failure as NodeJS.ErrnoException | undefined;
    if (failure !== undefined && failure.code !== 'EPIPE') throw outputFailed(failure);
    return failure === undefined && !this.#stream.destroyed;
  }
}

/** Until the stream takes more, or will never again: a pager that is left closes it without an error. */
async function writable(stream: Writable): Promise<void> {
  const settled = new AbortController();
  const events = ['drain', 'close'].map((event) => once(stream, event, { signal: settled.signal }));
  // a failure is kept by the listener above
  await Promise.race(events).catch(() => undefined);
  settled.abort();
}

export function outputFailed(error: Error): DbguardError {
  return new DbguardError('output-failed', `the output cannot be written: ${reasonOf(error)}`, { cause: error });
}

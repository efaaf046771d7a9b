import { once } from 'node:events';
import type { Writable } from 'node:stream';

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
    // a failure is kept by the listener above
    await once(this.#stream, 'drain').catch(() => undefined);
    return this.#open();
  }

  #open(): boolean {
    const failure = this.#failure as NodeJS.ErrnoException | undefined;
    if (failure !== undefined && failure.code !== 'EPIPE') throw failure;
    return failure === undefined;
  }
}

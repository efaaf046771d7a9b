/**
 * Recordings as the chain says them: each stream begins once, has its chunks one behind the other, and ends. Whether a
 * chunk is still in the bucket means nothing here: it may have expired, or be withheld.
 */
import type { Entry } from './entry.js';

export class RecordingChecks {
  readonly #fail: (n: number, message: string) => void;
  /** The number of the chunk that comes next, by stream; undefined behind the end. */
  readonly #next = new Map<unknown, number | undefined>();

  constructor(fail: (n: number, message: string) => void) {
    this.#fail = fail;
  }

  add({ n, fields }: Entry): void {
    const { event, stream } = fields;
    if (event === 'begin') {
      if (this.#next.has(stream)) this.#fail(n, `recording ${n} begins a second time`);
      else this.#next.set(stream, 0);
      return;
    }
    const next = this.#next.get(stream);
    if (next === undefined) {
      this.#fail(n, `recording ${n} goes on with what has not begun, or has ended`);
      return;
    }
    if (event === 'chunk') this.#chunk(n, fields, next);
    else this.#end(n, fields);
  }

  /** The end of a session that says nothing of its recording would hide what was left out of it. */
  sealed({ n }: Pick<Entry, 'n'>): void {
    for (const [stream, next] of this.#next) {
      if (next !== undefined) this.#fail(n, `the session is sealed, and its recording of ${String(stream)} has no end`);
    }
  }

  #chunk(n: number, { stream, chunk, digest, size }: Entry['fields'], next: number): void {
    if (chunk === undefined || digest === undefined || size === undefined)
      this.#fail(n, `recording ${n} does not say which chunk, of how many bytes and of which digest`);
    else if (chunk !== next) this.#fail(n, `recording ${n} is chunk ${String(chunk)}, where ${next} comes next`);
    this.#next.set(stream, next + 1);
  }

  #end(n: number, { stream, why }: Entry['fields']): void {
    if (why === undefined) this.#fail(n, `recording ${n} does not say why it ends`);
    this.#next.set(stream, undefined);
  }
}

/** Where the values of one column stand in a run of rows, for the mask that wants to see them ahead. */
import type { SeeAhead } from './kinds/cell.js';

export class Spans {
  readonly #ahead: SeeAhead;
  #spans = new Int32Array(16);
  #used = 0;

  constructor(ahead: SeeAhead) {
    this.#ahead = ahead;
  }

  add(start: number, end: number): void {
    if (this.#used + 2 > this.#spans.length) {
      const larger = new Int32Array(this.#spans.length * 4);
      larger.set(this.#spans);
      this.#spans = larger;
    }
    this.#spans[this.#used++] = start;
    this.#spans[this.#used++] = end;
  }

  /** Says which values will be written, out of `bytes`; forgets them. */
  announce(bytes: Buffer): void {
    this.#ahead(bytes, this.#spans, this.#used >> 1);
    this.#used = 0;
  }
}

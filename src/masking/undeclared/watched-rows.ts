/**
 * The first rows of a result are looked at on their way; behind the bound they pass unseen, so that a large result costs
 * no more than a small one.
 * State: how much of this result was looked at. Must not know what detectors look for.
 */
import { headerBytes } from '../../wire/messages.js';
import type { Detected } from '../detectors/detected.js';
import { eachRow, type RowMask, type TakeBytes } from '../row-rewriter.js';
import type { Watched } from './undeclared-columns.js';

export class WatchedColumns {
  readonly #columns: readonly (Watched | undefined)[];
  #rows: number;
  #bytes: number;

  /** @param rows that are looked at, and as many KiB */
  constructor(columns: readonly (Watched | undefined)[], rows: number) {
    this.#columns = columns;
    this.#rows = rows;
    this.#bytes = rows * 1024;
  }

  get count(): number {
    return this.#columns.length;
  }

  /** No row is looked at any more. */
  get over(): boolean {
    return this.#bytes <= 0 || this.#rows <= 0;
  }

  /** Before each row: whether it is to be looked at. */
  next(): boolean {
    return this.#bytes > 0 && this.#rows-- > 0;
  }

  wants(at: number): boolean {
    return this.#columns[at]?.done === false;
  }

  look(at: number, value: Buffer): void {
    const seen = value.length > this.#bytes ? value.subarray(0, Math.max(0, this.#bytes)) : value;
    this.#bytes -= value.length;
    this.#columns[at]?.look(seen);
  }

  found(): Detected[] {
    return this.#columns.flatMap((one) => one?.report() ?? []);
  }
}

export class WatchedRows implements RowMask {
  readonly #columns: WatchedColumns;
  readonly #inner: RowMask | undefined;

  constructor(columns: WatchedColumns, inner: RowMask | undefined) {
    this.#columns = columns;
    this.#inner = inner;
  }

  rewrite(bytes: Buffer, start: number, end: number, take: TakeBytes): void {
    if (!this.#columns.over)
      eachRow(bytes, start, end, (row, next) => {
        if (this.#columns.next()) this.#look(bytes, row, next);
      });
    if (this.#inner) this.#inner.rewrite(bytes, start, end, take);
    else take(bytes, start, end);
  }

  found(): Detected[] {
    return this.#columns.found();
  }

  /** A row that is not well-formed is somebody else's to report. */
  #look(bytes: Buffer, start: number, end: number): void {
    let read = start + headerBytes + 2;
    for (let at = 0; at < this.#columns.count && read + 4 <= end; at++) {
      const length = bytes.readInt32BE(read);
      const stop = read + 4 + Math.max(length, 0);
      if (stop > end) return;
      if (length > 0 && this.#columns.wants(at)) this.#columns.look(at, bytes.subarray(read + 4, stop));
      read = stop;
    }
  }
}

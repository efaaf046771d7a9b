/**
 * DataRow messages with masked cells ("Message Formats" in the PostgreSQL manual).
 * State: the slab that rewritten rows are put in. Must not know lineage, nor why a cell is masked.
 */
import { headerBytes, ProtocolViolation } from '../wire/messages.js';
import { copyWords, viewOf } from './copy-bytes.js';
import type { Detected } from './detectors/detected.js';
import { type CellMask, growthFor, nullMask } from './kinds/cell.js';
import { Spans } from './spans.js';

/** Takes `bytes[start, end)`. The bytes are never written to again: they may be kept. */
export type TakeBytes = (bytes: Buffer, start: number, end: number) => void;

export interface RowMask {
  /**
   * `bytes[start, end)` are whole DataRows, headers included; they are the rewriter's now, which may write over them.
   * Throws ProtocolViolation when one is not well-formed.
   */
  rewrite(bytes: Buffer, start: number, end: number, take: TakeBytes): void;
  /** What detectors have found in columns that nobody declared; each is said once. */
  found?(): readonly Detected[];
}

const slabBytes = 64 << 10;

/** Calls `each` with `bytes[start, end)` of every row of a run. */
export function eachRow(bytes: Buffer, start: number, end: number, each: (start: number, end: number) => void): void {
  const view = viewOf(bytes);
  for (let row = start; row < end; ) {
    const next = rowEnd(view, row, end);
    each(row, next);
    row = next;
  }
}

function rowEnd(view: DataView, row: number, end: number): number {
  const next = row + headerBytes <= end ? row + 1 + view.getInt32(row + 1) : end + 1;
  if (next > end || row + headerBytes + 2 > next) throw new ProtocolViolation('a row without a column count');
  return next;
}

export class RowRewriter implements RowMask {
  /** Undefined for a column that passes. Undefined altogether: every cell is masked with NULL. */
  readonly #masks: readonly (CellMask | undefined)[] | undefined;
  readonly #growth: number;
  /** How much longer a value gets depends on the value. */
  readonly #varies: boolean;
  /** Nothing gets longer: what is masked is written over where it stands, and the rest is not even copied. */
  readonly #inPlace: boolean;
  /** By column; undefined where no mask wants to see values ahead. */
  readonly #ahead: readonly (Spans | undefined)[] | undefined;
  #slab = Buffer.alloc(0);
  #slabView: DataView = viewOf(this.#slab);
  #at = 0;

  constructor(masks: readonly (CellMask | undefined)[] | undefined) {
    this.#masks = masks;
    this.#growth = (masks ?? []).reduce((sum, mask) => sum + (mask?.growth ?? 0), 0);
    this.#varies = masks?.some((mask) => mask?.growthOf !== undefined) ?? false;
    this.#inPlace = this.#growth === 0 && !this.#varies;
    if (masks?.some((mask) => mask?.ahead)) this.#ahead = masks.map((mask) => mask?.ahead && new Spans(mask.ahead));
  }

  rewrite(bytes: Buffer, start: number, end: number, take: TakeBytes): void {
    const view = viewOf(bytes);
    if (this.#ahead) this.#lookAhead(this.#ahead, bytes, view, start, end);
    if (this.#inPlace) this.#overwrite(bytes, view, start, end, take);
    else this.#copy(bytes, view, start, end, take);
  }

  #overwrite(bytes: Buffer, view: DataView, start: number, end: number, take: TakeBytes): void {
    let write = start;
    for (let row = start; row < end; ) {
      const next = rowEnd(view, row, end);
      write = this.#row(bytes, view, row, next, bytes, view, write);
      row = next;
    }
    take(bytes, start, write);
  }

  #copy(bytes: Buffer, view: DataView, start: number, end: number, take: TakeBytes): void {
    let from = this.#at;
    for (let row = start; row < end; ) {
      const next = rowEnd(view, row, end);
      const room = next - row + this.#growth + (this.#varies ? varyingGrowth(this.#masks ?? [], bytes, row, next) : 0);
      if (this.#slab.length - this.#at < room) {
        if (this.#at > from) take(this.#slab, from, this.#at);
        this.#slab = Buffer.allocUnsafe(Math.max(slabBytes, room));
        this.#slabView = viewOf(this.#slab);
        this.#at = 0;
        from = 0;
      }
      this.#at = this.#row(bytes, view, row, next, this.#slab, this.#slabView, this.#at);
      row = next;
    }
    if (this.#at > from) take(this.#slab, from, this.#at);
  }

  /** Writes the row `bytes[start, end)` to `slab` at `from`; returns the offset behind it. */
  #row(
    bytes: Buffer,
    view: DataView,
    start: number,
    end: number,
    slab: Buffer,
    slabView: DataView,
    from: number,
  ): number {
    const count = view.getUint16(start + headerBytes);
    // A row that is not what was announced: nothing of it can be trusted.
    const masks = this.#masks?.length === count ? this.#masks : undefined;
    let read = start + headerBytes + 2;
    let write = from;
    /** What stands from here to `read` passes as it is, and is copied together. */
    let passing = start;
    for (let column = 0; column < count; column++) {
      if (read + 4 > end) throw new ProtocolViolation('a row that is shorter than its columns');
      const length = view.getInt32(read);
      const value = read + 4;
      const stop = length > 0 ? value + length : value;
      if (stop > end) throw new ProtocolViolation('a row that is shorter than its columns');
      const mask = masks === undefined ? nullMask : masks[column];
      if (mask !== undefined && length >= 0) {
        write = copyWords(view, passing, read, slabView, write) + 4;
        const masked = mask === nullMask ? -1 : mask.write(bytes, value, stop, slab, write);
        slabView.setInt32(write - 4, masked);
        if (masked > 0) write += masked;
        passing = stop;
      }
      read = stop;
    }
    write = copyWords(view, passing, read, slabView, write);
    slabView.setInt32(from + 1, write - from - 1);
    return write;
  }

  /** A row that is not what was announced, or not well-formed, is told when it is rewritten. */
  #lookAhead(ahead: readonly (Spans | undefined)[], bytes: Buffer, view: DataView, start: number, end: number): void {
    const columns = ahead.length;
    for (let row = start; row < end; ) {
      const next = rowEnd(view, row, end);
      let read = row + headerBytes + 2;
      for (
        let left = view.getUint16(row + headerBytes) === columns ? columns : 0;
        left > 0 && read + 4 <= next;
        left--
      ) {
        const length = view.getInt32(read);
        const value = read + 4;
        read = length > 0 ? value + length : value;
        if (length >= 0 && read <= next) ahead[columns - left]?.add(value, read);
      }
      row = next;
    }
    for (const one of ahead) one?.announce(bytes);
  }
}

/** Of the masks whose growth depends on the value. */
function varyingGrowth(masks: readonly (CellMask | undefined)[], bytes: Buffer, start: number, end: number): number {
  let growth = 0;
  let read = start + headerBytes + 2;
  for (const mask of masks) {
    // what is cut short is reported when it is rewritten
    if (read + 4 > end) break;
    const value = read + 4;
    read = value + Math.max(bytes.readInt32BE(read), 0);
    if (mask?.growthOf !== undefined && read <= end) growth += growthFor(mask, bytes, value, read);
  }
  return growth;
}

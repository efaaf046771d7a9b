/**
 * DataRow messages with masked cells ("Message Formats" in the PostgreSQL manual).
 * State: the slab that rewritten rows are put in. Must not know lineage, nor why a cell is masked.
 */
import { backend, headerBytes, ProtocolViolation } from '../wire/messages.js';
import { copyBytes } from './copy-bytes.js';
import type { Detected } from './detectors/detected.js';
import { type CellMask, growthFor, nullMask } from './kinds/cell.js';

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
  for (let row = start; row < end; ) {
    const next = rowEnd(bytes, row, end);
    each(row, next);
    row = next;
  }
}

function rowEnd(bytes: Buffer, row: number, end: number): number {
  const next = row + headerBytes <= end ? row + 1 + int32(bytes, row + 1) : end + 1;
  if (next > end || row + headerBytes + 2 > next) throw new ProtocolViolation('a row without a column count');
  return next;
}

/** As Buffer's own, which spend more on checks than the loop over a cell does on the cell. The bounds are known here. */
function int32(bytes: Buffer, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

function putInt32(bytes: Buffer, value: number, at: number): void {
  bytes[at] = value >> 24;
  bytes[at + 1] = value >> 16;
  bytes[at + 2] = value >> 8;
  bytes[at + 3] = value;
}

export class RowRewriter implements RowMask {
  /** Undefined for a column that passes. Undefined altogether: every cell is masked with NULL. */
  readonly #masks: readonly (CellMask | undefined)[] | undefined;
  readonly #growth: number;
  /** How much longer a value gets depends on the value. */
  readonly #varies: boolean;
  /** Nothing gets longer: what is masked is written over where it stands, and the rest is not even copied. */
  readonly #inPlace: boolean;
  #slab = Buffer.alloc(0);
  #at = 0;

  constructor(masks: readonly (CellMask | undefined)[] | undefined) {
    this.#masks = masks;
    this.#growth = (masks ?? []).reduce((sum, mask) => sum + (mask?.growth ?? 0), 0);
    this.#varies = masks?.some((mask) => mask?.growthOf !== undefined) ?? false;
    this.#inPlace = this.#growth === 0 && !this.#varies;
  }

  rewrite(bytes: Buffer, start: number, end: number, take: TakeBytes): void {
    if (this.#inPlace) this.#overwrite(bytes, start, end, take);
    else this.#copy(bytes, start, end, take);
  }

  #overwrite(bytes: Buffer, start: number, end: number, take: TakeBytes): void {
    let write = start;
    for (let row = start; row < end; ) {
      const next = rowEnd(bytes, row, end);
      write = this.#row(bytes, row, next, bytes, write);
      row = next;
    }
    take(bytes, start, write);
  }

  #copy(bytes: Buffer, start: number, end: number, take: TakeBytes): void {
    let from = this.#at;
    for (let row = start; row < end; ) {
      const next = rowEnd(bytes, row, end);
      const room = next - row + this.#growth + (this.#varies ? varyingGrowth(this.#masks ?? [], bytes, row, next) : 0);
      if (this.#slab.length - this.#at < room) {
        if (this.#at > from) take(this.#slab, from, this.#at);
        this.#slab = Buffer.allocUnsafe(Math.max(slabBytes, room));
        this.#at = 0;
        from = 0;
      }
      this.#at = this.#row(bytes, row, next, this.#slab, this.#at);
      row = next;
    }
    if (this.#at > from) take(this.#slab, from, this.#at);
  }

  /** Writes the row `bytes[start, end)` to `slab` at `from`; returns the offset behind it. */
  #row(bytes: Buffer, start: number, end: number, slab: Buffer, from: number): number {
    const count = ((bytes[start + headerBytes] as number) << 8) | (bytes[start + headerBytes + 1] as number);
    // A row that is not what was announced: nothing of it can be trusted.
    const masks = this.#masks?.length === count ? this.#masks : undefined;
    let read = start + headerBytes + 2;
    let write = from + headerBytes + 2;
    /** Cells from here to `read` pass as they are, and are copied together. */
    let passing = read;
    for (let column = 0; column < count; column++) {
      if (read + 4 > end) throw new ProtocolViolation('a row that is shorter than its columns');
      const length = int32(bytes, read);
      const value = read + 4;
      const stop = value + Math.max(length, 0);
      if (stop > end) throw new ProtocolViolation('a row that is shorter than its columns');
      const mask = masks === undefined ? nullMask : masks[column];
      if (mask !== undefined && length >= 0) {
        write = copyBytes(bytes, passing, read, slab, write) + 4;
        const masked = mask.write(bytes, value, stop, slab, write);
        putInt32(slab, masked, write - 4);
        if (masked > 0) write += masked;
        passing = stop;
      }
      read = stop;
    }
    write = copyBytes(bytes, passing, read, slab, write);
    slab[from] = backend.dataRow;
    putInt32(slab, write - from - 1, from + 1);
    slab[from + headerBytes] = count >> 8;
    slab[from + headerBytes + 1] = count;
    return write;
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

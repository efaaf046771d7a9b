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
  rewrite(bytes: Buffer, start: number, end: number, take: TakeBytes): void;
  /** What detectors have found in columns that nobody declared; each is said once. */
  found?(): readonly Detected[];
}

const slabBytes = 64 << 10;

export class RowRewriter implements RowMask {
  /** Undefined for a column that passes. Undefined altogether: every cell is masked with NULL. */
  readonly #masks: readonly (CellMask | undefined)[] | undefined;
  readonly #growth: number;
  /** How much longer a value gets depends on the value. */
  readonly #varies: boolean;
  #slab = Buffer.alloc(0);
  #at = 0;

  constructor(masks: readonly (CellMask | undefined)[] | undefined) {
    this.#masks = masks;
    this.#growth = (masks ?? []).reduce((sum, mask) => sum + (mask?.growth ?? 0), 0);
    this.#varies = masks?.some((mask) => mask?.growthOf !== undefined) ?? false;
  }

  /** `bytes[start, end)` is one whole DataRow, header included. Throws ProtocolViolation when it is not well-formed. */
  rewrite(bytes: Buffer, start: number, end: number, take: TakeBytes): void {
    if (start + headerBytes + 2 > end) throw new ProtocolViolation('a row without a column count');
    const count = bytes.readUInt16BE(start + headerBytes);
    // A row that is not what was announced: nothing of it can be trusted.
    const masks = this.#masks?.length === count ? this.#masks : undefined;
    const varying = this.#varies && masks !== undefined ? varyingGrowth(masks, bytes, start, end) : 0;
    const slab = this.#room(end - start + this.#growth + varying);
    const from = this.#at;
    let read = start + headerBytes + 2;
    let write = from + headerBytes + 2;
    /** Cells from here to `read` pass as they are, and are copied together. */
    let passing = read;
    for (let column = 0; column < count; column++) {
      if (read + 4 > end) throw new ProtocolViolation('a row that is shorter than its columns');
      const length = bytes.readInt32BE(read);
      const value = read + 4;
      const stop = value + Math.max(length, 0);
      if (stop > end) throw new ProtocolViolation('a row that is shorter than its columns');
      const mask = masks === undefined ? nullMask : masks[column];
      if (mask !== undefined && length >= 0) {
        write = copyBytes(bytes, passing, read, slab, write) + 4;
        const masked = mask.write(bytes, value, stop, slab, write);
        slab.writeInt32BE(masked, write - 4);
        write += Math.max(masked, 0);
        passing = stop;
      }
      read = stop;
    }
    write = copyBytes(bytes, passing, read, slab, write);
    slab[from] = backend.dataRow;
    slab.writeInt32BE(write - from - 1, from + 1);
    slab.writeUInt16BE(count, from + headerBytes);
    this.#at = write;
    take(slab, from, write);
  }

  #room(bytes: number): Buffer {
    if (this.#slab.length - this.#at < bytes) {
      this.#slab = Buffer.allocUnsafe(Math.max(slabBytes, bytes));
      this.#at = 0;
    }
    return this.#slab;
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

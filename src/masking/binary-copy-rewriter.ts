/**
 * COPY TO STDOUT in binary format with masked fields, as a stream: a row may span CopyData messages.
 * State: the bytes of a row that is not complete yet. Must not know lineage, nor why a field is masked.
 *
 * Source: "File Formats" of COPY in the PostgreSQL manual.
 */
import { message } from '../wire/backend.js';
import { backend, headerBytes, ProtocolViolation } from '../wire/messages.js';
import type { Detected } from './detectors/detected.js';
import { type CellMask, nullMask } from './kinds/cell.js';
import { maskedValue } from './kinds/whole-value.js';
import type { WatchedColumns } from './undeclared/watched-rows.js';

const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
/** Flags, and the length of what extends the header. */
const fixedHeader = signature.length + 8;
const trailer = -1;

export class BinaryCopyRewriter {
  readonly #masks: readonly (CellMask | undefined)[];
  readonly #watched: WatchedColumns | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #headed = false;

  constructor(masks: readonly (CellMask | undefined)[], watched?: WatchedColumns) {
    this.#masks = masks;
    this.#watched = watched;
  }

  /**
   * `bytes[start, end)` is one whole CopyData message. Returns the CopyData to send instead; undefined for none yet.
   * Throws ProtocolViolation for what is no binary COPY.
   */
  rewrite(bytes: Buffer, start: number, end: number): Buffer | undefined {
    const data = Buffer.concat([this.#rest, bytes.subarray(start + headerBytes, end)]);
    const out: Buffer[] = [];
    let at = 0;
    for (;;) {
      const next = this.#headed ? this.#row(data, at, out) : this.#header(data, out);
      if (next === undefined) break;
      at = next;
    }
    this.#rest = data.subarray(at);
    return out.length === 0 ? undefined : message(backend.copyData, Buffer.concat(out));
  }

  /** Before CopyDone. What is not a whole row is not sent. */
  finish(): Buffer | undefined {
    return undefined;
  }

  found(): readonly Detected[] {
    return this.#watched?.found() ?? [];
  }

  #header(data: Buffer, out: Buffer[]): number | undefined {
    if (data.length < fixedHeader) return undefined;
    if (!data.subarray(0, signature.length).equals(signature)) throw new ProtocolViolation('a COPY without its header');
    const end = fixedHeader + data.readUInt32BE(fixedHeader - 4);
    if (data.length < end) return undefined;
    this.#headed = true;
    out.push(data.subarray(0, end));
    return end;
  }

  /** Undefined while the row is not complete. */
  #row(data: Buffer, start: number, out: Buffer[]): number | undefined {
    if (start + 2 > data.length) return undefined;
    const count = data.readInt16BE(start);
    const row: Buffer[] = [data.subarray(start, start + 2)];
    const known = count === this.#masks.length;
    const values: (Buffer | undefined)[] = [];
    let at = start + 2;
    for (let field = 0; field < count && count !== trailer; field++) {
      if (at + 4 > data.length) return undefined;
      const length = data.readInt32BE(at);
      const end = at + 4 + Math.max(0, length);
      if (end > data.length) return undefined;
      // a row that is not what was expected: nothing of it can be trusted
      const mask = known ? this.#masks[field] : nullMask;
      values.push(length > 0 ? data.subarray(at + 4, end) : undefined);
      row.push(
        mask === undefined || length < 0
          ? data.subarray(at, end)
          : sized(maskedValue(mask, data.subarray(at + 4, end))),
      );
      at = end;
    }
    out.push(...row);
    if (known) this.#look(values);
    return at;
  }

  /** Of a row that is complete. */
  #look(values: readonly (Buffer | undefined)[]): void {
    const watched = this.#watched;
    if (!watched?.next()) return;
    values.forEach((value, field) => {
      if (value !== undefined && watched.wants(field)) watched.look(field, value);
    });
  }
}

function sized(value: Buffer | undefined): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(value?.length ?? -1);
  return value === undefined ? size : Buffer.concat([size, value]);
}

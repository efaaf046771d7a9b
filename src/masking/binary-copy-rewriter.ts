/**
 * COPY TO STDOUT in binary format with masked fields, as a stream: a row may span CopyData messages.
 * State: the bytes of a row that is not complete yet. Must not know lineage, nor why a field is masked.
 *
 * Source: "File Formats" of COPY in the PostgreSQL manual.
 */
import { message } from '../wire/backend.js';
import { backend, headerBytes, ProtocolViolation } from '../wire/messages.js';
import { viewOf } from './copy-bytes.js';
import type { Detected } from './detectors/detected.js';
import { type CellMask, nullMask } from './kinds/cell.js';
import { maskedValue } from './kinds/whole-value.js';
import { RowRewriter, type TakeBytes } from './row-rewriter.js';
import type { WatchedColumns } from './undeclared/watched-rows.js';

const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
/** Flags, and the length of what extends the header. */
const fixedHeader = signature.length + 8;
const trailer = -1;

export class BinaryCopyRewriter {
  readonly #masks: readonly (CellMask | undefined)[];
  /** A message of one row is a DataRow but for its type. */
  readonly #rows: RowRewriter;
  readonly #watched: WatchedColumns | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #headed = false;

  constructor(masks: readonly (CellMask | undefined)[], watched?: WatchedColumns) {
    this.#masks = masks;
    this.#rows = new RowRewriter(masks);
    this.#watched = watched;
  }

  /**
   * `bytes[start, end)` are whole CopyData messages; `take` gets those to send instead. Throws ProtocolViolation for what
   * is no binary COPY.
   */
  rewrite(bytes: Buffer, start: number, end: number, take: TakeBytes): void {
    const view = viewOf(bytes);
    let run = start;
    for (let at = start; at < end; ) {
      const next = at + 1 + view.getInt32(at + 1);
      if (this.#watched || !this.#headed || this.#rest.length > 0 || !isRow(view, at + headerBytes, next)) {
        if (at > run) this.#rows.rewrite(bytes, run, at, take);
        this.#pieces(bytes.subarray(at + headerBytes, next), take);
        run = next;
      }
      at = next;
    }
    if (end > run) this.#rows.rewrite(bytes, run, end, take);
  }

  #pieces(bytes: Buffer, take: TakeBytes): void {
    const data = Buffer.concat([this.#rest, bytes]);
    const out: Buffer[] = [];
    let at = 0;
    for (;;) {
      const next = this.#headed ? this.#row(data, at, out) : this.#header(data, out);
      if (next === undefined) break;
      at = next;
    }
    this.#rest = data.subarray(at);
    if (out.length === 0) return;
    const sent = message(backend.copyData, Buffer.concat(out));
    take(sent, 0, sent.length);
  }

  /** Before CopyDone. What is not a whole row is not sent. */
  finish(): void {}

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

/** Whether it is one whole row. */
function isRow(view: DataView, start: number, end: number): boolean {
  let at = start + 2;
  if (at > end || view.getInt16(start) <= 0) return false;
  for (let left = view.getInt16(start); left > 0; left--) {
    if (at + 4 > end) return false;
    at += 4 + Math.max(0, view.getInt32(at));
  }
  return at === end;
}

function sized(value: Buffer | undefined): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(value?.length ?? -1);
  return value === undefined ? size : Buffer.concat([size, value]);
}

/**
 * COPY TO STDOUT in text and csv format with masked fields, as a stream: records may span CopyData messages.
 * State: the record that is not complete yet. Must not know lineage, nor why a field is masked.
 *
 * What is masked of a run of records goes through the rewriter of rows, which masks many values at once.
 */

import type { CopyOptions } from '../sql/lineage/statement.js';
import { message } from '../wire/backend.js';
import { backend, headerBytes } from '../wire/messages.js';
import { copyBytes } from './copy-bytes.js';
import { type CopyFormat, copyFormat } from './copy-format.js';
import type { Detected } from './detectors/detected.js';
import type { CellMask } from './kinds/cell.js';
import { RowRewriter, type TakeBytes } from './row-rewriter.js';
import type { WatchedColumns } from './undeclared/watched-rows.js';

/** A type, a length, a count of cells. */
const rowHeader = headerBytes + 2;
const nullCell = -1;

export class CopyRewriter {
  readonly #masks: readonly (CellMask | undefined)[];
  readonly #watched: WatchedColumns | undefined;
  readonly #format: CopyFormat;
  readonly #cells: RowRewriter;
  readonly #masked: number;
  #header: boolean;
  /** Of a record that is not complete yet. */
  #rest: Buffer[] = [];
  #ends: (byte: number) => boolean;
  /** Of the records of a run: how many fields, and the offset behind each. */
  #fields = new Int32Array(64);
  #used = 0;

  constructor(masks: readonly (CellMask | undefined)[], options: CopyOptions, watched?: WatchedColumns) {
    const masking = masks.filter((mask) => mask !== undefined);
    this.#masks = masks;
    this.#masked = masking.length;
    this.#cells = new RowRewriter(masking);
    this.#watched = watched;
    this.#format = copyFormat(options);
    this.#ends = this.#format.ender();
    this.#header = options.header;
  }

  /** `bytes[start, end)` are whole CopyData messages; `take` gets those to send instead, one for each record. */
  rewrite(bytes: Buffer, start: number, end: number, take: TakeBytes): void {
    let run = start;
    for (let at = start; at < end; ) {
      const next = at + 1 + bytes.readInt32BE(at + 1);
      if (this.#rest.length > 0 || this.#header || !this.#isRecord(bytes, at + headerBytes, next)) {
        this.#rewriteRun(bytes, run, at, take);
        this.#pieces(bytes.subarray(at + headerBytes, next), take);
        run = next;
      }
      at = next;
    }
    this.#rewriteRun(bytes, run, end, take);
  }

  /** Before CopyDone: a last record without a newline. */
  finish(take: TakeBytes): void {
    if (this.#rest.length > 0) this.#pieces(newlineBytes, take);
  }

  found(): readonly Detected[] {
    return this.#watched?.found() ?? [];
  }

  /** Whether it is one whole record, whose fields are kept then. */
  #isRecord(bytes: Buffer, start: number, end: number): boolean {
    const before = this.#used;
    this.#push(0);
    const behind = this.#format.record(bytes, start, end, (at) => this.#push(at));
    this.#fields[before] = this.#used - before - 1;
    if (behind !== end) this.#used = before;
    return behind === end;
  }

  #push(value: number): void {
    if (this.#used === this.#fields.length) {
      const larger = new Int32Array(this.#fields.length * 4);
      larger.set(this.#fields);
      this.#fields = larger;
    }
    this.#fields[this.#used++] = value;
  }

  /** What is not a message for each record becomes one. */
  #pieces(bytes: Buffer, take: TakeBytes): void {
    let from = 0;
    for (let at = 0; at < bytes.length; at++) {
      if (!this.#ends(bytes[at] as number)) continue;
      const record = message(backend.copyData, Buffer.concat([...this.#rest, bytes.subarray(from, at + 1)]));
      this.#rest = [];
      this.#ends = this.#format.ender();
      from = at + 1;
      if (this.#header || !this.#isRecord(record, headerBytes, record.length)) take(record, 0, record.length);
      else this.#rewriteRun(record, 0, record.length, take);
      this.#header = false;
    }
    if (from < bytes.length) this.#rest.push(Buffer.from(bytes.subarray(from)));
  }

  /** Of messages of one record each, whose fields are known. */
  #rewriteRun(bytes: Buffer, start: number, end: number, take: TakeBytes): void {
    const used = this.#used;
    this.#used = 0;
    if (start === end) return;
    const rows = Buffer.allocUnsafe(end - start + used * 4);
    let filled = 0;
    let messageAt = start;
    for (let row = 0; row < used; row += 1 + (this.#fields[row] as number)) {
      filled = this.#gather(bytes, messageAt + headerBytes, row, rows, filled);
      messageAt = (this.#fields[row + (this.#fields[row] as number)] as number) + 1;
    }
    const masked: Buffer[] = [];
    this.#cells.rewrite(rows, 0, filled, (from, first, last) => masked.push(from.subarray(first, last)));
    this.#replace(bytes, start, end, used, masked, take);
  }

  /** The masked fields of a record as a row; of one with another number of fields none, for all of them are hidden. */
  #gather(bytes: Buffer, start: number, row: number, rows: Buffer, at: number): number {
    const count = this.#masks.length;
    if (this.#fields[row] !== count) return at;
    const looks = this.#watched?.next() ? this.#watched : undefined;
    let field = start;
    let write = at + rowHeader;
    for (let index = 0; index < count; index++) {
      const end = this.#fields[row + 1 + index] as number;
      const isMasked = this.#masks[index] !== undefined;
      if (isMasked || looks?.wants(index)) {
        const isNull = this.#isNull(bytes, field, end);
        const behind = isNull ? write + 4 : this.#format.read(bytes, field, end, rows, write + 4);
        if (!isNull && looks?.wants(index)) looks.look(index, rows.subarray(write + 4, behind));
        if (isMasked) {
          rows.writeInt32BE(isNull ? nullCell : behind - write - 4, write);
          write = behind;
        }
      }
      field = end + 1;
    }
    rows[at] = backend.dataRow;
    rows.writeInt32BE(write - at - 1, at + 1);
    rows.writeInt16BE(this.#masked, at + headerBytes);
    return write;
  }

  #isNull(bytes: Buffer, start: number, end: number): boolean {
    const text = this.#format.null;
    return end - start === text.length && text.compare(bytes, start, end) === 0;
  }

  /** The records, with what came of their masked fields. */
  #replace(bytes: Buffer, start: number, end: number, used: number, masked: readonly Buffer[], take: TakeBytes): void {
    const rewritten = masked.reduce((sum, { length }) => sum + length, 0);
    const out = Buffer.allocUnsafe(
      end - start + this.#format.longest(rewritten) + used * (2 + this.#format.null.length),
    );
    const [cells = out, ...more] = masked;
    const source = { cells, at: 0, more };
    let write = 0;
    let from = start;
    for (let row = 0; row < used; row += 1 + (this.#fields[row] as number)) {
      const messageAt = write;
      write = this.#record(bytes, from, row, source, out, write);
      from = (this.#fields[row + (this.#fields[row] as number)] as number) + 1;
      out.writeInt32BE(write - messageAt - 1, messageAt + 1);
    }
    take(out, 0, write);
  }

  #record(bytes: Buffer, start: number, row: number, source: MaskedCells, out: Buffer, at: number): number {
    const count = this.#fields[row] as number;
    const whole = count === this.#masks.length;
    let write = at;
    // neighbouring fields that pass, and the delimiters between, are copied together
    let passing = start;
    let field = start + headerBytes;
    if (whole) openRow(source);
    for (let index = 0; index < count; index++) {
      const end = this.#fields[row + 1 + index] as number;
      if (!whole || this.#masks[index] !== undefined) {
        write = copyBytes(bytes, passing, field, out, write);
        write = whole ? this.#cell(source, bytes, field, end, out, write) : this.#nullField(out, write);
        passing = end;
      }
      field = end + 1;
    }
    return copyBytes(bytes, passing, field, out, write);
  }

  #cell(source: MaskedCells, bytes: Buffer, start: number, end: number, out: Buffer, at: number): number {
    const { cells } = source;
    const length = cells.readInt32BE(source.at);
    const value = source.at + 4;
    source.at = value + Math.max(0, length);
    if (length === nullCell) return this.#nullField(out, at);
    if (length === end - start && isSame(cells, value, source.at, bytes, start))
      return copyBytes(bytes, start, end, out, at);
    return this.#format.write(cells, value, source.at, out, at);
  }

  #nullField(out: Buffer, at: number): number {
    return copyBytes(this.#format.null, 0, this.#format.null.length, out, at);
  }
}

/** Rows of masked cells, whole ones in each buffer. */
interface MaskedCells {
  cells: Buffer;
  at: number;
  readonly more: Buffer[];
}

function openRow(source: MaskedCells): void {
  if (source.at === source.cells.length) {
    source.cells = source.more.shift() ?? source.cells;
    source.at = 0;
  }
  source.at += rowHeader;
}

/** In JavaScript: most differ in their first bytes, and a call into native code costs more. */
function isSame(one: Buffer, start: number, end: number, other: Buffer, at: number): boolean {
  for (let n = start; n < end; n++) if (one[n] !== other[at + n - start]) return false;
  return true;
}

const newlineBytes = Buffer.from('\n');

/**
 * COPY TO STDOUT in text and csv format with masked fields, as a stream: records may span CopyData messages.
 * State: the record that is not complete yet. Must not know lineage, nor why a field is masked.
 *
 * Source: "File Formats" of COPY in the PostgreSQL manual, CopyAttributeOutText and CopyAttributeOutCSV (copyto.c).
 */

import type { CopyOptions } from '../sql/lineage/statement.js';
import { message } from '../wire/backend.js';
import { backend, headerBytes } from '../wire/messages.js';
import type { Detected } from './detectors/detected.js';
import { type CellMask, growthFor, nullMask } from './kinds/cell.js';
import type { WatchedColumns } from './undeclared/watched-rows.js';

const newline = 0x0a;
const carriageReturn = 0x0d;
const backslash = 0x5c;

/** One-letter escapes of the text format. */
const letters: ReadonlyMap<number, number> = new Map([
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, newline],
  [0x72, carriageReturn],
  [0x74, 0x09],
  [0x76, 0x0b],
]);
const lettersBack: ReadonlyMap<number, number> = new Map([...letters].map(([letter, byte]) => [byte, letter]));

export class CopyRewriter {
  readonly #masks: readonly (CellMask | undefined)[];
  readonly #watched: WatchedColumns | undefined;
  readonly #csv: boolean;
  readonly #delimiter: number;
  readonly #null: Buffer;
  readonly #quote: number;
  readonly #escape: number;
  #header: boolean;
  #rest: Buffer[] = [];
  #inQuotes = false;
  #escaped = false;

  constructor(masks: readonly (CellMask | undefined)[], options: CopyOptions, watched?: WatchedColumns) {
    this.#masks = masks;
    this.#watched = watched;
    this.#csv = options.format === 'csv';
    this.#delimiter = byteOf(options.delimiter);
    this.#null = Buffer.from(options.null, 'utf8');
    this.#quote = byteOf(options.quote);
    this.#escape = byteOf(options.escape);
    this.#header = options.header;
  }

  /** `bytes[start, end)` is one whole CopyData message. Returns the CopyData to send instead; undefined for none yet. */
  rewrite(bytes: Buffer, start: number, end: number): Buffer | undefined {
    const out: Buffer[] = [];
    let from = start + headerBytes;
    for (let at = from; at < end; at++) {
      if (!this.#endsRecord(bytes[at] as number)) continue;
      out.push(this.#record(bytes.subarray(from, at)), newlineBytes);
      from = at + 1;
    }
    if (from < end) this.#rest.push(Buffer.from(bytes.subarray(from, end)));
    return out.length === 0 ? undefined : message(backend.copyData, Buffer.concat(out));
  }

  /** Before CopyDone: a last record without a newline. */
  finish(): Buffer | undefined {
    if (this.#rest.length === 0) return undefined;
    return message(backend.copyData, this.#record(Buffer.alloc(0)));
  }

  found(): readonly Detected[] {
    return this.#watched?.found() ?? [];
  }

  #endsRecord(byte: number): boolean {
    if (this.#escaped) {
      this.#escaped = false;
      return false;
    }
    if (!this.#csv) {
      if (byte === backslash) this.#escaped = true;
      return byte === newline;
    }
    if (this.#inQuotes && byte === this.#escape && byte !== this.#quote) this.#escaped = true;
    else if (byte === this.#quote) this.#inQuotes = !this.#inQuotes;
    return byte === newline && !this.#inQuotes;
  }

  #record(tail: Buffer): Buffer {
    const line = this.#rest.length === 0 ? tail : Buffer.concat([...this.#rest, tail]);
    this.#rest = [];
    if (this.#header) {
      this.#header = false;
      return line;
    }
    const fields = this.#split(line);
    const whole = fields.length === this.#masks.length;
    const looks = whole && this.#watched?.next() ? this.#watched : undefined;
    const out: Buffer[] = [];
    // Neighbouring fields that pass, and the delimiters between, stay one slice of the line.
    let passed = 0;
    let at = 0;
    fields.forEach((field, index) => {
      const mask = whole ? this.#masks[index] : nullMask;
      const isNull = field.equals(this.#null);
      if (!isNull && looks?.wants(index)) looks.look(index, this.#value(field));
      if (mask !== undefined && !isNull) {
        out.push(line.subarray(passed, at), this.#masked(field, mask));
        passed = at + field.length;
      }
      at += field.length + 1;
    });
    out.push(line.subarray(passed));
    return Buffer.concat(out);
  }

  #split(line: Buffer): Buffer[] {
    const fields: Buffer[] = [];
    let from = 0;
    let quoted = false;
    for (let at = 0; at < line.length; at++) {
      const byte = line[at];
      if (!this.#csv && byte === backslash) at++;
      else if (this.#csv && quoted && byte === this.#escape && byte !== this.#quote) at++;
      else if (this.#csv && byte === this.#quote) quoted = !quoted;
      else if (byte === this.#delimiter && !quoted) {
        fields.push(line.subarray(from, at));
        from = at + 1;
      }
    }
    fields.push(line.subarray(from));
    return fields;
  }

  #masked(field: Buffer, mask: CellMask): Buffer {
    const value = this.#value(field);
    const room = Buffer.allocUnsafe(value.length + growthFor(mask, value, 0, value.length));
    const length = mask.write(value, 0, value.length, room, 0);
    if (length < 0) return this.#null;
    const masked = room.subarray(0, length);
    if (masked.equals(value)) return field;
    return this.#csv ? this.#quoted(masked) : this.#escapedText(masked);
  }

  #value(field: Buffer): Buffer {
    return this.#csv ? this.#unquoted(field) : unescaped(field);
  }

  #unquoted(field: Buffer): Buffer {
    if (field[0] !== this.#quote) return field;
    const out: number[] = [];
    for (let at = 1; at < field.length - 1; at++) {
      const next = field[at + 1];
      const pair = field[at] === this.#escape && at + 1 < field.length - 1;
      if (pair && (next === this.#quote || next === this.#escape)) at++;
      out.push(field[at] as number);
    }
    return Buffer.from(out);
  }

  /** Always quoted, so that it cannot be taken for NULL. */
  #quoted(value: Buffer): Buffer {
    const out = [this.#quote];
    for (const byte of value) {
      if (byte === this.#quote || byte === this.#escape) out.push(this.#escape);
      out.push(byte);
    }
    out.push(this.#quote);
    return Buffer.from(out);
  }

  #escapedText(value: Buffer): Buffer {
    const out: number[] = [];
    for (const byte of value) {
      const letter = lettersBack.get(byte);
      if (letter !== undefined || byte === backslash || byte === this.#delimiter) out.push(backslash);
      out.push(letter ?? byte);
    }
    return Buffer.from(out);
  }
}

const newlineBytes = Buffer.from('\n');

function byteOf(text: string): number {
  return Buffer.from(text, 'utf8')[0] ?? 0;
}

function unescaped(field: Buffer): Buffer {
  if (!field.includes(backslash)) return field;
  const out: number[] = [];
  for (let at = 0; at < field.length; at++) {
    const byte = field[at] as number;
    if (byte !== backslash || at + 1 === field.length) {
      out.push(byte);
      continue;
    }
    at++;
    const next = field[at] as number;
    out.push(letters.get(next) ?? next);
  }
  return Buffer.from(out);
}

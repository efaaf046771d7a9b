/**
 * How COPY TO STDOUT writes a record in text and csv format: where its fields end, and what a field stands for.
 *
 * Source: "File Formats" of COPY in the PostgreSQL manual, CopyAttributeOutText and CopyAttributeOutCSV (copyto.c).
 */
import type { CopyOptions } from '../sql/lineage/statement.js';
import { copyBytes } from './copy-bytes.js';

const newline = 0x0a;
const backslash = 0x5c;

/** One-letter escapes of the text format. */
const letters: ReadonlyMap<number, number> = new Map([
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, newline],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x76, 0x0b],
]);
const lettersBack: ReadonlyMap<number, number> = new Map([...letters].map(([letter, byte]) => [byte, letter]));

/** Called with the offset behind each field of a record. */
export type TakeEnd = (end: number) => void;

export interface CopyFormat {
  /** What stands for NULL. */
  readonly null: Buffer;
  /**
   * The offset behind the record that begins at `start`, its newline included; -1 where it does not end in `bytes[start, end)`.
   */
  record(bytes: Buffer, start: number, end: number, take: TakeEnd): number;
  /** A reader of one byte after the other of a record that comes in pieces: true at the newline that ends it. */
  ender(): (byte: number) => boolean;
  /** Writes what the field `from[start, end)` stands for, which is never longer; returns the offset behind it. */
  read(from: Buffer, start: number, end: number, to: Buffer, at: number): number;
  /** Writes the value `from[start, end)` as a field; returns the offset behind it. */
  write(from: Buffer, start: number, end: number, to: Buffer, at: number): number;
  /** The most bytes of the field that stands for a value of so many. */
  longest(bytes: number): number;
}

/** @param options of a COPY in text or csv format */
export function copyFormat(options: CopyOptions): CopyFormat {
  const nullText = Buffer.from(options.null, 'utf8');
  const delimiter = byteOf(options.delimiter);
  if (options.format === 'csv') return csvFormat(nullText, delimiter, byteOf(options.quote), byteOf(options.escape));
  return textFormat(nullText, delimiter);
}

function textFormat(nullText: Buffer, delimiter: number): CopyFormat {
  return {
    null: nullText,
    record(bytes, start, end, take) {
      for (let at = start; at < end; at++) {
        const byte = bytes[at];
        if (byte === backslash) at++;
        else if (byte === delimiter) take(at);
        else if (byte === newline) {
          take(at);
          return at + 1;
        }
      }
      return -1;
    },
    ender() {
      let escaped = false;
      return (byte) => {
        const ends = byte === newline && !escaped;
        escaped = byte === backslash && !escaped;
        return ends;
      };
    },
    read(from, start, end, to, at) {
      let write = at;
      for (let read = start; read < end; read++) {
        let byte = from[read] as number;
        if (byte === backslash && read + 1 < end) {
          byte = from[++read] as number;
          byte = letters.get(byte) ?? byte;
        }
        to[write++] = byte;
      }
      return write;
    },
    write(from, start, end, to, at) {
      let write = at;
      for (let read = start; read < end; read++) {
        const byte = from[read] as number;
        const letter = byte < 0x20 ? lettersBack.get(byte) : undefined;
        if (letter !== undefined || byte === backslash || byte === delimiter) to[write++] = backslash;
        to[write++] = letter ?? byte;
      }
      return write;
    },
    longest: (bytes) => 2 * bytes,
  };
}

function csvFormat(nullText: Buffer, delimiter: number, quote: number, escaping: number): CopyFormat {
  return {
    null: nullText,
    record(bytes, start, end, take) {
      let quoted = false;
      for (let at = start; at < end; at++) {
        const byte = bytes[at];
        if (quoted && byte === escaping && byte !== quote) at++;
        else if (byte === quote) quoted = !quoted;
        else if (quoted) continue;
        else if (byte === delimiter) take(at);
        else if (byte === newline) {
          take(at);
          return at + 1;
        }
      }
      return -1;
    },
    ender() {
      let quoted = false;
      let escaped = false;
      return (byte) => {
        if (escaped) escaped = false;
        else if (quoted && byte === escaping && byte !== quote) escaped = true;
        else if (byte === quote) quoted = !quoted;
        else return byte === newline && !quoted;
        return false;
      };
    },
    read(from, start, end, to, at) {
      if (start === end || from[start] !== quote) return copyBytes(from, start, end, to, at);
      let write = at;
      for (let read = start + 1; read < end - 1; read++) {
        const next = from[read + 1];
        if (from[read] === escaping && read + 1 < end - 1 && (next === quote || next === escaping)) read++;
        to[write++] = from[read] as number;
      }
      return write;
    },
    /** Always quoted, so that it cannot be taken for NULL. */
    write(from, start, end, to, at) {
      let write = at;
      to[write++] = quote;
      for (let read = start; read < end; read++) {
        const byte = from[read] as number;
        if (byte === quote || byte === escaping) to[write++] = escaping;
        to[write++] = byte;
      }
      to[write++] = quote;
      return write;
    },
    longest: (bytes) => 2 * bytes + 2,
  };
}

function byteOf(text: string): number {
  return Buffer.from(text, 'utf8')[0] ?? 0;
}

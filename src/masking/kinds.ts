/**
 * What each kind of mask does to one value. The result is a value that a client can read as one of the column's type;
 * where there is none, NULL.
 *
 * Type OIDs are those of pg_type.dat; binary formats those of the types' send functions.
 */

import { isUtf8 } from 'node:buffer';
import type { DatePrecision, Mask } from '../policy/read-mask.js';
import { sha256Bytes } from '../sha256.js';
import { copyBytes, fillBytes } from './copy-bytes.js';

/** Writes the masked form of `from[start, end)` to `to` at `at`; returns its length, or -1 for NULL. */
export type WriteMasked = (from: Buffer, start: number, end: number, to: Buffer, at: number) => number;

export interface CellMask {
  readonly write: WriteMasked;
  /** The most bytes by which a value can get longer. */
  readonly growth: number;
  /** The same for one value, where no number holds for all; `growth` does not count then. */
  readonly growthOf?: (from: Buffer, start: number, end: number) => number;
}

export const nullMask: CellMask = { write: () => -1, growth: 0 };

export function growthFor(mask: CellMask, from: Buffer, start: number, end: number): number {
  return mask.growthOf?.(from, start, end) ?? mask.growth;
}

export interface CellType {
  /** pg_type.oid; undefined when nobody said. */
  readonly oid: number | undefined;
  /** Known to be a string type, though its OID is not one of PostgreSQL's own (citext, domains). */
  readonly textual: boolean;
}

export type Format = 'text' | 'binary';

const textTypes: ReadonlySet<number> = new Set([25, 1043, 1042, 19, 705]);
const int2 = 21;
const int4 = 23;
const int8 = 20;
const uuid = 2950;
const date = 1082;
const timestamp = 1114;
const timestamptz = 1184;
const numberTypes: ReadonlySet<number> = new Set([int2, int4, int8, 1700, 700, 701]);

/** @param key secret of the hash; the same key gives the same hash */
export function cellMask(mask: Mask, type: CellType, format: Format, key: Buffer): CellMask {
  const textual = type.textual || (type.oid !== undefined && textTypes.has(type.oid));
  switch (mask.kind) {
    case 'null':
      return nullMask;
    case 'fixed': {
      const number = type.oid !== undefined && numberTypes.has(type.oid) && /^-?\d{1,4}$/.test(mask.value);
      return textual || (number && format === 'text') ? fixed(mask.value) : nullMask;
    }
    case 'partial':
      return textual ? partial(mask.keep) : nullMask;
    case 'hash':
      return textual ? hashText(key) : hashOf(type.oid, format, key);
    case 'date':
      return truncated(mask.keep, type.oid, format);
  }
}

function fixed(value: string): CellMask {
  const bytes = Buffer.from(value, 'utf8');
  return { write: (_from, _start, _end, to, at) => bytes.copy(to, at), growth: bytes.length };
}

const star = 0x2a;

/** The last `keep` characters of a longer value; of a shorter one, none. */
function partial(keep: number): CellMask {
  return {
    growth: 0,
    write(from, start, end, to, at) {
      // Characters begin at every byte that does not continue one (UTF-8).
      let characters = 0;
      let ascii = true;
      for (let i = start; i < end; i++) {
        const byte = from[i] as number;
        if (byte >= 0x80) ascii = false;
        if ((byte & 0xc0) !== 0x80) characters++;
      }
      // In another encoding nobody knows where a character ends.
      if (!ascii && !isUtf8(from.subarray(start, end))) return -1;
      const kept = characters > keep ? keep : 0;
      let tail = end;
      for (let left = kept; left > 0; left--) {
        do tail--;
        while (((from[tail] as number) & 0xc0) === 0x80);
      }
      const stars = characters - kept;
      fillBytes(to, star, at, at + stars);
      copyBytes(from, tail, end, to, at + stars);
      return stars + end - tail;
    },
  };
}

const hashLength = 32;

function hashText(key: Buffer): CellMask {
  const hmac = hmacWith(key);
  return {
    growth: hashLength,
    write: (from, start, end, to, at) => to.write(hmac(from.subarray(start, end)).toString('hex', 0, 16), at, 'latin1'),
  };
}

/** HMAC-SHA-256 (RFC 2104) out of one-shot hashes: createHmac() costs several times as much for a short value. */
function hmacWith(key: Buffer): (value: Uint8Array) => Buffer {
  const inner = padded(key, 0x36);
  const outer = padded(key, 0x5c);
  return (value) => {
    const inside = sha256Bytes(Buffer.concat([inner, value]));
    return sha256Bytes(Buffer.concat([outer, inside]));
  };
}

/** @param key at most 64 bytes, the block of SHA-256 */
function padded(key: Buffer, byte: number): Buffer {
  const block = Buffer.alloc(64, byte);
  for (let at = 0; at < key.length; at++) block[at] = (key[at] as number) ^ byte;
  return block;
}

/** Whole numbers stay positive numbers of their size and UUIDs stay UUIDs, the same in both formats. */
function hashOf(oid: number | undefined, format: Format, key: Buffer): CellMask {
  const hmac = hmacWith(key);
  const size = oid === int2 ? 2 : oid === int4 ? 4 : oid === int8 ? 8 : undefined;
  if (size !== undefined) {
    return {
      growth: 20,
      write(from, start, end, to, at) {
        if (format === 'binary' && end - start !== size) return -1;
        const value = format === 'text' ? from.toString('latin1', start, end) : String(signed(from, start, size));
        const hashed = hmac(Buffer.from(value, 'latin1')).readBigUInt64BE() & ((1n << BigInt(size * 8 - 1)) - 1n);
        if (format === 'text') return to.write(hashed.toString(), at, 'latin1');
        to.writeUIntBE(Number(hashed >> BigInt(Math.max(0, size - 4) * 8)), at, Math.min(size, 4));
        if (size === 8) to.writeUInt32BE(Number(hashed & 0xffffffffn), at + 4);
        return size;
      },
    };
  }
  if (oid !== uuid) return nullMask;
  return {
    growth: 36,
    write(from, start, end, to, at) {
      const hex =
        format === 'text' ? from.toString('latin1', start, end).replaceAll('-', '') : from.toString('hex', start, end);
      const hashed = hmac(Buffer.from(hex.toLowerCase(), 'latin1')).subarray(0, 16);
      if (format === 'binary') return hashed.copy(to, at);
      const text = hashed.toString('hex');
      const parts = [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)];
      return to.write(parts.join('-'), at, 'latin1');
    },
  };
}

function signed(from: Buffer, start: number, size: number): bigint | number {
  return size === 8 ? from.readBigInt64BE(start) : from.readIntBE(start, size);
}

/** ISO DateStyle only; other styles put the parts in an order that depends on the session. */
const isoDate = /^(\d{4,6})-(\d\d)-(\d\d)(?: \d\d:\d\d:\d\d(?:\.\d+)?([+-]\d\d(?::\d\d){0,2})?)?$/;
/** PostgreSQL counts from 2000-01-01. */
const epoch = Date.UTC(2000, 0, 1);
const dayMs = 86_400_000;

/** BigInt division rounds towards zero, which would move the last instant before 2000 into it. */
const floorDivide = (a: bigint, b: bigint): bigint => (a - (((a % b) + b) % b)) / b;

function truncated(keep: DatePrecision, oid: number | undefined, format: Format): CellMask {
  if (oid !== date && oid !== timestamp && oid !== timestamptz) return nullMask;
  if (format === 'text') {
    return {
      growth: 32,
      write(from, start, end, to, at) {
        const match = isoDate.exec(from.toString('latin1', start, end));
        if (match === null) return -1;
        const [, year, month, day, zone = ''] = match;
        const first = `${year}-${keep === 'year' ? '01' : month}-${keep === 'day' ? day : '01'}`;
        return to.write(oid === date ? first : `${first} 00:00:00${zone}`, at, 'latin1');
      },
    };
  }
  const size = oid === date ? 4 : 8;
  return {
    growth: 0,
    write(from, start, end, to, at) {
      if (end - start !== size) return -1;
      const ms = size === 4 ? from.readInt32BE(start) * dayMs : Number(floorDivide(from.readBigInt64BE(start), 1000n));
      const day = new Date(epoch + ms);
      // infinity, and years that this calendar does not reach
      if (Number.isNaN(day.getTime()) || day.getUTCFullYear() < 1) return -1;
      const cut = new Date(day);
      cut.setUTCHours(0, 0, 0, 0);
      if (keep !== 'day') cut.setUTCDate(1);
      if (keep === 'year') cut.setUTCMonth(0);
      const since = cut.getTime() - epoch;
      if (size === 4) to.writeInt32BE(Math.round(since / dayMs), at);
      else to.writeBigInt64BE(BigInt(since) * 1000n, at);
      return size;
    },
  };
}

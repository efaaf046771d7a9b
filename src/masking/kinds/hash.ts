/**
 * Keyed, join-preserving: equal values stay equal, and nobody without the key can try values. Whole numbers stay positive
 * numbers of their size, UUIDs stay UUIDs; the same in text and binary.
 */
import { parseDecimal } from '../../policy/decimal.js';
import { copyWords } from '../copy-bytes.js';
import type { CmacBatch } from '../keyed/cmac.js';
import { type CellMask, type Format, nullMask } from './cell.js';
import { type Hashed, type KeyedForm, keyedMask, writeHex } from './keyed-mask.js';
import { codecs, type ValueType } from './value-types.js';

/** Bytes that are shown of a hash: against collisions, half of them. */
const hashBytes = 16;

export function hashMask(type: ValueType, format: Format, key: Buffer): CellMask {
  const form = forms[type]?.(format);
  return form === undefined ? nullMask : keyedMask(key, 'hash', form);
}

/** Types that are not here have no form that a hash would fit. */
const forms: { readonly [T in ValueType]?: (format: Format) => KeyedForm } = {
  text: () => ({
    growth: 2 * hashBytes,
    add(batch, from, start, end) {
      batch.add(from, start, end);
      return 0;
    },
    write: (hashed, _from, _start, _end, _to, at) => writeHex(hashed, hashBytes, at) - at,
  }),
  int2: (format) => number('int2', 15, format),
  int4: (format) => number('int4', 31, format),
  int8: (format) => number('int8', 63, format),
  // whole numbers that a double holds exactly
  numeric: (format) => number('numeric', 53, format),
  float8: (format) => number('float8', 53, format),
  float4: (format) => number('float4', 24, format),
  uuid: (format) => bytes(format, uuidBytes, writeUuid),
  bytea: (format) => bytes(format, byteaBytes, writeBytea),
};

/** `1.50` and `1.5` are equal to PostgreSQL, and equal in text and in binary. */
function number(type: ValueType, bits: number, format: Format): KeyedForm {
  const { binary } = codecs[type];
  const coded = format === 'binary' && binary !== 'as-text' ? binary : undefined;
  return {
    growth: 40,
    add(batch, from, start, end) {
      if (coded === undefined && isPlainInteger(from, start, end)) {
        batch.add(from, start, end);
        return 0;
      }
      const text = coded ? coded.read(from.subarray(start, end)) : from.toString('latin1', start, end);
      const value = text === undefined ? undefined : canonical(text);
      return value === undefined ? -1 : addBytes(batch, Buffer.from(value, 'latin1'));
    },
    write(hashed, _from, _start, _end, to, at) {
      const text = leastBits(hashed, bits);
      if (coded === undefined) return to.write(text, at, 'latin1');
      return coded.write(text)?.copy(to, at) ?? -1;
    },
  };
}

function addBytes(batch: CmacBatch, value: Uint8Array): number {
  batch.add(value, 0, value.length);
  return 0;
}

/** That `canonical` would leave as it is: no zeros in front, no sign of a zero. */
function isPlainInteger(from: Buffer, start: number, end: number): boolean {
  const first = from[start] === minus ? start + 1 : start;
  if (first >= end || end - start > 100 || (from[first] === zero && end - start > 1)) return false;
  for (let at = first; at < end; at++) if ((from[at] as number) < zero || (from[at] as number) > zero + 9) return false;
  return true;
}

const minus = 0x2d;
const zero = 0x30;

function canonical(text: string): string | undefined {
  const decimal = parseDecimal(text);
  if (decimal === undefined) return undefined;
  let { digits, scale } = decimal;
  for (; scale > 0 && digits % 10n === 0n; scale--) digits /= 10n;
  return scale === 0 ? String(digits) : `${digits}e-${scale}`;
}

/** Of the first eight bytes of a tag, in decimal. The same on every platform: values are compared between runs. */
function leastBits({ tags, tag }: Hashed, bits: number): string {
  const high = tags.getUint32(tag);
  const low = tags.getUint32(tag + 4);
  if (bits < 32) return String(low % 2 ** bits);
  if (bits <= 53) return String((high % 2 ** (bits - 32)) * 2 ** 32 + low);
  return String((BigInt(high % 2 ** (bits - 32)) << 32n) | BigInt(low));
}

/**
 * What is bytes in binary format, and hexadecimal in text.
 *
 * @param parse undefined for a text that has not the type's form
 */
function bytes(
  format: Format,
  parse: (text: string) => Buffer | undefined,
  write: (hashed: Hashed, to: Buffer, at: number) => number,
): KeyedForm {
  const isBinary = format === 'binary';
  return {
    growth: 40,
    add(batch, from, start, end) {
      const value = isBinary ? from.subarray(start, end) : parse(from.toString('latin1', start, end));
      return value === undefined ? -1 : addBytes(batch, value);
    },
    write(hashed, _from, _start, _end, to, at) {
      if (!isBinary) return write(hashed, to, at) - at;
      return copyWords(hashed.tags, hashed.tag, hashed.tag + hashBytes, hashed.out, at) - at;
    },
  };
}

function uuidBytes(text: string): Buffer | undefined {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
    ? Buffer.from(text.replaceAll('-', ''), 'hex')
    : undefined;
}

/** Sizes of a UUID's groups, bytes. */
const uuidGroups = [4, 2, 2, 2, 6];

function writeUuid(hashed: Hashed, to: Buffer, at: number): number {
  let [read, write] = [0, at];
  for (const size of uuidGroups) {
    if (read > 0) to[write++] = minus;
    write = writeHex(hashed, size, write, read);
    read += size;
  }
  return write;
}

/** bytea_output = hex. */
function byteaBytes(text: string): Buffer | undefined {
  const value = text.startsWith('\\x') ? Buffer.from(text.slice(2), 'hex') : undefined;
  return value?.length === (text.length - 2) / 2 ? value : undefined;
}

function writeBytea(hashed: Hashed, to: Buffer, at: number): number {
  return writeHex(hashed, hashBytes, at + to.write('\\x', at, 'latin1'));
}

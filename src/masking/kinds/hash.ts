/**
 * Keyed, join-preserving: equal values stay equal, and nobody without the key can try values. Whole numbers stay positive
 * numbers of their size, UUIDs stay UUIDs; the same in text and binary.
 */
import { parseDecimal } from '../../policy/decimal.js';
import { type CellMask, type Format, hmacWith, type MaskText, nullMask, textMask } from './cell.js';
import type { ValueType } from './value-types.js';

const hashLength = 32;

export function hashMask(type: ValueType, format: Format, key: Buffer): CellMask {
  const hmac = hmacWith(key);
  if (type === 'text') {
    return {
      growth: hashLength,
      write: (from, start, end, to, at) =>
        to.write(hmac(from.subarray(start, end)).toString('hex', 0, 16), at, 'latin1'),
    };
  }
  const form = forms[type];
  return form === undefined
    ? nullMask
    : textMask(
        type,
        format,
        hashLength + 8,
        form((text) => hmac(Buffer.from(text))),
      );
}

type Form = (hmac: (text: string) => Buffer) => MaskText;

const number =
  (bits: number): Form =>
  (hmac) =>
  (text) => {
    const value = canonical(text);
    if (value === undefined) return undefined;
    return String(hmac(value).readBigUInt64BE() & ((1n << BigInt(bits)) - 1n));
  };

/** Types that are not here have no form that a hash would fit. */
const forms: { readonly [T in ValueType]?: Form } = {
  int2: number(15),
  int4: number(31),
  int8: number(63),
  // whole numbers that a double holds exactly
  numeric: number(53),
  float8: number(53),
  float4: number(24),
  uuid: (hmac) => (text) => {
    const hex = hmac(text.replaceAll('-', '').toLowerCase()).toString('hex', 0, 16);
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  },
  bytea: (hmac) => (text) => (text.startsWith('\\x') ? `\\x${hmac(text).toString('hex', 0, 16)}` : undefined),
};

/** `1.50` and `1.5` are equal to PostgreSQL. */
function canonical(text: string): string | undefined {
  const decimal = parseDecimal(text);
  if (decimal === undefined) return undefined;
  let { digits, scale } = decimal;
  for (; scale > 0 && digits % 10n === 0n; scale--) digits /= 10n;
  return scale === 0 ? String(digits) : `${digits}e-${scale}`;
}

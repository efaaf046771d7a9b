/** One masked value as bytes: what every kind of mask comes down to. Must not know kinds, columns, messages. */
import { isUtf8 } from 'node:buffer';
import { sha256Bytes } from '../../sha256.js';
import { codecs, type ValueType } from './value-types.js';

/**
 * Writes the masked form of `from[start, end)` to `to` at `at`; returns its length, or -1 for NULL. Where no value gets longer
 * (`growth` 0), `to` may be `from`, and `at` not behind `start`: what is still to be read must not be written over.
 */
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

export type Format = 'text' | 'binary';

/** Undefined: NULL. */
export type MaskText = (text: string) => string | undefined;

/**
 * A mask that is said in terms of text, for both formats of a type. What cannot be read or written as one of the type
 * is NULL.
 *
 * @param growth the most bytes by which a text of `length` bytes can get longer
 */
export function textMask(
  type: ValueType,
  format: Format,
  growth: number | ((length: number) => number),
  mask: MaskText,
): CellMask {
  const { binary } = codecs[type];
  const coded = format === 'binary' && binary !== 'as-text' ? binary : undefined;
  // no binary form of a number, date or UUID is longer than its text and this
  const more = coded === undefined ? 0 : 32;
  const room = (length: number): number => (typeof growth === 'number' ? growth : growth(length)) + more;
  const masked = (bytes: Buffer): Buffer | undefined => {
    // in another encoding nobody knows where a character ends
    const text = coded === undefined ? (isUtf8(bytes) ? bytes.toString('utf8') : undefined) : coded.read(bytes);
    const result = text === undefined ? undefined : mask(text);
    if (result === undefined) return undefined;
    return coded === undefined ? Buffer.from(result, 'utf8') : coded.write(result);
  };
  return {
    growth: typeof growth === 'number' ? room(0) : 0,
    ...(typeof growth === 'number' ? {} : { growthOf: (_from, start, end) => room(end - start) }),
    write(from, start, end, to, at) {
      const bytes = masked(from.subarray(start, end));
      return bytes === undefined || bytes.length > end - start + room(end - start) ? -1 : bytes.copy(to, at);
    },
  };
}

/** HMAC-SHA-256 (RFC 2104) out of one-shot hashes: createHmac() costs several times as much for a short value. */
export function hmacWith(key: Buffer): (value: Uint8Array) => Buffer {
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

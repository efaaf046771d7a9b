/** One masked value as bytes: what every kind of mask comes down to. Must not know kinds, columns, messages. */
import { isUtf8 } from 'node:buffer';
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
  /** Of masks that are cheaper for many values at once; without it `write` is as right, and slower. */
  readonly ahead?: SeeAhead;
}

/**
 * Told of values before any of them is written, in the order in which they will be: the one at `n` is
 * `from[spans[2n], spans[2n + 1])`. What is left of earlier ones is forgotten.
 */
export type SeeAhead = (from: Buffer, spans: Int32Array, count: number) => void;

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

/** A mask that is a new value altogether: rows, arrays and JSON are put together anew. Must not know what of. */
import { type CellMask, growthFor } from './cell.js';

/** Undefined: NULL, also for what does not have the form that was expected. */
export type Rewrite = (value: Buffer) => Buffer | undefined;

export function wholeMask(rewrite: Rewrite): CellMask {
  // asked for its growth first, then written: the same value is not put together twice
  let last: { readonly from: Buffer; readonly start: number; readonly made: Buffer | undefined } | undefined;
  const made = (from: Buffer, start: number, end: number): Buffer | undefined => {
    const known = last?.from === from && last.start === start ? last : undefined;
    last = undefined;
    return known ? known.made : rewrite(from.subarray(start, end));
  };
  return {
    growth: 0,
    growthOf(from, start, end) {
      last = { from, start, made: rewrite(from.subarray(start, end)) };
      return Math.max(0, (last.made?.length ?? 0) - (end - start));
    },
    write: (from, start, end, to, at) => made(from, start, end)?.copy(to, at) ?? -1,
  };
}

/** The masked form of one value; undefined for NULL. */
export function maskedValue(mask: CellMask, value: Buffer): Buffer | undefined {
  const room = Buffer.allocUnsafe(value.length + growthFor(mask, value, 0, value.length));
  const length = mask.write(value, 0, value.length, room, 0);
  return length < 0 ? undefined : room.subarray(0, length);
}

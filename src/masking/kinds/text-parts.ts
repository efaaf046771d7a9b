/** Masks that leave characters of a text where they are: partial, pattern. On bytes, since they are the common ones. */
import { isUtf8 } from 'node:buffer';
import { copyBytes, fillBytes, isFilled } from '../copy-bytes.js';
import type { CellMask, MaskText } from './cell.js';

const star = 0x2a;

/** The first and last characters of a longer value; of one that is not longer than both together, none. */
export function partial(first: number, last: number): CellMask {
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
      const kept = characters > first + last;
      let head = start;
      for (let left = kept ? first : 0; left > 0; left--) {
        do head++;
        while (((from[head] as number) & 0xc0) === 0x80);
      }
      let tail = end;
      for (let left = kept ? last : 0; left > 0; left--) {
        do tail--;
        while (((from[tail] as number) & 0xc0) === 0x80);
      }
      const stars = characters - (kept ? first + last : 0);
      // a value that is stars where it would be hidden would be shown as it is
      if (end > start && isFilled(from, star, head, tail)) return -1;
      const middle = copyBytes(from, start, head, to, at);
      fillBytes(to, star, middle, middle + stars);
      copyBytes(from, tail, end, to, middle + stars);
      return head - start + stars + end - tail;
    },
  };
}

/** A value that does not fit the pattern is hidden as a whole. */
export function byPattern(pattern: string): MaskText {
  const wanted = [...pattern];
  return (text) => {
    const characters = [...text];
    const fits =
      characters.length === wanted.length &&
      wanted.every((one, at) => one === '#' || one === '*' || one === characters[at]);
    const masked = characters.map((one, at) => (fits && wanted[at] !== '*' ? one : '*')).join('');
    return masked === text && text !== '' ? undefined : masked;
  };
}

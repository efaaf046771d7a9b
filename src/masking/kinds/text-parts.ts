/** Masks that leave characters of a text where they are: partial, pattern. On bytes, since they are the common ones. */
import { isUtf8 } from 'node:buffer';
import { copyBytes, fillBytes, isAsciiIn, isFilled, LastView } from '../copy-bytes.js';
import type { CellMask } from './cell.js';

const star = 0x2a;
const shownPlace = 0x23;

/** The first and last characters of a longer value; of one that is not longer than both together, none. */
export function partial(first: number, last: number): CellMask {
  const [source, target] = [new LastView(), new LastView()];
  return {
    growth: 0,
    write(from, start, end, to, at) {
      let characters = end - start;
      if (!isAsciiIn(source.of(from), start, end)) {
        // In another encoding nobody knows where a character ends.
        if (!isUtf8(from.subarray(start, end))) return -1;
        characters = charactersIn(from, start, end);
      }
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
      fillBytes(target.of(to), star, middle, middle + stars);
      copyBytes(from, tail, end, to, middle + stars);
      return head - start + stars + end - tail;
    },
  };
}

/** A value that does not fit the pattern is hidden as a whole. @param pattern ASCII */
export function byPattern(pattern: string): CellMask {
  const wanted = Buffer.from(pattern, 'latin1');
  const source = new LastView();
  return {
    growth: 0,
    write(from, start, end, to, at) {
      const length = end - start;
      const ascii = isAsciiIn(source.of(from), start, end);
      if (!ascii) return hideCharacters(from, start, end, to, at, pattern);
      const fits = length === wanted.length && matches(wanted, from, start);
      // a value that is stars where it would be hidden would be shown as it is
      let changes = length === 0;
      for (let n = 0; n < length; n++) {
        const byte = from[start + n] as number;
        const shown = fits && wanted[n] !== star;
        if (!shown && byte !== star) changes = true;
        to[at + n] = shown ? byte : star;
      }
      return changes ? length : -1;
    },
  };
}

/** Of UTF-8: one begins at every byte that does not continue one. */
function charactersIn(from: Buffer, start: number, end: number): number {
  let characters = 0;
  for (let at = start; at < end; at++) if (((from[at] as number) & 0xc0) !== 0x80) characters++;
  return characters;
}

function matches(wanted: Buffer, from: Buffer, start: number): boolean {
  for (let n = 0; n < wanted.length; n++) {
    const one = wanted[n];
    if (one !== shownPlace && one !== star && one !== from[start + n]) return false;
  }
  return true;
}

/** The same for characters of several bytes. */
function hideCharacters(from: Buffer, start: number, end: number, to: Buffer, at: number, pattern: string): number {
  const bytes = from.subarray(start, end);
  // In another encoding nobody knows where a character ends.
  if (!isUtf8(bytes)) return -1;
  const characters = [...bytes.toString('utf8')];
  const wanted = [...pattern];
  const fits =
    characters.length === wanted.length &&
    wanted.every((one, n) => one === '#' || one === '*' || one === characters[n]);
  const masked = characters.map((one, n) => (fits && wanted[n] !== '*' ? one : '*')).join('');
  const result = Buffer.from(masked, 'utf8');
  return result.equals(bytes) ? -1 : copyBytes(result, 0, result.length, to, at) - at;
}

/** Texts of which only what detectors know is hidden, character by character. Most are told by one pass over their bytes. */
import { isUtf8 } from 'node:buffer';
import type { Detectable } from '../../policy/mask-kinds.js';
import { copyBytes, fillBytes, LastView } from '../copy-bytes.js';
import { hideDetected } from '../detectors/detectors.js';
import { addressAround, lookAt, newLook, possible } from '../detectors/quick-look.js';
import type { CellMask } from './cell.js';

const star = 0x2a;

export function detectedMask(what: readonly Detectable[]): CellMask {
  const look = newLook();
  const target = new LastView();
  const others = what.filter((one) => one !== 'email').map((one) => possible[one]);
  const hidesEmail = what.includes('email');
  return {
    growth: 0,
    write(from, start, end, to, at) {
      lookAt(from, start, end, look);
      if (!look.isAscii || look.at === -2 || others.some((is) => is(look))) {
        const here = what.filter((one) => possible[one](look));
        return byPatterns(here, from, start, end, to, at);
      }
      const address = hidesEmail && look.at >= 0 ? addressAround(from, start, end, look.at) : undefined;
      copyBytes(from, start, end, to, at);
      if (address) fillBytes(target.of(to), star, at + address[0] - start, at + address[1] - start);
      return end - start;
    },
  };
}

function byPatterns(
  what: readonly Detectable[],
  from: Buffer,
  start: number,
  end: number,
  to: Buffer,
  at: number,
): number {
  const bytes = from.subarray(start, end);
  // in another encoding nobody knows where a character ends
  if (!isUtf8(bytes)) return -1;
  if (what.length === 0) return copyBytes(from, start, end, to, at) - at;
  const hidden = Buffer.from(hideDetected(what)(bytes.toString('utf8')), 'utf8');
  return copyBytes(hidden, 0, hidden.length, to, at) - at;
}

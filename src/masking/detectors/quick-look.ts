/**
 * What a text cannot hold, told by one pass over its bytes: most texts hold nothing that a detector knows, and need none of
 * its patterns. Every pattern of `detectors.ts` needs what is asked for here; too much is looked for, never too little. Pure.
 */
import type { Detectable } from '../../policy/mask-kinds.js';

const [digit, separator, upper, mark, atSign] = [1, 2, 3, 4, 5];
const classes = new Uint8Array(256);
const put = (characters: string, as: number): void => {
  for (const byte of Buffer.from(characters, 'latin1')) classes[byte] = as;
};
put('0123456789', digit);
put(' .()/+', separator);
put('ABCDEFGHIJKLMNOPQRSTUVWXYZ', upper);
// of keys and tokens, and URLs; the dash stands between digits too
put('-_:', mark);
put('@', atSign);
const dash = 0x2d;
/** Of a JWT's `eyJ`. */
const jay = 0x4a;

export interface QuickLook {
  isAscii: boolean;
  /** Where the only @ stands; -1 for none, -2 for several. */
  at: number;
  /** Most digits of a number, whatever is written between them. */
  digits: number;
  /** Most capital letters in a row. */
  capitals: number;
  /** Two of them and a digit. */
  isCoded: boolean;
  hasMark: boolean;
}

/** Fills `look`. */
export function lookAt(bytes: Uint8Array, start: number, end: number, look: QuickLook): void {
  let seen = 0;
  let at = -1;
  let digits = 0;
  let mostDigits = 0;
  let capitals = 0;
  let mostCapitals = 0;
  let isCoded = false;
  let hasMark = false;
  for (let read = start; read < end; read++) {
    const byte = bytes[read] as number;
    const what = classes[byte] as number;
    seen |= byte;
    if (what === 0 && byte < 0x80) {
      digits = 0;
      capitals = 0;
      continue;
    }
    if (what === digit) {
      if (capitals >= 2) isCoded = true;
      if (++digits > mostDigits) mostDigits = digits;
      capitals = 0;
    } else if (what === upper) {
      if (byte === jay) hasMark = true;
      if (++capitals > mostCapitals) mostCapitals = capitals;
      digits = 0;
    } else if (byte >= 0x80) {
      // what nobody sees parts nothing
    } else {
      if (what === mark) hasMark = true;
      if (what === atSign) at = at === -1 ? read : -2;
      if (what === atSign || (what === mark && byte !== dash)) digits = 0;
      capitals = 0;
    }
  }
  look.isAscii = seen < 0x80;
  look.at = at;
  look.digits = mostDigits;
  look.capitals = mostCapitals;
  look.isCoded = isCoded;
  look.hasMark = hasMark;
}

export const newLook = (): QuickLook => ({
  isAscii: true,
  at: -1,
  digits: 0,
  capitals: 0,
  isCoded: false,
  hasMark: false,
});

export const possible: { readonly [D in Detectable]: (look: QuickLook) => boolean } = {
  email: ({ at }) => at !== -1,
  card: ({ digits }) => digits >= 12,
  iban: ({ isCoded }) => isCoded,
  // six of the United Kingdom's, seven of Spain's, eight behind the department of France's; Italy's begins with six letters
  'national-id': ({ digits, capitals }) => digits >= 6 || capitals >= 6,
  phone: ({ digits }) => digits >= 9,
  secret: ({ hasMark, capitals }) => hasMark || capitals >= 2,
};

const [dot, percent, quote] = [0x2e, 0x25, 0x27];
const letter = (byte: number): boolean => (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a);
const inDomain = (byte: number): boolean => letter(byte) || classes[byte] === digit || byte === dot || byte === dash;
const inLocal = (byte: number): boolean =>
  inDomain(byte) || byte === 0x5f || byte === percent || byte === 0x2b || byte === quote;

/** Where the address around the @ at `at` begins and ends, as `detectors.ts` finds one in a text of ASCII. */
export function addressAround(
  bytes: Uint8Array,
  start: number,
  end: number,
  at: number,
): readonly [number, number] | undefined {
  let begin = at;
  while (begin > start && at - begin < 64 && inLocal(bytes[begin - 1] as number)) begin--;
  let stop = at + 1;
  while (stop < end && stop - at <= 253 && inDomain(bytes[stop] as number)) stop++;
  while (stop > at + 1 && (bytes[stop - 1] === dot || bytes[stop - 1] === dash)) stop--;
  if (begin === at || bytes[at + 1] === dot) return undefined;
  let label = stop;
  while (label > at + 1 && letter(bytes[label - 1] as number)) label--;
  if (stop - label < 2 || stop - label > 24 || label <= at + 2 || bytes[label - 1] !== dot) return undefined;
  for (let read = at + 1; read < label; read++) if (bytes[read] === dot && bytes[read + 1] === dot) return undefined;
  return [begin, stop];
}

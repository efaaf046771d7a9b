/**
 * What a text cannot hold, told by one pass over its bytes: most texts hold nothing that a detector knows, and need none of
 * its patterns. Every pattern of `detectors.ts` needs what is asked for here; too much is looked for, never too little. Pure.
 */
import type { Detectable } from '../../policy/mask-kinds.js';

const [digit, separator, upper, mark, atSign, longer] = [1, 2, 3, 4, 5, 6];
const classes = new Uint8Array(256).fill(longer, 0x80);
const put = (characters: string, as: number): void => {
  for (const byte of Buffer.from(characters, 'latin1')) classes[byte] = as;
};
put('0123456789', digit);
put(' .()/+', separator);
put('ABCDEFGHIJKLMNOPQRSTUVWXYZ', upper);
// of keys and tokens, and URLs; the dash stands between digits too
put('-_:', mark);
put('@', atSign);
const [dash, dot, plus, parenthesis] = [0x2d, 0x2e, 0x2b, 0x28];
/** Of a JWT's `eyJ`. */
const jay = 0x4a;
/** Before a letter: what national ids have. */
const fewestDigits = 6;

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
  /** A capital letter behind some digits of a number. */
  isLettered: boolean;
  /** Dots and dashes behind a digit. */
  joints: number;
  /** A plus, or an opening parenthesis. */
  isPrefixed: boolean;
  hasMark: boolean;
}

/** Fills `look`. */
export function lookAt(bytes: Uint8Array, start: number, end: number, look: QuickLook): void {
  let isAscii = true;
  let at = -1;
  let digits = 0;
  let mostDigits = 0;
  let capitals = 0;
  let mostCapitals = 0;
  let joints = 0;
  let isCoded = false;
  let isLettered = false;
  let isPrefixed = false;
  let hasMark = false;
  /** Whether a digit stands before, as far as anybody sees. */
  let behindDigit = false;
  for (let read = start; read < end; read++) {
    const byte = bytes[read] as number;
    const what = classes[byte] as number;
    if (what === 0) {
      digits = 0;
      capitals = 0;
      behindDigit = false;
    } else if (what === digit) {
      if (capitals >= 2) isCoded = true;
      if (++digits > mostDigits) mostDigits = digits;
      capitals = 0;
      behindDigit = true;
    } else if (what === upper) {
      if (byte === jay) hasMark = true;
      if (digits >= fewestDigits) isLettered = true;
      if (++capitals > mostCapitals) mostCapitals = capitals;
      digits = 0;
      behindDigit = false;
    } else if (what === longer) {
      // what nobody sees parts nothing
      isAscii = false;
    } else {
      if (behindDigit && (byte === dot || byte === dash)) joints++;
      if (byte === plus || byte === parenthesis) isPrefixed = true;
      if (what === mark) hasMark = true;
      if (what === atSign) at = at === -1 ? read : -2;
      if (what === atSign || (what === mark && byte !== dash)) digits = 0;
      capitals = 0;
      behindDigit = false;
    }
  }
  look.isAscii = isAscii;
  look.at = at;
  look.digits = mostDigits;
  look.capitals = mostCapitals;
  look.isCoded = isCoded;
  look.isLettered = isLettered;
  look.joints = joints;
  look.isPrefixed = isPrefixed;
  look.hasMark = hasMark;
}

export const newLook = (): QuickLook => ({
  isAscii: true,
  at: -1,
  digits: 0,
  capitals: 0,
  isCoded: false,
  isLettered: false,
  joints: 0,
  isPrefixed: false,
  hasMark: false,
});

export const possible: { readonly [D in Detectable]: (look: QuickLook) => boolean } = {
  email: ({ at }) => at !== -1,
  card: ({ digits }) => digits >= 12,
  iban: ({ isCoded }) => isCoded,
  // of the United States; of Poland, and France without letters; Italy's begins with six letters; the others have a letter
  // behind digits
  'national-id': ({ digits, joints, capitals, isLettered }) =>
    (digits >= 9 && joints >= 2) || digits >= 11 || capitals >= 6 || isLettered,
  phone: ({ digits, joints, isPrefixed }) => digits >= 9 && (isPrefixed || joints >= 2),
  secret: ({ hasMark, capitals }) => hasMark || capitals >= 2,
};

const domainBytes = new Uint8Array(256);
const localBytes = new Uint8Array(256);
for (const byte of Buffer.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-', 'latin1')) {
  domainBytes[byte] = 1;
  localBytes[byte] = 1;
}
for (const byte of Buffer.from("_%+'", 'latin1')) localBytes[byte] = 1;
const letter = (byte: number): boolean => (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a);

/** Where the address around the @ at `at` begins and ends, as `detectors.ts` finds one in a text of ASCII. */
export function addressAround(
  bytes: Uint8Array,
  start: number,
  end: number,
  at: number,
): readonly [number, number] | undefined {
  let begin = at;
  while (begin > start && at - begin < 64 && localBytes[bytes[begin - 1] as number] === 1) begin--;
  let stop = at + 1;
  while (stop < end && stop - at <= 253 && domainBytes[bytes[stop] as number] === 1) stop++;
  while (stop > at + 1 && (bytes[stop - 1] === dot || bytes[stop - 1] === dash)) stop--;
  if (begin === at || bytes[at + 1] === dot) return undefined;
  let label = stop;
  while (label > at + 1 && letter(bytes[label - 1] as number)) label--;
  if (stop - label < 2 || stop - label > 24 || label <= at + 2 || bytes[label - 1] !== dot) return undefined;
  for (let read = at + 1; read < label; read++) if (bytes[read] === dot && bytes[read + 1] === dot) return undefined;
  return [begin, stop];
}

/**
 * Columns that a character takes on a terminal: 0, 1 or 2, as the Unicode East Asian Width annex (UAX #11) and today's
 * terminals have it.
 */

/** Wide and fullwidth blocks; emoji come by their property. */
const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
];
const emoji = /^\p{Emoji_Presentation}$/u;
const noWidth = /^[\p{Mn}\p{Me}\p{Cf}\u{1160}-\u{11ff}]$/u;

export function characterWidth(codePoint: number): 0 | 1 | 2 {
  // most of what a terminal shows
  if (codePoint < 0x300) return codePoint < 0x20 || (codePoint >= 0x7f && codePoint < 0xa0) ? 0 : 1;
  const character = String.fromCodePoint(codePoint);
  if (noWidth.test(character)) return 0;
  if (wide.some(([from, to]) => codePoint >= from && codePoint <= to)) return 2;
  return emoji.test(character) ? 2 : 1;
}

export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character.codePointAt(0) ?? 0);
  return width;
}

/** Exactly this wide: filled with blanks, or with its middle left out, since names are long and numbers stand last. */
export function fitted(text: string, width: number): string {
  if (width <= 0) return '';
  const missing = width - textWidth(text);
  if (missing >= 0) return text + ' '.repeat(missing);
  const characters = [...text];
  const head = taken(characters, Math.ceil((width - 1) / 2));
  const tail = taken(characters.toReversed(), width - 1 - textWidth(head.join(''))).toReversed();
  return fitted(`${head.join('')}…${tail.join('')}`, width);
}

/** As many of the first characters as fit. */
function taken(characters: readonly string[], width: number): string[] {
  let used = 0;
  const end = characters.findIndex((character) => {
    used += characterWidth(character.codePointAt(0) ?? 0);
    return used > width;
  });
  return end === -1 ? [...characters] : characters.slice(0, end);
}

/** Exactly this wide; what does not fit at its end is left out. */
export function filled(text: string, width: number): string {
  let [out, used] = ['', 0];
  for (const character of text) {
    const wide = textWidth(character);
    if (used + wide > width)
      return out.slice(0, -1) + '…'.repeat(width > 0 && out !== '' ? 1 : 0) + ' '.repeat(Math.max(0, width - used));
    out += character;
    used += wide;
  }
  return out + ' '.repeat(width - used);
}

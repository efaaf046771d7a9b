/** Character widths for the emulator: its own table is from 2010 and takes every emoji for one column wide. */
import type { IUnicodeVersionProvider } from '@xterm/headless';
import { characterWidth } from './character-width.js';

export const unicodeVersion = 'dbguard';

export function unicodeWidths(): IUnicodeVersionProvider {
  /** Width + 1 of the characters met so far; 0 for those not met. */
  const known = new Uint8Array(0x110000);
  const wcwidth = (codePoint: number): 0 | 1 | 2 => {
    const cached = known[codePoint] ?? 0;
    if (cached !== 0) return (cached - 1) as 0 | 1 | 2;
    const width = characterWidth(codePoint);
    known[codePoint] = width + 1;
    return width;
  };
  return {
    version: unicodeVersion,
    wcwidth,
    // packed as the emulator does it: state, width in bits 1 and 2, "joins the character before" in bit 0
    charProperties: (codePoint, preceding) => {
      const width = wcwidth(codePoint);
      const before = (preceding >> 1) & 3;
      const joins = width === 0 && preceding !== 0 && before !== 0;
      return ((joins ? before : width) << 1) | (joins ? 1 : 0);
    },
  };
}

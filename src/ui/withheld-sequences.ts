/**
 * What a program may not tell the terminal: changes of how text looks that nobody can take back, so that a prompt might
 * not be readable. Questions about the same things pass.
 *
 *   OSC 50           xterm: another font, be it one without shapes
 *   OSC 21           kitty: colours by name
 *   OSC 1337 Set...  iTerm2: colours, profile, a picture behind the text
 *   OSC P            Linux console: the palette
 *   DCS              screen, tmux: the same, and the colours that TerminalColours knows, for the terminal around it
 *
 * What it must not know: prompts, and where the stream comes from. Sources: "XTerm Control Sequences"; kitty's "Color
 * control"; iTerm2's "Proprietary Escape Codes"; console_codes(4); screen(1), "Virtual terminal".
 */

/** Controls that a terminal carries out, or leaves out, in the middle of a sequence. */
const gap = '[\\x00-\\x06\\x08-\\x17\\x19\\x1c-\\x1f]*';
/** `50` as a terminal reads it: with zeros in front, and gaps. */
const command = (...characters: readonly string[]): string => `(?:0${gap})*${[...characters, ';'].join(gap)}`;
const word = (text: string): string => [...text].join(gap);
const any = (...all: readonly string[]): string => `(?:${all.join('|')})`;

const osc = `\\x1b${gap}\\]${gap}`;
const text = '[^\\x07\\x1b\\x18\\x1a]*';
const ends = '(?:\\x07|\\x1b\\\\|\\x18|\\x1a|(?=\\x1b)|$)';
const isQuestion = '(?:\\w+=)?\\?(?:;\\w+=\\?)*(?:\\x07|\\x1b)';
const ofText = any(command('5', '0'), command('2', '1'));
const settings =
  command('1', '3', '3', '7') + word('Set') + any(...['Colors', 'Profile', 'BackgroundImageFile'].map(word));
const colours = any(...[command('[45]'), command('1', '[0-9]'), command('1', '0', '[45]'), command('1', '1', '[0-9]')]);

const esc = 0x1b;

const withheld = new RegExp(
  [
    `${osc}${any(`${ofText}(?!${isQuestion})`, settings)}${text}${ends}`,
    `${osc}P[0-9a-f]{7}`,
    `\\x1b${gap}P(?:tmux;)?\\x1b+${gap}\\]${gap}${any(ofText, settings, colours)}${text}${ends}`,
  ].join('|'),
  'gi',
);

/** The bytes themselves where nothing is withheld. @param bytes whole sequences, as long as they are not endless */
export function withoutWithheld(bytes: Buffer): Buffer {
  if (!bytes.includes(esc)) return bytes;
  const all = bytes.toString('latin1');
  const rest = all.replace(withheld, '');
  return rest.length === all.length ? bytes : Buffer.from(rest, 'latin1');
}

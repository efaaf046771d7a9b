/**
 * Recorded output of a terminal, made safe to give to another one: what draws stays; what asks the terminal something, writes
 * a clipboard, a title or a file, changes what keys send, or leaves anything behind, does not. What is not known is left out.
 * Source: "XTerm Control Sequences"; ECMA-48.
 */

const esc = 0x1b;
/** A sequence that is longer than this is none. */
const longest = 256;
/** Cursor, erasing, inserting, deleting, scrolling, tabs, margins, rendition; none of them with a prefix or intermediates. */
const finals = new Set('@ABCDEFGHIJKLMPSTXZ`abdefgmrsu');
/** DEC private modes: origin, wrapping, cursor, alternate screens, saved cursor, margins, drawing at once. */
const privateModes = new Set(['6', '7', '25', '47', '69', '1047', '1048', '1049', '2026']);
/** C0 controls that move the cursor or choose a character set. */
const controls = new Set([0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f]);

type State = 'ground' | 'escape' | 'charset' | 'sequence' | 'text' | 'text-escape';

export class ContainedOutput {
  #state: State = 'ground';
  #pending = '';

  /** Pieces may be cut anywhere. */
  push(text: string): string {
    let out = '';
    for (const character of text) out += this.#take(character, character.codePointAt(0) ?? 0);
    return out;
  }

  #take(character: string, code: number): string {
    // CAN and SUB end whatever has begun, ESC begins anew
    if (code === 0x18 || code === 0x1a) return this.#to('ground');
    if (code === esc)
      return this.#to(this.#state === 'text' || this.#state === 'text-escape' ? 'text-escape' : 'escape');
    switch (this.#state) {
      case 'ground':
        return code < 0x20 ? (controls.has(code) ? character : '') : code >= 0x7f && code < 0xa0 ? '' : character;
      case 'escape':
        return this.#escape(character);
      case 'charset':
        this.#to('ground');
        return 'AB0'.includes(character) ? `\x1b${this.#pending}${character}` : '';
      case 'sequence':
        return this.#sequence(character, code);
      case 'text':
        return code === 0x07 ? this.#to('ground') : '';
      case 'text-escape':
        return character === '\\' ? this.#to('ground') : this.#escape(character);
    }
  }

  #to(state: State): '' {
    this.#state = state;
    return '';
  }

  #escape(character: string): string {
    this.#pending = '';
    if (character === '[') return this.#to('sequence');
    if (']PX^_'.includes(character)) return this.#to('text');
    if ('()*+'.includes(character)) {
      this.#pending = character;
      return this.#to('charset');
    }
    this.#to('ground');
    if (character === 'c') return '\x1b[m\x1b[r\x1b[?6l\x1b[?7h\x1b[?25h\x1b(B\x0f\x1b[2J\x1b[H';
    return '78DEMH'.includes(character) ? `\x1b${character}` : '';
  }

  #sequence(character: string, code: number): string {
    if (code < 0x20) return controls.has(code) ? character : '';
    if (code < 0x40 && this.#pending.length < longest) {
      this.#pending += character;
      return '';
    }
    this.#to('ground');
    return code < 0x40 || code > 0x7e ? '' : contained(this.#pending, character);
  }
}

function contained(given: string, final: string): string {
  if (/^[\d;:]*$/.test(given)) {
    if (finals.has(final)) return `\x1b[${given}${final}`;
    // insert mode is the one that draws
    return (final === 'h' || final === 'l') && given === '4' ? `\x1b[4${final}` : '';
  }
  if (!given.startsWith('?') || (final !== 'h' && final !== 'l')) return '';
  const modes = given
    .slice(1)
    .split(';')
    .filter((mode) => privateModes.has(mode));
  return modes.length === 0 ? '' : `\x1b[?${modes.join(';')}${final}`;
}

/**
 * Reads `["salt","name",value]` a piece at a time, where the value is a text or a list of texts and nulls: all that is
 * ever disclosed. Tells its name and whether it is that, and holds none of it.
 *
 * What lives here: where in the JSON (RFC 8259) the reader is. What it must not know: digests, bytes.
 */

/** What may come next, outside of strings: each mark that may stand there, and what may come behind it. */
type Place = 'start' | 'salt' | 'comma1' | 'name' | 'comma2' | 'value' | 'first' | 'item' | 'next' | 'close' | 'end';

const places: Readonly<Record<Place, Readonly<Record<string, Place>>>> = {
  start: { '[': 'salt' },
  salt: { '"': 'comma1' },
  comma1: { ',': 'name' },
  name: { '"': 'comma2' },
  comma2: { ',': 'value' },
  value: { '"': 'close', '[': 'first' },
  first: { '"': 'next', n: 'next', ']': 'close' },
  item: { '"': 'next', n: 'next' },
  next: { ',': 'item', ']': 'close' },
  close: { ']': 'end' },
  end: {},
};

const blank = /[\t\n\r ]*/y;
/** What ends a run of plain characters in a string. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON does not allow them
const special = /["\\\u0000-\u001f]/g;
const NULL = 'null';
/** Characters of a name, escaped. */
const MAX_NAME = 600;

export class DisclosureScanner {
  #place: Place = 'start';
  #wrong = false;
  #inString = false;
  /** The escape so far, from its backslash on. */
  #escape = '';
  /** Of `null`, the characters that were read. */
  #null = 0;
  #name: string | undefined;

  add(text: string): void {
    let at = 0;
    while (at < text.length && !this.#wrong) {
      if (this.#escape !== '') at = this.#inEscape(text, at);
      else if (this.#inString) at = this.#string(text, at);
      else if (this.#null > 0) at = this.#inNull(text, at);
      else at = this.#mark(text, at);
    }
  }

  /** `name` is empty, and `problem` said, where the text was none. */
  end(): { readonly name: string; readonly problem?: string } {
    if (this.#wrong || this.#place !== 'end')
      return { name: '', problem: 'a disclosure is not a list of salt, name and value' };
    return { name: JSON.parse(`"${this.#name ?? ''}"`) };
  }

  #mark(text: string, from: number): number {
    blank.lastIndex = from;
    blank.test(text);
    const at = blank.lastIndex;
    const mark = text[at];
    if (mark === undefined) return at;
    const next = Object.hasOwn(places[this.#place], mark) ? places[this.#place][mark] : undefined;
    if (next === undefined) {
      this.#wrong = true;
      return at;
    }
    if (mark === '"') {
      this.#inString = true;
      if (this.#place === 'name') this.#name = '';
    }
    if (mark === 'n') this.#null = 1;
    this.#place = next;
    return at + 1;
  }

  #string(text: string, from: number): number {
    special.lastIndex = from;
    const found = special.exec(text);
    const end = found?.index ?? text.length;
    this.#keep(text, from, end);
    if (found === null) return end;
    const [mark] = found;
    if (mark === '"') {
      this.#inString = false;
      return end + 1;
    }
    if (mark !== '\\') this.#wrong = true;
    else if (simpleEscapes.includes(text[end + 1] ?? '?')) {
      this.#keep(text, end, end + 2);
      return end + 2;
    } else this.#escape = mark;
    return end + 1;
  }

  #inEscape(text: string, at: number): number {
    this.#escape += text[at];
    if (!begunEscape.test(this.#escape)) this.#wrong = true;
    if (wholeEscape.test(this.#escape)) {
      this.#keep(this.#escape, 0, this.#escape.length);
      this.#escape = '';
    }
    return at + 1;
  }

  #inNull(text: string, at: number): number {
    if (text[at] !== NULL[this.#null]) this.#wrong = true;
    this.#null = (this.#null + 1) % NULL.length;
    return at + 1;
  }

  /** While the name is read, `place` is behind it already. */
  #keep(text: string, from: number, end: number): void {
    if (this.#place !== 'comma2' || this.#name === undefined) return;
    this.#name += text.slice(from, end);
    if (this.#name.length > MAX_NAME) this.#wrong = true;
  }
}

const simpleEscapes = '"\\/bfnrt';
const begunEscape = /^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{0,4})$/;
const wholeEscape = /^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})$/;

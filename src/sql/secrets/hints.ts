/**
 * Whether a text holds one of many hints, in one pass over it: a megabyte takes 2 ms, and the same hints as alternatives
 * of one expression, which are tried one after the other at each character, 14 ms in which every other connection waits.
 *
 * Each three characters in a row are looked up in a table of how hints begin; only where some may begin are they tried.
 * What is found is what the expressions find: a property test holds the two against each other.
 */

/** Characters of a hint's beginning that the table knows. */
const known = 3;
/** Bits of a character's class. */
const bits = 6;
const mask = 2 ** (known * bits) - 1;

/** Letters without their case and the signs that hints begin with each have a class; what is in none of them has 0. */
const classes = new Uint8Array(128);
for (const [place, character] of [...'abcdefghijklmnopqrstuvwxyz0123456789 _$&+-./:?\\'].entries()) {
  classes[character.charCodeAt(0)] = place + 1;
  classes[character.toUpperCase().charCodeAt(0)] = place + 1;
}

/** Of an expression: the characters that each text it matches begins with, whose last may be counted behind them. */
const beginning = /^(?:\\b)?((?:[\w &/:-]|\\[^\w])+)([?*+{]?)/;

export class Hints {
  /** One bit for each sequence of classes: some hint may begin with it. */
  readonly #begins = new Uint32Array((mask + 1) / 32);
  /** The hints that may begin with a sequence. */
  readonly #beginning = new Map<number, RegExp[]>();

  /** @param caseless expressions that each begin with characters of ASCII, perhaps behind `\b` */
  constructor(caseless: readonly string[], exact: readonly string[]) {
    for (const hint of caseless) this.#add(hint, 'iy');
    for (const hint of exact) this.#add(hint, 'y');
  }

  areIn(text: string): boolean {
    const begins = this.#begins;
    let last = 0;
    // behind the end, too: a hint may be shorter than what is looked up
    for (let at = 0; at < text.length + known - 1; at++) {
      const here = at < text.length ? (classes[text.charCodeAt(at) & 127] ?? 0) : 0;
      last = ((last << bits) | here) & mask;
      if (((begins[last >>> 5] ?? 0) >>> (last & 31)) & 1 && this.#isAt(text, at - known + 1, last)) return true;
    }
    return false;
  }

  #isAt(text: string, at: number, sequence: number): boolean {
    for (const hint of this.#beginning.get(sequence) ?? []) {
      hint.lastIndex = Math.max(0, at);
      if (hint.test(text)) return true;
    }
    return false;
  }

  #add(hint: string, flags: string): void {
    const pattern = new RegExp(hint, flags);
    for (const sequence of sequencesFrom(beginningOf(hint))) {
      this.#begins[sequence >>> 5] = (this.#begins[sequence >>> 5] ?? 0) | (1 << (sequence & 31));
      this.#beginning.set(sequence, [...(this.#beginning.get(sequence) ?? []), pattern]);
    }
  }
}

/** Of as many classes as the table knows: where the hint has fewer, any may follow. */
function sequencesFrom(start: readonly number[]): number[] {
  let sequences = [0];
  for (let place = 0; place < known; place++) {
    const here = start[place];
    const next = here === undefined ? Array.from({ length: 2 ** bits }, (_, any) => any) : [here];
    sequences = sequences.flatMap((before) => next.map((one) => (before << bits) | one));
  }
  return sequences;
}

/** Its classes, as many of them as the table knows. */
function beginningOf(hint: string): number[] {
  const [, start = '', count = ''] = beginning.exec(hint) ?? [];
  const characters = start.replaceAll(/\\([\s\S])/g, '$1');
  const certain = count === '' || count === '+' ? characters : characters.slice(0, -1);
  const found = [...certain.slice(0, known)].map((character) => classes[character.charCodeAt(0)] ?? 0);
  if (found.length === 0 || found.includes(0)) throw new TypeError(`A hint begins with what has a class: ${hint}`);
  return found;
}

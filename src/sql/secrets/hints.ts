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
  readonly #caseless: readonly string[];
  readonly #exact: readonly string[];
  #table: Table | undefined;

  /** @param caseless expressions that each begin with characters of ASCII, perhaps behind `\b`; TypeError for any other */
  constructor(caseless: readonly string[], exact: readonly string[]) {
    this.#caseless = caseless;
    this.#exact = exact;
    for (const hint of [...caseless, ...exact]) beginningOf(hint);
  }

  areIn(text: string): boolean {
    this.#table ??= tableOf(this.#caseless, this.#exact);
    const { begins, beginning } = this.#table;
    let last = 0;
    // behind the end, too: a hint may be shorter than what is looked up
    for (let at = 0; at < text.length + known - 1; at++) {
      const here = at < text.length ? (classes[text.charCodeAt(at) & 127] ?? 0) : 0;
      last = ((last << bits) | here) & mask;
      if (((begins[last >>> 5] ?? 0) >>> (last & 31)) & 1 && isAt(text, at - known + 1, beginning.get(last)))
        return true;
    }
    return false;
  }
}

interface Table {
  /** One bit for each sequence of classes: some hint may begin with it. */
  readonly begins: Uint32Array;
  /** The hints that may begin with a sequence. */
  readonly beginning: ReadonlyMap<number, readonly RegExp[]>;
}

/** Made for the first text: a command that sends no statement does not wait for it. */
function tableOf(caseless: readonly string[], exact: readonly string[]): Table {
  const begins = new Uint32Array((mask + 1) / 32);
  const beginning = new Map<number, RegExp[]>();
  const patterns = [...caseless.map((hint) => [hint, 'iy'] as const), ...exact.map((hint) => [hint, 'y'] as const)];
  for (const [hint, flags] of patterns) {
    const pattern = new RegExp(hint, flags);
    for (const sequence of sequencesFrom(beginningOf(hint))) {
      begins[sequence >>> 5] = (begins[sequence >>> 5] ?? 0) | (1 << (sequence & 31));
      const others = beginning.get(sequence);
      if (others === undefined) beginning.set(sequence, [pattern]);
      else others.push(pattern);
    }
  }
  return { begins, beginning };
}

function isAt(text: string, at: number, hints: readonly RegExp[] = []): boolean {
  for (const hint of hints) {
    hint.lastIndex = Math.max(0, at);
    if (hint.test(text)) return true;
  }
  return false;
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

/** What a mask of JSON means, on strings: character by character. What runs is held to it. */

import { JsonPlaces } from '../../src/masking/kinds/json-places.js';
import type { JsonPath, JsonStep } from '../../src/policy/json-path.js';
import type { Step } from '../../src/sql/lineage/places.js';

/** PostgreSQL's own parser allows more; a deeper value is NULL as a whole. */
const maxDepth = 500;

/** @param from the steps that lead to the text in the whole value; a text without quotes may stand there too */
export function slowJson(
  paths: readonly JsonPath[],
  listed: 'hidden' | 'shown',
  from: readonly Step[] = [],
): (text: string) => string | undefined {
  const steps = paths.map((path) => path.steps);
  return (text) => {
    try {
      return new Rewriter(text, steps, listed).run(from);
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  };
}

class Rewriter {
  readonly #text: string;
  readonly #paths: readonly (readonly JsonStep[])[];
  readonly #listed: 'hidden' | 'shown';
  readonly #out: string[] = [];
  #at = 0;
  /** What stands from here to `#at` passes. */
  #passing = 0;
  #depth = 0;

  constructor(text: string, paths: readonly (readonly JsonStep[])[], listed: 'hidden' | 'shown') {
    this.#text = text;
    this.#paths = paths;
    this.#listed = listed;
  }

  /** Undefined: nothing of it is left. */
  run(from: readonly Step[]): string | undefined {
    const places = from.reduce((at, step) => (at.isListed ? at : at.along(step)), new JsonPlaces(this.#paths));
    if (from.length > 0) {
      const hidden = this.#listed === 'hidden';
      if (places.isListed) return hidden ? undefined : this.#text;
      if (!/^\s*[{[]/.test(this.#text) || !places.leadsOn) return hidden ? this.#text : undefined;
    }
    this.#blanks();
    this.#value(places);
    this.#blanks();
    if (this.#at < this.#text.length) throw new SyntaxError('more than one value');
    this.#out.push(this.#text.slice(this.#passing));
    return this.#out.join('');
  }

  #value(places: JsonPlaces): void {
    if (places.isListed) {
      if (this.#listed === 'hidden') this.#hide();
      else this.#skip();
      return;
    }
    const first = this.#text[this.#at];
    const isContainer = first === '{' || first === '[';
    if (isContainer && places.leadsOn) this.#container(first === '{', (key) => this.#value(places.next(key)));
    else if (this.#listed === 'shown') this.#hide();
    else this.#skip();
  }

  #hide(): void {
    this.#out.push(this.#text.slice(this.#passing, this.#at), 'null');
    this.#skip();
    this.#passing = this.#at;
  }

  #skip(): void {
    const first = this.#text[this.#at];
    if (first === '{' || first === '[') this.#container(first === '{', () => this.#skip());
    else if (first === '"') this.#string();
    else {
      const start = this.#at;
      while (this.#at < this.#text.length && /[A-Za-z0-9+.-]/.test(this.#text[this.#at] as string)) this.#at++;
      if (this.#at === start) throw new SyntaxError('a value is missing');
    }
  }

  /** @param member called at each value; `key` is undefined in an array */
  #container(isObject: boolean, member: (key: string | undefined) => void): void {
    if (++this.#depth > maxDepth) throw new SyntaxError('too deep');
    const end = isObject ? '}' : ']';
    this.#at++;
    this.#blanks();
    for (let first = true; this.#text[this.#at] !== end; first = false) {
      if (!first) this.#expect(',');
      this.#blanks();
      const key = isObject ? this.#string() : undefined;
      if (isObject) {
        this.#blanks();
        this.#expect(':');
        this.#blanks();
      }
      member(key);
      this.#blanks();
    }
    this.#at++;
    this.#depth--;
  }

  #string(): string {
    const start = this.#at;
    if (this.#text[this.#at++] !== '"') throw new SyntaxError('a text is missing');
    for (; this.#text[this.#at] !== '"'; this.#at++) {
      if (this.#at >= this.#text.length) throw new SyntaxError('a text without end');
      if (this.#text[this.#at] === '\\') this.#at++;
    }
    this.#at++;
    const literal = this.#text.slice(start, this.#at);
    if ([...literal].some((one) => one < ' ')) throw new SyntaxError('a control character in a text');
    return literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
  }

  #expect(character: string): void {
    if (this.#text[this.#at++] !== character) throw new SyntaxError(`"${character}" is missing`);
  }

  #blanks(): void {
    while (/[ \t\n\r]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }
}

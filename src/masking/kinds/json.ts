/**
 * JSON with some of its values as null. What passes keeps every byte: numbers of any size, order, blanks, repeated keys.
 * One pass, no tree.
 */
import { isUtf8 } from 'node:buffer';
import type { JsonPath, JsonStep } from '../../policy/json-path.js';
import type { Step } from '../../sql/lineage/places.js';
import type { CellMask, MaskText } from './cell.js';
import { JsonPlaces } from './json-places.js';
import { wholeMask } from './whole-value.js';

/** PostgreSQL's own parser allows more; a deeper value is NULL as a whole. */
const maxDepth = 500;

/** @param from the steps that lead to the text in the whole value; a text without quotes may stand there too */
export function jsonMask(paths: readonly JsonPath[], listed: 'hidden' | 'shown', from: readonly Step[] = []): MaskText {
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

/** The byte in front of jsonb's text in its binary form (jsonb_send). */
const jsonbVersion = Buffer.from([1]);

/** A mask of JSON, or of the text of one of its strings, in whatever format it comes: the bytes tell. */
export function jsonWithin(mask: MaskText): CellMask {
  return wholeMask((bytes) => {
    const binary = bytes[0] === jsonbVersion[0];
    const text = binary ? bytes.subarray(1) : bytes;
    const masked = isUtf8(text) ? mask(text.toString('utf8')) : undefined;
    return masked === undefined
      ? undefined
      : Buffer.concat([...(binary ? [jsonbVersion] : []), Buffer.from(masked, 'utf8')]);
  });
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
      while (this.#at < this.#text.length && !/[\s,\]}]/.test(this.#text[this.#at] as string)) this.#at++;
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
    return literal.includes('\\') ? (JSON.parse(literal) as string) : literal.slice(1, -1);
  }

  #expect(character: string): void {
    if (this.#text[this.#at++] !== character) throw new SyntaxError(`"${character}" is missing`);
  }

  #blanks(): void {
    while (/[ \t\n\r]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }
}

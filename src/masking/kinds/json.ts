/**
 * JSON with some of its values as null. What passes keeps every byte: numbers of any size, order, blanks, repeated keys.
 * One pass, no tree.
 */
import { isUtf8 } from 'node:buffer';
import type { JsonPath, JsonStep } from '../../policy/json-path.js';
import type { CellMask, MaskText } from './cell.js';
import { wholeMask } from './whole-value.js';

/** PostgreSQL's own parser allows more; a deeper value is NULL as a whole. */
const maxDepth = 500;

/** @param from the keys that lead to the text in the whole value; a text without quotes may stand there too */
export function jsonMask(
  paths: readonly JsonPath[],
  listed: 'hidden' | 'shown',
  from: readonly string[] = [],
): MaskText {
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

/** For each path the places in it that have been reached. */
type Reached = readonly ReadonlySet<number>[];

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
  run(from: readonly string[]): string | undefined {
    let reached: Reached = this.#paths.map((_path, at) => this.#closure(at, [0]));
    for (const key of from) {
      if (this.#isListed(reached)) break;
      // a number may be a place in an array, through which every path leads, or a field of that name
      const passed: Reached = /^\d+$/.test(key) ? reached : [];
      reached = this.#next(reached, key).map((states, at) => new Set([...states, ...(passed[at] ?? [])]));
    }
    if (from.length > 0) {
      const hidden = this.#listed === 'hidden';
      if (this.#isListed(reached)) return hidden ? undefined : this.#text;
      if (!/^\s*[{[]/.test(this.#text) || reached.every((states) => states.size === 0))
        return hidden ? this.#text : undefined;
    }
    this.#blanks();
    this.#value(reached);
    this.#blanks();
    if (this.#at < this.#text.length) throw new SyntaxError('more than one value');
    this.#out.push(this.#text.slice(this.#passing));
    return this.#out.join('');
  }

  #value(reached: Reached): void {
    if (this.#isListed(reached)) {
      if (this.#listed === 'hidden') this.#hide();
      else this.#skip();
      return;
    }
    const first = this.#text[this.#at];
    const isContainer = first === '{' || first === '[';
    const leadsOn = reached.some((states) => states.size > 0);
    if (isContainer && leadsOn) this.#container(first === '{', (key) => this.#value(this.#next(reached, key)));
    else if (this.#listed === 'shown') this.#hide();
    else this.#skip();
  }

  #isListed(reached: Reached): boolean {
    return reached.some((states, at) => states.has(this.#paths[at]?.length ?? 0));
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

  /** Through an array every path leads as it is. */
  #next(reached: Reached, key: string | undefined): Reached {
    if (key === undefined) return reached;
    return reached.map((states, at) => {
      const steps = this.#paths[at] ?? [];
      const found: number[] = [];
      for (const state of states) {
        const step = steps[state];
        if (step === 'deep') found.push(state);
        else if (step === 'any' || (step !== undefined && step.name === key)) found.push(state + 1);
      }
      return this.#closure(at, found);
    });
  }

  /** `..` may also stand for no step. */
  #closure(path: number, states: readonly number[]): ReadonlySet<number> {
    const steps = this.#paths[path] ?? [];
    return new Set(states.flatMap((state) => (steps[state] === 'deep' ? [state, state + 1] : [state])));
  }
}

/** The tokens of one text, and the questions that all who look for secrets ask about their neighbours. */
import type { Token } from './tokens.js';

/** Of `values`, for a whole text: a million literals in rows of two need a tenth of it. */
const maxSteps = 20_000_000;

export class TokenRow {
  readonly tokens: readonly Token[];
  /** Of each parenthesis or bracket that opens: the index behind the one that closes it. */
  #closed: ReadonlyMap<number, number> | undefined;
  #steps = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  at(index: number): Token | undefined {
    return this.tokens[index];
  }

  /** A keyword or a sign; a literal that reads the same is none. */
  is(index: number, value: string): boolean {
    const token = this.tokens[index];
    return token?.value === value && (token.kind === 'other' || token.kind === 'word');
  }

  isAny(index: number, values: readonly string[]): boolean {
    return values.some((value) => this.is(index, value));
  }

  /** A literal or a parameter: what can hold a secret. */
  isValue(index: number): boolean {
    const kind = this.tokens[index]?.kind;
    return kind === 'string' || kind === 'parameter';
  }

  isName(index: number): boolean {
    const kind = this.tokens[index]?.kind;
    return kind === 'word' || kind === 'name';
  }

  /** `::text`, `::varchar(80)`: the index behind the casts that begin here. */
  behindCasts(index: number, end: number): number {
    let at = index;
    while (this.is(at, ':') && this.is(at + 1, ':')) at = this.is(at + 3, '(') ? this.behind(at + 3, end) : at + 3;
    return at;
  }

  /** The next index, or the one behind the parenthesis that opens here. */
  behind(index: number, end: number): number {
    if (!this.isAny(index, ['(', '['])) return index + 1;
    this.#closed ??= this.#pairs();
    return Math.min(this.#closed.get(index) ?? end, end);
  }

  #pairs(): ReadonlyMap<number, number> {
    const closed = new Map<number, number>();
    const open: number[] = [];
    for (let at = 0; at < this.tokens.length; at++) {
      if (this.isAny(at, ['(', '['])) open.push(at);
      else if (this.isAny(at, [')', ']'])) closed.set(open.pop() ?? -1, at + 1);
    }
    return closed;
  }

  /** True when so much was looked at that somebody must have written the text for it: nested calls, most likely. */
  get exhausted(): boolean {
    return this.#steps > maxSteps;
  }

  /** Literals and parameters from one index up to another, without what the functions `plain` are given. */
  values(from: number, to: number, plain: ReadonlySet<string>): number[] {
    const found: number[] = [];
    if (this.exhausted) return found;
    this.#steps += Math.max(0, to - from);
    for (let at = from; at < to; at++) {
      if (this.is(at + 1, '(') && plain.has(this.tokens[at]?.value ?? '')) at = this.behind(at + 1, to) - 1;
      else if (this.isValue(at)) found.push(at);
    }
    return found;
  }
}

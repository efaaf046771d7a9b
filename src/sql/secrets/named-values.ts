/**
 * Values that a name for a secret stands beside: `PASSWORD 'x'`, `api_key = crypt('x', ...)`, `p_token text := 'x'`,
 * `'x' AS password`.
 *
 * What lives here: places in a row of tokens, which need be no valid SQL. What it must not know: what is done there.
 */
import { isSecretName } from './credentials.js';
import { operators, plainArguments } from './secret-arguments.js';
import type { TokenRow } from './token-row.js';

export class NamedValues {
  readonly #row: TokenRow;
  readonly #end: number;
  #found: number[] = [];

  /** @param end index behind the statement */
  constructor(row: TokenRow, end: number) {
    this.#row = row;
    this.#end = end;
  }

  /** Indexes of the values that belong to the name, or to the literal, at `at`. */
  of(at: number): readonly number[] {
    this.#found = [];
    this.#behindName(at);
    return this.#found;
  }

  /** A value: a literal with what is put to its end, a parameter, or a call of a function with all that it is given. */
  expression(from: number): readonly number[] {
    this.#found = [];
    this.#expression(from);
    return this.#found;
  }

  /** `'x' = u.password`, `'x'::text AS password`: true for a literal that a name behind it claims. */
  claimed(literal: number): boolean {
    const row = this.#row;
    let at = row.behindCasts(literal + 1, this.#end);
    const said = row.isAny(at, ['=', 'as']);
    if (said) at++;
    while (row.is(at + 1, '.')) at += 2;
    if (at >= this.#end || !row.isName(at) || !isSecretName(row.at(at)?.value ?? '')) return false;
    return said || at + 1 >= this.#end || row.isAny(at + 1, [',', ')', 'from']);
  }

  #behindName(at: number): void {
    const row = this.#row;
    const kind = row.at(at)?.kind;
    const behind = this.#behindOperand(at);
    let next = behind;
    while (row.isAny(next, operators) || this.#isDistinct(next)) next++;
    const assigned = next > behind;
    this.#declared(behind);
    const literal = row.at(next)?.kind === 'string';
    // a literal that is such a word counts where a value is said to belong to it
    if (!assigned && (kind === 'string' || !literal)) return;
    this.#expression(next);
    if (row.is(next - 1, 'between') && row.is(next + 1, 'and')) this.#expression(next + 2);
  }

  /** `lower(u.password)`, `password::text`, `password COLLATE "C"`, `config['password']`: where the operand ends. */
  #behindOperand(name: number): number {
    const row = this.#row;
    let first = name;
    while (row.is(first - 1, '.')) first -= 2;
    // of several between parentheses it is one column, and each has its own value
    let open = row.isAny(first - 1, ['(', '[']);
    for (let at = name + 1; ; ) {
      if (row.isAny(at, [')', ']']) && open) {
        open = false;
        at++;
      } else if (row.is(at, ':') && row.is(at + 1, ':')) at = row.behindCasts(at, this.#end);
      else if (row.is(at, 'collate')) at += 2;
      else return at;
    }
  }

  /** IS [NOT] DISTINCT FROM; the IS of a comment is followed by its text. */
  #isDistinct(at: number): boolean {
    const row = this.#row;
    if (row.is(at, 'is')) return row.is(at + 1, 'distinct') || (row.is(at + 1, 'not') && row.is(at + 2, 'distinct'));
    return row.is(at, 'from') && row.is(at - 1, 'distinct');
  }

  /** `password varchar(80) NOT NULL DEFAULT 'x'`, of a column, a parameter or a variable, which may have `:=`. */
  #declared(from: number): void {
    const row = this.#row;
    for (let at = from; at < Math.min(this.#end, from + 12); at++) {
      const type = row.is(at - 1, ')') ? at - 4 : at - 1;
      const typed = row.is(at, '=') && type >= from && row.isAny(type, ['text', 'varchar', 'bytea', 'citext']);
      const assigned = typed || (row.is(at, ':') && row.is(at + 1, '='));
      if (row.is(at, 'default')) this.#expression(at + 1);
      else if (assigned) this.#expression(typed ? at + 1 : at + 2);
      const ends = row.at(at)?.kind === 'string' || row.isAny(at, [',', ';', '=', 'default', 'and', 'or', 'from']);
      if (assigned || ends) return;
    }
  }

  #expression(from: number): void {
    const row = this.#row;
    for (let at = from; at < this.#end; ) {
      if (row.isValue(at)) this.#found.push(at);
      else if (row.is(at, '(')) at = this.#group(at);
      else if (row.is(at, 'case')) at = this.#choice(at);
      else if (row.at(at)?.kind === 'word' && row.is(at + 1, '(')) at = this.#group(at + 1);
      else if (!row.isName(at)) return;
      at = row.behindCasts(at + 1, this.#end);
      if (row.is(at, '|') && row.is(at + 1, '|')) at += 2;
      else if (row.at(at)?.kind !== 'string') return;
    }
  }

  /** All values between parentheses; the index of the closing one. */
  #group(open: number): number {
    const behind = this.#row.behind(open, this.#end);
    this.#found.push(...this.#row.values(open, behind, plainArguments));
    return behind === this.#end && !this.#row.is(behind - 1, ')') ? behind : behind - 1;
  }

  /** CASE: what it may come to, not what it looks at. The index of its END. */
  #choice(from: number): number {
    const row = this.#row;
    /** Of each CASE that is open: what stands here may be its result. */
    const chosen: boolean[] = [];
    for (let at = from; at < this.#end; at++) {
      if (row.is(at, 'case')) chosen.push(false);
      else if (row.is(at, 'end') && chosen.pop() !== undefined && chosen.length === 0) return at;
      else if (row.isAny(at, ['then', 'else', 'when'])) chosen[chosen.length - 1] = !row.is(at, 'when');
      else if (chosen.at(-1) && row.isValue(at)) this.#found.push(at);
    }
    return this.#end;
  }
}

/**
 * What lives here: the tokens of one text, what of them is secret, and the texts inside of them. What it must not know:
 * who asks, and what is made of it.
 */
import { isValueColumn, secretColumnValues } from './column-values.js';
import { credentialsIn, expectsSecret, isSecretName, mentionsSecrets, type Range } from './credentials.js';
import { openOptions, operators, pairs, paths, secretArguments } from './secret-arguments.js';
import { type Token, tokensOf } from './tokens.js';

export interface Secrets {
  /** In UTF-16 code units of the text, in order, without overlaps. */
  readonly ranges: readonly Range[];
  /** What stands there, decoded: for texts that are made of the statement. */
  readonly values: readonly string[];
  /** Parameters whose values are secret, from 1. */
  readonly parameters: ReadonlySet<number> | 'all';
}

const sqlText =
  /^(?:\s|--[^\n]*\n)*(?:begin|declare|do|select|insert|update|delete|merge|alter|create|drop|grant|with|call|perform|return|execute|set)\b/i;

const maxDepth = 6;

/** Nearly all texts have nothing of this. */
export const worthLooking =
  /pass|pwd|secret|token|credential|(?:api|access|private|encryption|auth|account|signing|master|session|shared|sas)[_-]?key|crypt|hmac|\bsign\s*\(|\bverify\s*\(|account_add|:\/\/|bearer|basic |scram|md5|mapping|identified|\b(?:auth|jwt)\b|authoriz|mysql|mariadb|mongo|redis|ldap|openssl|-u|--user|PRIVATE KEY|AKIA|ASIA|gh[pousr]_|github_pat|xox|sk-|eyJ|\\[xuU+0-9]/i;

export class Finder {
  readonly #sql: string;
  readonly #depth: number;
  readonly #tokens: readonly Token[];
  readonly #ranges: Range[] = [];
  readonly #values = new Set<string>();
  readonly #parameters = new Set<number>();
  #allParameters = false;

  constructor(sql: string, depth: number) {
    this.#sql = sql;
    this.#depth = depth;
    this.#tokens = tokensOf(sql).filter((token) => token.kind !== 'comment' || this.#comment(token));
  }

  find(): this {
    let first = 0;
    for (let at = 0; at <= this.#tokens.length; at++) {
      // a body's variables are set in one of its statements and used in another
      if (at < this.#tokens.length && (this.#depth > 0 || !this.#is(at, ';'))) continue;
      this.#statement(first, at);
      // the values of a statement that was prepared in the same text
      if (this.#is(first, 'execute') && (this.#allParameters || this.#parameters.size > 0)) this.#hideOthers(first, at);
      first = at + 1;
    }
    return this;
  }

  /** The text as a whole, too. */
  value(): this {
    if (!sqlText.test(this.#sql)) {
      for (const { start, end } of credentialsIn(this.#sql)) this.#range(start, end, this.#sql.slice(start, end));
    }
    return this;
  }

  /** For a text that cannot be read: where its literals begin and end is not certain either. */
  hideEverything(): this {
    this.#allParameters = true;
    const uncertain = this.#sql.search(/\\['"]/);
    for (const [at, token] of this.#tokens.entries()) {
      const before = this.#is(at - 1, '=') ? at - 2 : at - 1;
      const follows = isSecretName(this.#tokens[before]?.value ?? '');
      if (token.kind === 'string' || token.kind === 'name') {
        this.#hide(token);
        // a literal that ends too early: the rest of it
        this.#upToBlank(token.end);
      } else if (follows) this.#upToBlank(token.start);
    }
    if (uncertain >= 0) {
      const first = this.#sql.search(/['"$]/);
      this.#range(first, this.#sql.length, this.#sql.slice(first));
    }
    return this;
  }

  /** A password that somebody forgot to quote. */
  #upToBlank(start: number): void {
    const [word = ''] = /^[^\s;]+/.exec(this.#sql.slice(start, start + 1000)) ?? [];
    if (/\w/.test(word)) this.#range(start, start + word.length, word);
  }

  secrets(): Secrets {
    const ranges: { start: number; end: number }[] = [];
    for (const range of [...this.#ranges].sort((one, other) => one.start - other.start)) {
      const last = ranges.at(-1);
      if (last && range.start < last.end) last.end = Math.max(last.end, range.end);
      else ranges.push({ ...range });
    }
    const values = [...this.#values].sort((one, other) => other.length - one.length);
    return { ranges, values, parameters: this.#allParameters ? 'all' : this.#parameters };
  }

  /** Comments hold credentials too; they are no tokens otherwise. */
  #comment({ start, value }: Token): boolean {
    for (const one of credentialsIn(value))
      this.#range(start + one.start, start + one.end, value.slice(one.start, one.end));
    return false;
  }

  #statement(first: number, end: number): void {
    const words = this.#tokens.slice(first, first + 4).map(({ value }) => value);
    const mapping = words.includes('mapping') && words.includes('user');
    let expected = false;
    for (let at = first; at < end; at++) {
      const token = this.#tokens[at];
      if (token === undefined) break;
      if (token.kind === 'string') {
        expected = this.#literal(token) || expected;
        if (this.#belongsToName(at + 1, end)) this.#hide(token);
      }
      if (token.kind === 'word' && token.value === 'set') this.#setting(at, first, end);
      if (token.kind === 'word' && token.value === 'options' && mapping) this.#mappingOptions(at + 1, end);
      if (token.kind === 'word' && this.#is(at + 1, '(')) this.#call(token.value, at + 1, end);
      if (token.kind === 'word' && token.value === 'connection') this.#connection(at + 1);
      if (token.kind !== 'other' && token.kind !== 'parameter' && isSecretName(token.value)) this.#named(at, end);
      if (token.kind === 'word' && token.value === 'identified' && this.#is(at + 1, 'by'))
        this.#expression(at + 2, end);
    }
    for (const at of secretColumnValues(this.#tokens, first, end)) this.#hideAt(at);
    const names = this.#tokens.slice(first, end).some(({ kind, value }) => kind === 'string' && isSecretName(value));
    for (let at = first; names && at < end; at++) {
      if (isValueColumn(this.#tokens[at]?.value ?? '') && this.#is(at + 1, '=')) this.#expression(at + 2, end);
    }
    if (expected) this.#hideOthers(first, end);
  }

  #hideAt(at: number): void {
    const token = this.#tokens[at];
    if (token !== undefined) this.#hide(token);
  }

  /** What a literal holds inside. True when a secret belongs there that stands elsewhere in the statement. */
  #literal(token: Token): boolean {
    const { value } = token;
    if (/^(?:SCRAM-SHA-256\$|md5[0-9a-f]{32}$)/.test(value)) this.#hide(token);
    // in SQL it is the literals that are looked at
    if (!sqlText.test(value)) for (const range of credentialsIn(value)) this.#inside(token, range);
    if (this.#depth < maxDepth && /\s/.test(value) && worthLooking.test(value)) {
      for (const range of new Finder(value, this.#depth + 1).find().secrets().ranges) this.#inside(token, range);
    } else if (this.#depth >= maxDepth && mentionsSecrets(value)) this.#hide(token);
    return expectsSecret(value);
  }

  /** `'x' = u.password`, `'x'::text AS password`: behind a literal. */
  #belongsToName(from: number, end: number): boolean {
    let at = from;
    while (this.#is(at, ':')) at += this.#is(at + 1, ':') ? 3 : 1;
    const said = this.#isAny(at, ['=', 'as']);
    if (said) at++;
    while (this.#is(at + 1, '.')) at += 2;
    const token = this.#tokens[at];
    if (at >= end || (token?.kind !== 'word' && token?.kind !== 'name') || !isSecretName(token.value)) return false;
    return said || at + 1 >= end || this.#isAny(at + 1, [',', ')', 'from']);
  }

  /** SET and ALTER ... SET take a value without quotes, too. */
  #setting(set: number, first: number, end: number): void {
    const begins = set === first || this.#isAny(set - 1, [';', 'begin', 'then', 'else', 'loop']);
    if (!begins && !this.#isAny(first, ['alter', 'create'])) return;
    let at = this.#isAny(set + 1, ['session', 'local']) ? set + 2 : set + 1;
    while (this.#is(at + 1, '.')) at += 2;
    if (!isSecretName(this.#tokens[at]?.value ?? '') || !this.#isAny(at + 1, ['=', 'to'])) return;
    for (at += 2; at < end && !this.#isAny(at, [';', 'default']); at++) this.#hideAt(at);
  }

  /** `PASSWORD 'x'`, `SET app.api_key TO 'x'`, `OPTIONS (secret 'x')`, `password = crypt('x', ...)`, `token => $1`. */
  #named(at: number, end: number): void {
    const token = this.#tokens[at];
    const behind = this.#behindOperand(at);
    let next = behind;
    while (this.#isAny(next, operators) || this.#isDistinct(next)) next++;
    const assigned = next > behind;
    this.#default(behind, end);
    // a literal that is such a word counts where a value is said to belong to it
    if (token?.kind === 'string' && !assigned) return;
    if (token?.kind === 'name' && !assigned && this.#tokens[next]?.kind !== 'string') return;
    if (!assigned && this.#tokens[next]?.kind !== 'string') return;
    this.#expression(next, end);
    if (this.#is(next - 1, 'between') && this.#is(next + 1, 'and')) this.#expression(next + 2, end);
  }

  /** `lower(u.password)`, `password::text`, `password COLLATE "C"`, `config['password']`: where the operand ends. */
  #behindOperand(name: number): number {
    let first = name;
    while (this.#is(first - 1, '.')) first -= 2;
    // of several between parentheses it is one column, and each has its own value
    let open = this.#isAny(first - 1, ['(', '[']);
    for (let at = name + 1; ; ) {
      if (this.#isAny(at, [')', ']']) && open) {
        open = false;
        at++;
      } else if (this.#is(at, ':') && this.#is(at + 1, ':')) at += 3;
      else if (this.#is(at, 'collate')) at += 2;
      else return at;
    }
  }

  /** IS [NOT] DISTINCT FROM; the IS of a comment is followed by its text. */
  #isDistinct(at: number): boolean {
    if (this.#is(at, 'is'))
      return this.#is(at + 1, 'distinct') || (this.#is(at + 1, 'not') && this.#is(at + 2, 'distinct'));
    return this.#is(at, 'from') && this.#is(at - 1, 'distinct');
  }

  /** `password varchar(80) NOT NULL DEFAULT 'x'`, of a column or a parameter. */
  #default(from: number, end: number): void {
    for (let at = from; at < Math.min(end, from + 12); at++) {
      const token = this.#tokens[at];
      if (this.#is(at, 'default')) this.#expression(at + 1, end);
      if (token?.kind === 'string' || this.#isAny(at, [',', ';', '=', 'default'])) return;
    }
  }

  /** A value: a literal with what is put to its end, a parameter, or a call of a function with all that it is given. */
  #expression(from: number, end: number): void {
    for (let at = from; at < end; ) {
      const token = this.#tokens[at];
      if (token === undefined) return;
      if (token.kind === 'string' || token.kind === 'parameter') this.#hide(token);
      else if (this.#is(at, '(')) at = this.#group(at, end);
      else if (this.#is(at, 'case')) at = this.#choice(at, end);
      else if (token.kind === 'word' && this.#is(at + 1, '(')) at = this.#group(at + 1, end);
      else if (token.kind !== 'word' && token.kind !== 'name') return;
      at++;
      if (this.#is(at, ':') && this.#is(at + 1, ':')) at += 3;
      const joined = this.#is(at, '|') && this.#is(at + 1, '|');
      if (joined) at += 2;
      else if (this.#tokens[at]?.kind !== 'string') return;
    }
  }

  /** Hides all literals and parameters between parentheses; the position of the closing one. */
  #group(open: number, end: number): number {
    let depth = 0;
    for (let at = open; at < end; at++) {
      const token = this.#tokens[at];
      if (token === undefined) break;
      if (this.#is(at, '(')) depth++;
      else if (this.#is(at, ')') && --depth === 0) return at;
      else if (token.kind === 'string' || token.kind === 'parameter') this.#hide(token);
    }
    return end;
  }

  /** CASE: what it may come to, not what it looks at. The position of its END. */
  #choice(from: number, end: number): number {
    let chosen = false;
    for (let at = from + 1; at < end; at++) {
      if (this.#is(at, 'end')) return at;
      if (this.#is(at, 'case')) at = this.#choice(at, end);
      else if (this.#isAny(at, ['then', 'else', 'when'])) chosen = !this.#is(at, 'when');
      else if (chosen && this.#isLiteral(at)) this.#hideAt(at);
    }
    return end;
  }

  #isLiteral(at: number): boolean {
    const kind = this.#tokens[at]?.kind;
    return kind === 'string' || kind === 'parameter';
  }

  #call(name: string, open: number, end: number): void {
    const known = Object.hasOwn(secretArguments, name);
    const path = paths.has(name);
    if (!known && !path && !pairs.has(name)) return;
    const places = secretArguments[name];
    let depth = 0;
    let place = 0;
    let before: Token | undefined;
    let secret = false;
    for (let at = open; at < end; at++) {
      const token = this.#tokens[at];
      if (token === undefined) return;
      if (this.#isAny(at, ['(', '['])) depth++;
      else if (this.#isAny(at, [')', ']']) && --depth === 0) return;
      else if (depth === 1 && this.#is(at, ',')) {
        place++;
        const paired = path ? place === 2 : place % 2 === 1;
        secret = paired && before?.kind === 'string' && isSecretName(before.value.replace(/[}"\s]+$/, ''));
      } else if (token.kind === 'string' || token.kind === 'parameter') {
        if (known ? (places?.includes(place) ?? true) : secret) this.#hide(token);
        if (depth === 1) before = token;
      }
    }
  }

  /** All of them but the ones that say who. */
  #mappingOptions(from: number, end: number): void {
    for (let at = from; at + 1 < end; at++) {
      const [name, value] = [this.#tokens[at], this.#tokens[at + 1]];
      if (value?.kind === 'string' && name !== undefined && !openOptions.has(name.value)) this.#hide(value);
    }
  }

  /** CREATE and ALTER SUBSCRIPTION: a connection string. One whose password cannot be found is hidden whole. */
  #connection(at: number): void {
    const token = this.#tokens[at];
    if (token?.kind !== 'string') return;
    if (mentionsSecrets(token.value) && credentialsIn(token.value).length === 0) this.#hide(token);
  }

  #hideOthers(first: number, end: number): void {
    this.#allParameters = true;
    for (const token of this.#tokens.slice(first, end)) {
      if (token.kind === 'string' && !expectsSecret(token.value)) this.#hide(token);
    }
  }

  #hide(token: Token): void {
    if (token.kind === 'parameter') this.#parameters.add(Number(token.value));
    else if (token.kind === 'string') this.#inside(token, { start: 0, end: token.value.length });
    else this.#range(token.start, token.end, token.value);
  }

  #inside({ value, positions = [] }: Token, { start, end }: Range): void {
    const at = (index: number): number | undefined =>
      typeof positions === 'number' ? positions + index : positions[index];
    const [from, to] = [at(start), at(end)];
    if (from !== undefined && to !== undefined) this.#range(from, to, value.slice(start, end));
  }

  #range(start: number, end: number, value: string): void {
    if (end <= start) return;
    this.#ranges.push({ start, end });
    this.#values.add(value);
    this.#values.add(this.#sql.slice(start, end));
  }

  #is(at: number, value: string): boolean {
    const token = this.#tokens[at];
    return token?.value === value && (token.kind === 'other' || token.kind === 'word');
  }

  #isAny(at: number, values: readonly string[]): boolean {
    return values.some((value) => this.#is(at, value));
  }
}

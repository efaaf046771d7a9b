/**
 * Where a statement holds passwords and other secrets: the one place that decides it, for the journal, the prompt and all
 * that is made of them. It goes by tokens, not by a tree, so that it holds for texts that no grammar reads too.
 *
 * Hidden is the literal or the part of it that is the secret, never names, verbs or conditions.
 */
import { credentialsIn, expectsSecret, isSecretName, mentionsSecrets, type Range } from './credentials.js';
import { type Token, tokensOf } from './tokens.js';

export interface Secrets {
  /** In UTF-16 code units of the text, in order, without overlaps. */
  readonly ranges: readonly Range[];
  /** What stands there, decoded: for texts that are made of the statement. */
  readonly values: readonly string[];
  /** Parameters whose values are secret, from 1. */
  readonly parameters: ReadonlySet<number> | 'all';
}

export const noSecrets: Secrets = { ranges: [], values: [], parameters: new Set() };

/** What stands in the place of a secret; of a literal within its quotes. */
export const hiddenMark = '<hidden>';

/** Arguments of functions that are keys or passwords, from 0; undefined: all of them. */
const secretArguments: Readonly<Record<string, readonly number[] | undefined>> = {
  // pgcrypto
  crypt: [0],
  hmac: [1],
  encrypt: [1],
  decrypt: [1],
  encrypt_iv: [1],
  decrypt_iv: [1],
  pgp_sym_encrypt: [1],
  pgp_sym_encrypt_bytea: [1],
  pgp_sym_decrypt: [1],
  pgp_sym_decrypt_bytea: [1],
  pgp_pub_decrypt: [1, 2],
  pgp_pub_decrypt_bytea: [1, 2],
  // pgjwt, Supabase's vault, the extensions of AWS and Azure
  sign: [1],
  verify: [1],
  create_secret: [0],
  update_secret: [1],
  create_aws_credentials: undefined,
  account_add: [1],
};

/** Functions that take names and values in turn, with the first name's place. */
const pairs: ReadonlySet<string> = new Set(['set_config', 'json_build_object', 'jsonb_build_object', 'hstore']);

/** Options of a user mapping that are none. */
const openOptions: ReadonlySet<string> = new Set(['user', 'username', 'host', 'port', 'dbname', 'password_required']);

const sqlText =
  /^(?:\s|--[^\n]*\n)*(?:begin|declare|do|select|insert|update|delete|merge|alter|create|drop|grant|with|call|perform|return|execute|set)\b/i;

const maxDepth = 6;

/** @param readable false for a text that no grammar reads: then each literal beside a word for a secret is one */
export function secretsIn(sql: string, readable = true): Secrets {
  if (!worthLooking.test(sql)) return noSecrets;
  const found = new Finder(sql, 0).find();
  if (readable || !mentionsSecrets(sql)) return found.secrets();
  return found.hideEverything().secrets();
}

/** Of a text that is a value: a connection string, an address, a command, perhaps SQL. */
export function secretsOfValue(value: string): Secrets {
  return worthLooking.test(value) ? new Finder(value, 1).find().value().secrets() : noSecrets;
}

/** Of an EXECUTE whose statement takes secrets: all of its values. */
export function argumentsIn(sql: string): Secrets {
  return new Finder(sql, 0).hideEverything().secrets();
}

const worthLooking =
  /pass|pwd|secret|token|credential|(?:api|access|private|encryption|auth|account|signing|master|session|shared|sas)[_-]?key|crypt|hmac|\bsign\s*\(|\bverify\s*\(|account_add|:\/\/|bearer|basic |scram|md5|mapping|identified|\b(?:auth|jwt)\b|-u|--user|PRIVATE KEY|AKIA|ASIA|gh[pousr]_|github_pat|xox|sk-|eyJ|\\[xuU+0-9]/i;

/** The text with its secrets taken out. */
export function withoutSecrets(sql: string, { ranges }: Secrets): string {
  let text = '';
  let from = 0;
  for (const { start, end } of ranges) {
    text += sql.slice(from, start) + hiddenMark;
    from = end;
  }
  return text + sql.slice(from);
}

/** A text that was made of the statement (a message, a description), without what it repeats. */
export function scrubbed(text: string, { values }: Secrets): string {
  let clean = text;
  for (const value of values) {
    // a short one is in everything
    if (value.length < 4) clean = clean === value ? hiddenMark : clean.replace(asAWord(value), hiddenMark);
    else clean = clean.replaceAll(value, hiddenMark);
  }
  return clean;
}

function asAWord(value: string): RegExp {
  const literal = value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(`(?<=["'=\\s]|^)${literal}(?=["',;\\s]|$)`, 'g');
}

/** What lives here: the tokens of one text and what of them is secret. */
class Finder {
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
      if (token.kind === 'string') expected = this.#literal(token) || expected;
      if (token.kind === 'word' && token.value === 'options' && mapping) this.#mappingOptions(at + 1, end);
      if (token.kind === 'word' && this.#is(at + 1, '(')) this.#call(token.value, at + 1, end);
      if (token.kind === 'word' && token.value === 'connection') this.#connection(at + 1);
      if (token.kind !== 'other' && token.kind !== 'parameter' && isSecretName(token.value)) this.#named(at, end);
      if (token.kind === 'word' && token.value === 'values') this.#inserted(at, end);
      if (token.kind === 'word' && token.value === 'identified' && this.#is(at + 1, 'by'))
        this.#expression(at + 2, end);
    }
    if (expected) this.#hideOthers(first, end);
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

  /** `PASSWORD 'x'`, `SET app.api_key TO 'x'`, `OPTIONS (secret 'x')`, `password = crypt('x', ...)`, `token => $1`. */
  #named(at: number, end: number): void {
    const token = this.#tokens[at];
    let next = at + 1;
    while (this.#isAny(next, ['=', ':', '>', 'to', 'default', '!', '<', 'like'])) next++;
    const assigned = next > at + 1;
    // a literal that is such a word counts where a value is said to belong to it
    if (token?.kind === 'string' && !assigned) return;
    if (token?.kind === 'name' && !assigned && this.#tokens[next]?.kind !== 'string') return;
    if (!assigned && this.#tokens[next]?.kind !== 'string') return;
    this.#expression(next, end);
  }

  /** A value: a literal with what is put to its end, a parameter, or a call of a function with all that it is given. */
  #expression(from: number, end: number): void {
    for (let at = from; at < end; ) {
      const token = this.#tokens[at];
      if (token === undefined) return;
      if (token.kind === 'string' || token.kind === 'parameter') this.#hide(token);
      else if (this.#is(at, '(')) at = this.#group(at, end);
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

  #call(name: string, open: number, end: number): void {
    const known = Object.hasOwn(secretArguments, name);
    if (!known && !pairs.has(name)) return;
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
        secret = pairs.has(name) && place % 2 === 1 && before?.kind === 'string' && isSecretName(before.value);
      } else if (token.kind === 'string' || token.kind === 'parameter') {
        if (known ? (places?.includes(place) ?? true) : secret) this.#hide(token);
        if (depth === 1) before = token;
      }
    }
  }

  /** `INSERT INTO users (name, password) VALUES (...), (...)`: what goes into such a column. */
  #inserted(values: number, end: number): void {
    const columns: string[] = [];
    let at = values - 1;
    if (!this.#is(at, ')')) return;
    while (--at > 0 && !this.#is(at, '(')) if (!this.#is(at, ',')) columns.unshift(this.#tokens[at]?.value ?? '');
    if (!columns.some(isSecretName)) return;
    let depth = 0;
    let place = 0;
    for (let next = values + 1; next < end; next++) {
      const token = this.#tokens[next];
      if (this.#is(next, '(') && depth++ === 0) place = 0;
      else if (this.#is(next, ')')) depth--;
      else if (depth === 1 && this.#is(next, ',')) place++;
      else if (depth === 0 && !this.#is(next, ',')) return;
      else if (token && (token.kind === 'string' || token.kind === 'parameter') && isSecretName(columns[place] ?? '')) {
        this.#hide(token);
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
    const from = positions[start];
    const to = positions[end];
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

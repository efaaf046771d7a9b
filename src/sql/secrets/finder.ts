/**
 * The secrets of one text of SQL, and of the texts within it.
 *
 * What lives here: what of its tokens is secret. What it must not know: who asks, and what is made of it.
 */

import { finished, type Steps } from '../steps.js';
import { secretsOfCall } from './calls.js';
import { isValueColumn, secretColumnValues } from './column-values.js';
import { credentialsIn, expectsSecret, isSecretName, mentionsSecrets, worthLooking } from './credentials.js';
import { looksLikeAwsSecret } from './key-formats.js';
import { NamedValues } from './named-values.js';
import { secretsOfMapping, secretsOfSetting } from './settings.js';
import { TokenRow } from './token-row.js';
import { type Range, type Token, tokensIn } from './tokens.js';

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

/** Few enough for a fraction of a millisecond, even of literals that each look like a connection string. */
const stepTokens = 64;

/** What puts a text together out of others. */
const joining = ['concat', 'concat_ws', 'array_to_string', 'format', 'replace', 'textcat'];

export class Finder {
  readonly #sql: string;
  readonly #depth: number;
  #row = new TokenRow([]);
  /** The text speaks of AWS. */
  readonly #aws: boolean;
  readonly #ranges: Range[] = [];
  readonly #values = new Set<string>();
  readonly #parameters = new Set<number>();
  #allParameters = false;

  constructor(sql: string, depth: number) {
    this.#sql = sql;
    this.#depth = depth;
    this.#aws = /AKIA|ASIA|\baws/i.test(sql);
  }

  find(): this {
    return finished(this.findInSteps());
  }

  /** The same, with a pause after every few tokens. */
  *findInSteps(): Steps<this> {
    yield* this.#cut();
    let first = 0;
    for (let at = 0; at <= this.#row.tokens.length; at++) {
      // a body's variables are set in one of its statements and used in another
      if (at < this.#row.tokens.length && (this.#depth > 0 || !this.#row.is(at, ';'))) continue;
      yield* this.#statement(first, at);
      // the values of a statement that was prepared in the same text
      if (this.#row.is(first, 'execute') && (this.#allParameters || this.#parameters.size > 0))
        this.#hideOthers(first, at);
      first = at + 1;
    }
    return this.#row.exhausted ? this.hideEverything() : this;
  }

  *#cut(): Steps<void> {
    const tokens: Token[] = [];
    let cut = 0;
    for (const token of tokensIn(this.#sql)) {
      if (token.kind === 'comment') this.#comment(token);
      else tokens.push(token);
      if (++cut % stepTokens === 0) yield;
    }
    this.#row = new TokenRow(tokens);
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
    if (this.#row.tokens.length === 0) finished(this.#cut());
    this.#allParameters = true;
    const uncertain = this.#sql.search(/\\['"]/);
    for (const [at, token] of this.#row.tokens.entries()) {
      const before = this.#row.is(at - 1, '=') ? at - 2 : at - 1;
      const follows = isSecretName(this.#row.at(before)?.value ?? '');
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
  #comment({ start, value }: Token): void {
    for (const one of credentialsIn(value))
      this.#range(start + one.start, start + one.end, value.slice(one.start, one.end));
  }

  *#statement(first: number, end: number): Steps<void> {
    const row = this.#row;
    const values = new NamedValues(row, end);
    const tokens = row.tokens.slice(first, end);
    const words = tokens.slice(0, 4).map(({ value }) => value);
    const mapping = words.includes('mapping') && words.includes('user');
    let expected = false;
    for (const [place, token] of tokens.entries()) {
      if (place % stepTokens === stepTokens - 1) yield;
      const at = first + place;
      if (token.kind === 'string') {
        expected = this.#literal(at, tokens) || expected;
        if (values.claimed(at)) this.#hide(token);
      }
      if (token.kind === 'word') {
        if (token.value === 'set') this.#hideAll(secretsOfSetting(row, at, first, end));
        if (token.value === 'options' && mapping) this.#hideAll(secretsOfMapping(row, at + 1, end));
        if (token.value === 'connection') this.#connection(at + 1);
        if (token.value === 'identified' && row.is(at + 1, 'by')) this.#hideAll(values.expression(at + 2));
        if (row.is(at + 1, '(')) this.#hideAll(secretsOfCall(row, token.value, at + 1, end));
      }
      if (token.kind !== 'other' && token.kind !== 'parameter' && isSecretName(token.value))
        this.#hideAll(values.of(at));
    }
    this.#hideAll(yield* secretColumnValues(row, first, end));
    const names = tokens.some(({ kind, value }) => kind === 'string' && isSecretName(value));
    for (let at = first; names && at < end; at++) {
      if (isValueColumn(row.at(at)?.value ?? '') && row.is(at + 1, '=')) this.#hideAll(values.expression(at + 2));
    }
    if (expected) this.#hideOthers(first, end);
  }

  #hideAll(places: readonly number[]): void {
    for (const at of places) {
      const token = this.#row.at(at);
      if (token !== undefined) this.#hide(token);
    }
  }

  /** What a literal holds inside. True when a secret belongs there that stands elsewhere in the statement. */
  #literal(at: number, statement: readonly Token[]): boolean {
    const token = this.#row.at(at);
    if (token === undefined) return false;
    const { value } = token;
    if (/^md5[0-9a-f]{32}$/.test(value) || (this.#aws && looksLikeAwsSecret(value))) this.#hide(token);
    // in SQL it is the literals that are looked at
    if (!sqlText.test(value)) for (const range of credentialsIn(value)) this.#inside(token, range);
    if (this.#depth < maxDepth && /\s/.test(value) && worthLooking(value)) {
      for (const range of new Finder(value, this.#depth + 1).find().secrets().ranges) this.#inside(token, range);
    } else if (this.#depth >= maxDepth && mentionsSecrets(value)) this.#hide(token);
    if (!expectsSecret(value)) return false;
    const open = /\W$/.test(value) && !/[%$:][\w$]+['"\s]*$/.test(value);
    return (
      !open ||
      this.#row.is(at + 1, '|') ||
      statement.some(({ kind, value }) => kind === 'word' && joining.includes(value))
    );
  }

  /** CREATE and ALTER SUBSCRIPTION: a connection string. One whose password cannot be found is hidden whole. */
  #connection(at: number): void {
    const token = this.#row.tokens[at];
    if (token?.kind !== 'string') return;
    if (mentionsSecrets(token.value) && credentialsIn(token.value).length === 0) this.#hide(token);
  }

  #hideOthers(first: number, end: number): void {
    this.#allParameters = true;
    for (const token of this.#row.tokens.slice(first, end)) {
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
}

/**
 * Where a list of columns meets a list of values: INSERT, row assignments and comparisons, CTEs and VALUES with names of
 * columns. Of a column whose name says that it is a secret, the values are; of a table of settings, the value beside such
 * a name.
 *
 * What lives here: places in a sequence of tokens, which need be no valid SQL. What it must not know: what is done there.
 */

import type { Steps } from '../steps.js';
import { isSecretName } from './credentials.js';
import { plainArguments } from './secret-arguments.js';
import type { TokenRow } from './token-row.js';

/** Indexes of tokens, `to` excluded. */
interface Span {
  readonly from: number;
  readonly to: number;
}

const settingNames =
  /^(?:key|name|setting|option|param|parameter|variable|(?:config|setting|option|param)_(?:key|name))$/;
const settingValues = /^(?:value|val|(?:config|setting|option|param)_(?:value|val))$/;

/** So many are looked at between two pauses. */
const stepTokens = 256;

/** The column that holds what a setting is set to. */
export function isValueColumn(name: string): boolean {
  return settingValues.test(name);
}

/** Indexes of the literals and parameters between `first` and `end` that are secret. */
export function secretColumnValues(row: TokenRow, first: number, end: number): Steps<readonly number[]> {
  return new Lists(row, end).find(first);
}

class Lists {
  readonly #row: TokenRow;
  readonly #end: number;
  readonly #found: number[] = [];

  constructor(row: TokenRow, end: number) {
    this.#row = row;
    this.#end = end;
  }

  *find(first: number): Steps<readonly number[]> {
    for (let at = first; at < this.#end; at++) {
      if (at % stepTokens === 0) yield;
      const list = this.#row.is(at, '(') ? this.#columns(at) : undefined;
      if (list === undefined) continue;
      yield* this.#values(list.close + 1, list.columns);
      yield* this.#valuesBefore(at - 1, first, list.columns);
    }
    return this.#found;
  }

  /** `(a, u.b, "c")`: names alone, and one of them is worth it. */
  #columns(open: number): { columns: string[]; close: number } | undefined {
    const columns: string[] = [];
    for (let at = open + 1; at < this.#end; at += 2) {
      while (this.#row.is(at + 1, '.')) at += 2;
      const name = this.#row.at(at);
      if (name?.kind !== 'word' && name?.kind !== 'name') return undefined;
      columns.push(name.value);
      if (this.#row.is(at + 1, ',')) continue;
      const settings = columns.some((one) => settingNames.test(one)) && columns.some(isValueColumn);
      const worthIt = settings || columns.some(isSecretName);
      return this.#row.is(at + 1, ')') && worthIt ? { columns, close: at + 1 } : undefined;
    }
    return undefined;
  }

  /** From what stands behind the list: VALUES, a query, a row. */
  *#values(from: number, columns: readonly string[]): Steps<void> {
    let next: number | undefined = from;
    while (next !== undefined) next = yield* this.#someValues(next, columns);
  }

  /** Where those of a query begin that is joined to it, if there is one. */
  *#someValues(from: number, columns: readonly string[]): Steps<number | undefined> {
    let at = from;
    if (this.#row.is(at, 'overriding')) at += 3;
    while (this.#row.isAny(at, ['=', '<', '>', '!', 'not', 'in', 'as', 'materialized', 'row', 'any'])) at++;
    if (this.#row.is(at, 'with'))
      while (at < this.#end && !this.#row.is(at, 'select')) at = this.#row.behind(at, this.#end);
    if (this.#row.is(at, 'values')) yield* this.#rows(at + 1, columns);
    else if (this.#row.is(at, 'select')) return yield* this.#query(at + 1, columns);
    else if (this.#row.is(at, '(')) {
      if (this.#row.is(at + 1, '(')) yield* this.#rows(at + 1, columns);
      if (this.#row.isAny(at + 1, ['(', 'select', 'values', 'with'])) yield* this.#values(at + 1, columns);
      else this.#match(this.#elements(at + 1), columns);
    }
    return undefined;
  }

  /** `(VALUES (...)) AS v(a, b)`: the list stands behind. */
  *#valuesBefore(alias: number, first: number, columns: readonly string[]): Steps<void> {
    const close = this.#row.is(alias - 1, 'as') ? alias - 2 : alias - 1;
    if (!this.#row.is(close, ')')) return;
    let depth = 0;
    for (let at = close; at >= first; at--) {
      if (this.#row.is(at, ')')) depth++;
      else if (this.#row.is(at, '(') && --depth === 0) {
        yield* this.#values(at, columns);
        return;
      }
    }
  }

  *#rows(from: number, columns: readonly string[]): Steps<void> {
    for (let at = from; this.#row.is(at, '('); ) {
      this.#match(this.#elements(at + 1), columns);
      yield;
      at = this.#row.behind(at, this.#end);
      if (this.#row.is(at, ',')) at++;
    }
  }

  /** The list of a SELECT. Returns where that of a query begins that is joined to it by UNION and its like. */
  *#query(from: number, columns: readonly string[]): Steps<number | undefined> {
    yield;
    let at = this.#row.isAny(from, ['distinct', 'all']) ? from + 1 : from;
    if (this.#row.is(at, 'on')) at = this.#row.behind(at + 1, this.#end);
    const elements = this.#elements(at);
    this.#match(elements, columns);
    const star = elements.some(({ from: only, to }) => to > only && this.#row.is(to - 1, '*'));
    for (
      at = elements.at(-1)?.to ?? at;
      at < this.#end && !this.#row.isAny(at, [')', ';']);
      at = this.#row.behind(at, this.#end)
    ) {
      if (star && this.#row.is(at, '(')) yield* this.#values(at, columns);
      if (!this.#row.isAny(at, ['union', 'intersect', 'except'])) continue;
      return this.#row.isAny(at + 1, ['all', 'distinct']) ? at + 2 : at + 1;
    }
    return undefined;
  }

  /** What is separated by commas, up to what ends a list. */
  #elements(first: number): Span[] {
    const elements: Span[] = [];
    let from = first;
    let at = first;
    for (; at < this.#end && !this.#row.isAny(at, endsOfList); at = this.#row.behind(at, this.#end)) {
      if (!this.#row.is(at, ',')) continue;
      elements.push({ from, to: at });
      from = at + 1;
    }
    return [...elements, { from, to: at }];
  }

  #match(elements: readonly Span[], columns: readonly string[]): void {
    const setting = elements[columns.findIndex((name) => settingNames.test(name))];
    const named =
      setting !== undefined && this.#strings(setting).some((at) => isSecretName(this.#row.at(at)?.value ?? ''));
    for (const [place, element] of elements.entries()) {
      const name = columns[place] ?? '';
      if (!isSecretName(name) && !(named && isValueColumn(name))) continue;
      this.#found.push(...this.#strings(element));
    }
  }

  #strings({ from, to }: Span): number[] {
    return this.#row.values(from, to, plainArguments);
  }
}

const endsOfList = [')', ';', 'from', 'where', 'union', 'intersect', 'except', 'order', 'limit', 'group', 'returning'];

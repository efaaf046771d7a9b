/**
 * One text's facts for every text that differs from it in nothing but integers: `... WHERE id = 1`, `... WHERE id = 2`.
 *
 * Safe by a tripwire: before the walk, the integers of the parse tree become accessors that tell when they are read.
 * Facts that were found without reading any cannot depend on them, whatever the walk does. `1 = 1` and `id > 0` are
 * read, so their facts stay with their own text.
 */
import type { Facts } from './facts.js';
import { Positions } from './grammar/positions.js';
import type { ParseTree } from './grammar/tree.js';

/** Longer texts are rarely one of many. */
const longest = 8192;
/** Quotes, `$`, `\` and comments could hide where a number begins. */
const notPlain = /[^\w\s.,:;()[\]+*/<>=~!@#%^&?|-]|--|\/\*/;
/** At most nine digits, which is an int4 and never a float; no part of a name, of `1.5` or of `1e5`. */
const integer = /(?<![\w.])\d{1,9}(?![\w.])/g;

/** The text with NUL, which no SQL holds, for its integers; undefined where there is none, or where it is not sure. */
export function withoutIntegers(sql: string): string | undefined {
  if (sql.length > longest || notPlain.test(sql)) return undefined;
  const blind = sql.replace(integer, '\0');
  return blind === sql ? undefined : blind;
}

/** The integers of a text in their order, which is the same for all texts that have their facts in common. */
export function integersOf(sql: string): readonly string[] {
  return sql.length > longest ? [] : (sql.match(integer) ?? []);
}

/** Which of its integers stands where in a text: what may be known of them without reading any. */
export class IntegerPlaces {
  readonly #sql: string;
  #starts: readonly number[] | undefined;

  constructor(sql: string) {
    this.#sql = sql;
  }

  /** @param bytes where the parser says that a constant begins */
  at(bytes: number): number | undefined {
    this.#starts ??= this.#find();
    const place = this.#starts.indexOf(new Positions(this.#sql).at(bytes));
    return place < 0 ? undefined : place;
  }

  #find(): readonly number[] {
    if (this.#sql.length > longest || /--|\/\*/.test(this.#sql)) return [];
    return [...this.#sql.matchAll(integer)].map(({ index }) => index);
  }
}

const statementKinds = ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt'] as const;

/** Elsewhere the grammar itself may act on an integer, before there is a tree. */
export function isOneQuery(tree: ParseTree): boolean {
  const [only, ...more] = tree.stmts ?? [];
  const { stmt } = only ?? {};
  return stmt !== undefined && more.length === 0 && statementKinds.some((kind) => kind in stmt);
}

export interface Tripwire {
  /** Some integer has been read. */
  tripped: boolean;
}

export function armIntegers(tree: ParseTree): Tripwire {
  const wire: Tripwire = { tripped: false };
  arm(tree, wire);
  return wire;
}

function arm(value: unknown, wire: Tripwire): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) arm(item, wire);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    // an Integer node has the number here; A_Const has {ival: number} here, or {} for 0
    if (key !== 'ival') arm(item, wire);
    else if (typeof item === 'number') replace(value, item, wire);
    else replace(item as object, (item as { ival?: number }).ival ?? 0, wire);
  }
}

function replace(holder: object, integerValue: number, wire: Tripwire): void {
  Object.defineProperty(holder, 'ival', {
    enumerable: true,
    get() {
      wire.tripped = true;
      return integerValue;
    },
  });
}

/** The facts of a text `length` long at the places where `sql` has them: both are the same after the last integer. */
export function transferFacts(facts: Facts, length: number, sql: string): Facts {
  const [only] = facts.statements;
  if (only === undefined || length === sql.length) return facts;
  return { statements: [{ ...only, end: only.end + sql.length - length }] };
}

/**
 * Rows that one run has deleted or changed in one database, over all its connections, since a person last approved a
 * mass change there: a thousand small statements are one large one. What is under way counts until it is answered.
 *
 * What lives here: sums by table. What it must not know: when a change is undone or committed, and what is too much.
 */
import type { Effect } from '../../sql/facts.js';

export interface RowChange {
  /** Bare name: whatever schema or spelling a statement chooses, its rows are added up. */
  readonly table: string;
  readonly rows: number;
  /** Which rows they were, where that is known of each: the same row changed again is no other row. */
  readonly names?: readonly string[] | undefined;
  /** They are all that the table has: the same rows however often. */
  readonly whole?: boolean | undefined;
}

interface Table {
  rows: number;
  underWay: number;
  /** The most that the whole table has had when code changed it. */
  whole: number;
  readonly seen: Set<string>;
}

/** Of more rows by name than this the names are forgotten, and count again. */
const seenMost = 100_000;

export class RowBudget {
  readonly #tables = new Map<string, Table>();
  #total = 0;
  #underWay = 0;

  /** Of all tables. */
  get total(): number {
    return this.#total + this.#underWay;
  }

  /** @param whole before a change of whole tables, which cannot hit more than those before it */
  of({ targets }: Effect, whole = false): number {
    let rows = 0;
    for (const { name } of targets) {
      const known = this.#tables.get(name);
      if (known !== undefined) rows += known.rows + known.underWay + (whole ? 0 : known.whole);
    }
    return rows;
  }

  /** How many of these rows nothing has changed before. */
  newAmong(table: string, names: readonly string[]): number {
    const seen = this.#tables.get(table)?.seen;
    return seen === undefined ? names.length : names.filter((one) => !seen.has(one)).length;
  }

  /** A statement on its way to the server may change as many. The call that is returned ends that, once. */
  expect(changes: readonly RowChange[]): () => void {
    const expected = changes.map(
      ({ table, rows, names }) => [table, names ? this.newAmong(table, names) : rows] as const,
    );
    const add = (sign: 1 | -1): void => {
      for (const [table, rows] of expected) {
        this.#table(table).underWay += sign * rows;
        this.#underWay += sign * rows;
      }
    };
    add(1);
    return () => add(-1);
  }

  /** What of it is new, for undo. */
  add({ table, rows, names, whole }: RowChange): RowChange | undefined {
    const known = this.#table(table);
    if (whole) {
      const more = Math.max(0, rows - known.whole);
      known.whole += more;
      this.#total += more;
      // it stays when it is undone: a small table's rows are few
      return undefined;
    }
    const added = names?.filter((one) => !known.seen.has(one));
    const change = { table, rows: added?.length ?? rows, names: added };
    if (change.rows === 0) return undefined;
    if (added && known.seen.size + added.length > seenMost) known.seen.clear();
    for (const one of added ?? []) known.seen.add(one);
    known.rows += change.rows;
    this.#total += change.rows;
    return change;
  }

  undo({ table, rows, names = [] }: RowChange): void {
    const known = this.#tables.get(table);
    if (known === undefined) return;
    // an approval may have cleared the sum meanwhile
    const less = Math.min(rows, known.rows);
    known.rows -= less;
    this.#total -= less;
    for (const one of names) known.seen.delete(one);
  }

  /** A person has seen the sum. */
  clear(): void {
    for (const [name, table] of this.#tables) {
      if (table.underWay === 0) this.#tables.delete(name);
      else this.#tables.set(name, { ...table, rows: 0, whole: 0, seen: new Set() });
    }
    this.#total = 0;
  }

  #table(name: string): Table {
    let known = this.#tables.get(name);
    if (known === undefined) {
      known = { rows: 0, underWay: 0, whole: 0, seen: new Set() };
      this.#tables.set(name, known);
    }
    return known;
  }
}

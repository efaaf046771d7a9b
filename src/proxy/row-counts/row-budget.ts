/**
 * Rows that one run has deleted or changed in one database, over all its connections, since a person last approved a
 * mass change there: a thousand small statements are one large one.
 *
 * What lives here: sums by table. What it must not know: when a change is undone or committed, and what is too much.
 */
import type { Effect } from '../../sql/facts.js';

export interface RowChange {
  /** Bare name: whatever schema or spelling a statement chooses, its rows are added up. */
  readonly table: string;
  readonly rows: number;
  /** Which row it was, where that is known: the same row changed again is no other row. */
  readonly row?: string | undefined;
  /** They are all that the table has: the same rows however often. */
  readonly whole?: boolean | undefined;
}

interface Table {
  rows: number;
  /** The most that the whole table has had when code changed it. */
  whole: number;
  readonly seen: Set<string>;
}

/** Of more rows by name than this the names are forgotten, and count again. */
const seenMost = 100_000;

export class RowBudget {
  readonly #tables = new Map<string, Table>();
  #total = 0;

  /** Of all tables. */
  get total(): number {
    return this.#total;
  }

  /** @param whole before a change of whole tables, which cannot hit more than those before it */
  of({ targets }: Effect, whole = false): number {
    let rows = 0;
    for (const { name } of targets) {
      const known = this.#tables.get(name);
      if (known !== undefined) rows += known.rows + (whole ? 0 : known.whole);
    }
    return rows;
  }

  /** False when it adds nothing. */
  add({ table, rows, row, whole }: RowChange): boolean {
    let known = this.#tables.get(table);
    if (known === undefined) {
      known = { rows: 0, whole: 0, seen: new Set() };
      this.#tables.set(table, known);
    }
    if (whole) {
      const more = Math.max(0, rows - known.whole);
      known.whole += more;
      this.#total += more;
      // it stays when it is undone: a small table's rows are few
      return false;
    }
    if (row !== undefined) {
      if (known.seen.has(row)) return false;
      if (known.seen.size >= seenMost) known.seen.clear();
      known.seen.add(row);
    }
    known.rows += rows;
    this.#total += rows;
    return true;
  }

  undo({ table, rows, row }: RowChange): void {
    const known = this.#tables.get(table);
    if (known === undefined) return;
    // an approval may have cleared the sum meanwhile
    const less = Math.min(rows, known.rows);
    known.rows -= less;
    this.#total -= less;
    if (row !== undefined) known.seen.delete(row);
  }

  /** A person has seen the sum. */
  clear(): void {
    this.#tables.clear();
    this.#total = 0;
  }
}

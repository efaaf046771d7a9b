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
  /** They are there still: updated. */
  readonly stay?: boolean | undefined;
  /** They are all that the table has: the same rows however often. */
  readonly whole?: boolean | undefined;
}

interface Table {
  rows: number;
  /** Of these, those that may have been deleted. */
  gone: number;
  /** More that were there it cannot have lost: rows of a queue come and go. */
  most: number;
  /** Nobody can count it, or it is so large that it makes no difference. */
  large: boolean;
  /** What `rows` was when it was to be counted last. */
  countedAt: number | undefined;
  underWay: number;
  /** The most that the whole table has had when code changed it. */
  whole: number;
  readonly seen: Set<string>;
}

/** From so many changed rows on, and each time after so many more, it is worth knowing how many the table has. */
const countFrom = 50;
const countEvery = 100;

/** Of more rows by name than this the names are forgotten, and count again. */
const seenMost = 100_000;

export class RowBudget {
  readonly #tables = new Map<string, Table>();
  #total = 0;
  #underWay = 0;

  /** Nothing has been changed, nor is about to be. */
  get isUntouched(): boolean {
    return this.#tables.size === 0;
  }

  /** Of all tables. */
  get total(): number {
    return this.#total + this.#underWay;
  }

  /** @param whole before a change of whole tables, which cannot hit more than those before it */
  of({ targets }: Effect, whole = false): number {
    let rows = 0;
    for (const { name } of targets) {
      const known = this.#tables.get(name);
      if (known !== undefined) rows += lost(known) + known.underWay + (whole ? 0 : known.whole);
    }
    return rows;
  }

  /** Whether it has lost as many rows as its changes say depends on how many it has. */
  isUncounted({ targets }: Effect): boolean {
    return targets.some(({ name }) => {
      const { rows = 0, most = 0, large, countedAt } = this.#tables.get(name) ?? {};
      if (rows <= countFrom || large) return false;
      const isOpen = most === Number.POSITIVE_INFINITY || rows > most;
      return isOpen && (countedAt === undefined || rows - countedAt >= countEvery);
    });
  }

  /** @param size rows of all tables of that name; undefined where nobody can count them */
  counted(table: string, size: number | undefined): void {
    this.#change(table, (known) => {
      const first = known.most === Number.POSITIVE_INFINITY;
      if (size === undefined) known.large = true;
      known.most =
        size === undefined ? Number.POSITIVE_INFINITY : first ? size + known.gone : Math.max(known.most, size);
      known.countedAt = known.rows;
    });
  }

  /** It could not be counted now, and may have grown since it was. */
  postpone(table: string): void {
    this.#change(table, (known) => {
      known.most = Number.POSITIVE_INFINITY;
      known.countedAt = known.rows;
    });
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
  add({ table, rows, names, whole, stay }: RowChange): RowChange | undefined {
    const known = this.#table(table);
    if (whole) {
      const more = Math.max(0, rows - known.whole);
      known.whole += more;
      this.#total += more;
      // it stays when it is undone: a small table's rows are few
      return undefined;
    }
    const added = names?.filter((one) => !known.seen.has(one));
    const change = { table, rows: added?.length ?? rows, names: added, stay };
    if (change.rows === 0) return undefined;
    if (added && known.seen.size + added.length > seenMost) known.seen.clear();
    for (const one of added ?? []) known.seen.add(one);
    this.#change(table, (its) => {
      its.rows += change.rows;
      if (!stay) its.gone += change.rows;
    });
    return change;
  }

  undo({ table, rows, names = [], stay }: RowChange): void {
    const known = this.#tables.get(table);
    if (known === undefined) return;
    this.#change(table, (its) => {
      // an approval may have cleared the sum meanwhile
      its.rows -= Math.min(rows, its.rows);
      if (!stay) its.gone -= Math.min(rows, its.gone);
    });
    for (const one of names) known.seen.delete(one);
  }

  /** A person has seen the sum. */
  clear(): void {
    for (const [name, table] of this.#tables) {
      if (table.underWay === 0) this.#tables.delete(name);
      else this.#tables.set(name, { ...unchanged(), underWay: table.underWay });
    }
    this.#total = 0;
  }

  #change(name: string, change: (table: Table) => void): void {
    const table = this.#table(name);
    const before = lost(table);
    change(table);
    this.#total += lost(table) - before;
  }

  #table(name: string): Table {
    let known = this.#tables.get(name);
    if (known === undefined) {
      known = unchanged();
      this.#tables.set(name, known);
    }
    return known;
  }
}

function unchanged(): Table {
  return {
    rows: 0,
    gone: 0,
    most: Number.POSITIVE_INFINITY,
    large: false,
    countedAt: undefined,
    underWay: 0,
    whole: 0,
    seen: new Set(),
  };
}

function lost({ rows, most }: Table): number {
  return Math.min(rows, most);
}

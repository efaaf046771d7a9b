/**
 * When a column that nobody declared is reported: enough different values of it are what a detector takes them for.
 * Some forms are taken by mistake more often than not (a number with two hyphens is no social security number): those
 * need a name that says the same, or every one of many values.
 *
 * State: what was counted of one column, and its first values that hit, which never leave here. Must not know rows.
 */
import { type Detectable, detectable } from '../../policy/mask-kinds.js';
import { detect } from '../detectors/detectors.js';
import { type MeaningName, meaningOfName } from '../suggest/names.js';

interface Enough {
  /** Different values. */
  readonly values: number;
  /** Of the values that were looked at, those that hit. */
  readonly share: number;
}

/** By what random values of other forms hit (test/masking/detector-rates.test.ts). */
const enough: { readonly [D in Detectable]: Enough & { readonly named?: Enough; readonly as?: MeaningName } } = {
  email: { values: 3, share: 0.2 },
  iban: { values: 3, share: 0.2 },
  secret: { values: 3, share: 0.2 },
  card: { values: 5, share: 0.5 },
  'national-id': { values: 60, share: 0.98, named: { values: 5, share: 0.5 }, as: 'nationalId' },
  phone: { values: 60, share: 0.98, named: { values: 5, share: 0.5 }, as: 'phone' },
};

/** Further values change nothing: the column is what it is. */
const looksEnough = 5_000;

export class ColumnEvidence {
  /** For people: `public.orders.note`. */
  readonly name: string;
  readonly #limits = new Map<Detectable, Enough>();
  readonly #values = new Map<Detectable, Set<string>>();
  readonly #hits = new Map<Detectable, number>();
  readonly #reported = new Set<Detectable>();
  #what: readonly Detectable[];
  #looked = 0;

  /** @param column without its table, as people named it */
  constructor(name: string, table: string, column: string, what: readonly Detectable[]) {
    this.name = name;
    this.#what = what;
    const meaning = meaningOfName(table, column);
    for (const one of detectable) {
      const { named, as, ...limit } = enough[one];
      this.#limits.set(one, named !== undefined && as === meaning ? named : limit);
    }
  }

  get done(): boolean {
    return this.#what.length === 0 || this.#looked >= looksEnough;
  }

  /** @param text one value, neither NULL nor empty */
  look(text: string): void {
    this.#looked++;
    for (const what of new Set(detect(text, this.#what).map((one) => one.what))) {
      this.#hits.set(what, (this.#hits.get(what) ?? 0) + 1);
      const values = this.#values.get(what) ?? new Set();
      this.#values.set(what, values);
      if (values.size < (this.#limits.get(what)?.values ?? 0)) values.add(text);
    }
  }

  /** What it has become clear to hold; each is said once. */
  report(): Detectable[] {
    const found = this.#what.filter((what) => {
      const { values, share } = this.#limits.get(what) as Enough;
      const hits = this.#hits.get(what) ?? 0;
      return (this.#values.get(what)?.size ?? 0) >= values && hits >= share * this.#looked;
    });
    for (const what of found) {
      this.#reported.add(what);
      this.#values.delete(what);
    }
    if (found.length > 0) this.#what = this.#what.filter((what) => !this.#reported.has(what));
    return found;
  }
}

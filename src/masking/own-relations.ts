/**
 * Tables and views that one connection has made and the catalog does not know, as far as it is certain what their names mean.
 *
 * State: what was made, and whether the transaction that made it may still be undone. What it must not know: texts,
 * messages, what is masked. A name that has been used is never forgotten, what it means may only become unknown; but what
 * lasts is in the catalog, or nowhere, once its transaction is over.
 */
import type { CatalogRelation } from '../sql/lineage/catalog.js';
import { everyName } from '../sql/lineage/name-doubts.js';
import type { MadeRelation, Temporaries } from '../sql/lineage/temporary.js';

interface Known {
  /** Undefined: whether the name means something temporary, and what, is not known. */
  readonly relation: CatalogRelation | undefined;
  /** What it is to mean once the server has answered, if nothing is done to the name meanwhile. */
  readonly begun?: MadeRelation;
  /** The transaction that made it is open. */
  readonly tentative: boolean;
  readonly untilCommit: boolean;
}

/** What was known when it was set. */
interface Savepoint {
  readonly name: string;
  readonly known: ReadonlyMap<string, Known>;
}

const savepointsKept = 100;

const unknown: Known = { relation: undefined, tentative: false, untilCommit: false };

/** Names are never forgotten, so that a client that uses ever new ones has to do with so many. */
const most = 1000;

export class OwnRelations {
  readonly #kind: 'temporary' | 'lasting';
  #known = new Map<string, Known>();
  #savepoints: Savepoint[] = [];
  /** Changes whenever something is done to any name. */
  #touched = 0;
  #snapshot: Temporaries = new Map();

  constructor(kind: 'temporary' | 'lasting') {
    this.#kind = kind;
  }

  /** Another object whenever it says something else. */
  get known(): Temporaries {
    return this.#snapshot;
  }

  /**
   * They are being made: until the server has answered, a name may mean that or what it meant before.
   * @returns false where they are too many to be followed
   */
  begun(made: readonly MadeRelation[]): boolean {
    this.#touched++;
    if (this.#known.size + made.length > most) return false;
    for (const one of made) this.#known.set(one.relation.name, { ...unknown, begun: one });
    this.#changed();
    return true;
  }

  made(made: readonly MadeRelation[]): void {
    const certain = made.filter((one) => this.#known.get(one.relation.name)?.begun === one);
    for (const { relation, untilCommit } of certain) {
      this.#known.set(relation.name, { relation, tentative: true, untilCommit });
    }
    if (certain.length > 0) this.#changed();
  }

  /** Something has been done to what has this name. */
  doubt(name: string): void {
    this.#doubt((known) => known === name);
  }

  doubtAll(): void {
    this.#doubt(() => true);
    // nor what others mean that may have been made
    if (this.#kind === 'lasting' && !this.#known.has(everyName)) {
      this.#known.set(everyName, unknown);
      this.#changed();
    }
  }

  rolledBack(): void {
    this.#doubt((_, { tentative }) => tentative);
  }

  /** What has been begun and is not answered yet is not known by it. */
  savepointSet(name: string): void {
    if (this.#savepoints.length === savepointsKept) this.#savepoints.shift();
    const known = [...this.#known].map(([name, one]) => [name, one.begun ? unknown : one] as const);
    this.#savepoints.push({ name, known: new Map(known) });
  }

  /** Which of them a name means is not known any more. */
  forgetSavepoints(): void {
    this.#savepoints = [];
  }

  /** It is gone, and those that were set after it. */
  released(name: string): void {
    const at = this.#savepoints.findLastIndex((one) => one.name === name);
    if (at >= 0) this.#savepoints.length = at;
  }

  /**
   * The transaction goes back to a savepoint: nothing is known of what it has made, until what is returned is called, once
   * the server has done so. That does nothing where something has been done to any name meanwhile.
   */
  rollingBackTo(name: string): () => void {
    this.rolledBack();
    const since = this.#touched;
    return () => {
      const isUntouched = this.#touched === since;
      this.rolledBack();
      const at = this.#savepoints.findLastIndex((one) => one.name === name);
      const savepoint = this.#savepoints[at];
      if (savepoint === undefined) return;
      this.#savepoints.length = at + 1;
      if (!isUntouched) return;
      this.#known = new Map(savepoint.known);
      this.#changed();
    };
  }

  /** No transaction is open any more. */
  transactionOver(): void {
    this.forgetSavepoints();
    if (this.#kind === 'lasting') {
      if (this.#known.size === 0) return;
      this.#known.clear();
      this.#changed();
      return;
    }
    this.#doubt((_, { untilCommit }) => untilCommit);
    for (const [name, one] of this.#known) if (one.tentative) this.#known.set(name, { ...one, tentative: false });
  }

  #doubt(which: (name: string, known: Known) => boolean): void {
    this.#touched++;
    const doubtful = [...this.#known].filter(([name, one]) => one !== unknown && which(name, one));
    for (const [name] of doubtful) this.#known.set(name, unknown);
    if (doubtful.length > 0) this.#changed();
  }

  #changed(): void {
    this.#snapshot = new Map([...this.#known].map(([name, { relation }]) => [name, relation]));
  }
}

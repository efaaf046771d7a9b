/**
 * What the statements of one client are judged by beside their text, and what those statements do to it: DDL that goes
 * through makes everything that was read from the catalog doubtful until it has been read again.
 */

import type { Analyser } from '../../sql/facts.js';
import type { Candidate } from '../candidate.js';
import { type AnsweredStatement, type StatementTracker, undoesAll } from '../statement-tracker.js';
import { type CatalogChange, catalogChange } from './catalog-change.js';

/** What may be another since the catalog was read, where no text says what it is. */
export interface CatalogDoubts {
  /** What has this name. */
  doubts(name: string): boolean;
  /** What tells the rows of tables apart. */
  readonly doubtsKeys: boolean;
  /** Which settings of an application code of the database reads. */
  readonly doubtsSettings: boolean;
}

export interface ClientCatalog extends CatalogDoubts {
  readonly analyser: Analyser;
  /** It is being read for the first time: nothing is known of any object. */
  readonly unread: boolean;
  /** What was read is in doubt, and can be read again: who waits for `ready` may learn more. */
  readonly behind: boolean;
  /** Has it read. Settles when it has been, or could not be in time. Never rejects. */
  ready(): Promise<void>;
  /** Nothing that outlives the session has this name: what an unqualified name means can only be temporary. */
  onlyTemporary(name: string): boolean;
  /** How many statements of other clients may have changed the catalog; undefined while one of them has not ended. */
  readonly changesOfOthers: number | undefined;
  /** A statement that may change the catalog goes to the server. */
  changing(change: CatalogChange): void;
  /** It has gone well. Before its client has settled. */
  changed(change: CatalogChange): void;
  /** No transaction of this client is open, and nothing of it is under way. */
  settled(): void;
  /** The client's session begins, and ends. */
  opened(): void;
  closed(): void;
}

/** For an analyser that asks no database. */
export function withoutCatalog(analyser: Analyser): ClientCatalog {
  return {
    analyser,
    unread: false,
    behind: false,
    doubts: () => false,
    doubtsKeys: false,
    doubtsSettings: false,
    ready: async () => {},
    onlyTemporary: () => false,
    changesOfOthers: 0,
    changing: () => {},
    changed: () => {},
    settled: () => {},
    opened: () => {},
    closed: () => {},
  };
}

type Changing = Pick<Candidate, 'facts' | 'isTemporary'>;

/** Keeps the catalog informed of what one client does. */
export class CatalogChanges implements StatementTracker {
  readonly #catalog: ClientCatalog;
  readonly #isOfClient: (candidate: Changing) => boolean;
  /** Something that went to the server may have changed the catalog, and is not committed or undone yet. */
  #pending = false;
  /** Those of them that are not answered yet. */
  readonly #under = new Map<Changing, CatalogChange>();
  /** Those that said themselves what they made, in the transaction that is open. */
  #said: CatalogChange[] = [];

  /** @param isOfClient nobody who has a copy of the catalog has to know what the statement does to it */
  constructor(catalog: ClientCatalog, isOfClient: (candidate: Changing) => boolean = () => false) {
    this.#catalog = catalog;
    this.#isOfClient = isOfClient;
    catalog.opened();
  }

  forwarded(candidate: Changing): void {
    if (this.#isOfClient(candidate)) return;
    const { facts, isTemporary } = candidate;
    const change = catalogChange(facts, isTemporary);
    if (change === undefined) return;
    this.#pending = true;
    this.#catalog.changing(change);
    if (change.plain) this.#under.set(candidate, change);
  }

  answered(statement: AnsweredStatement): void {
    const { candidate, how, tags } = statement;
    const change = this.#under.get(candidate);
    this.#under.delete(candidate);
    if (change && how === 'done') {
      this.#said.push(change);
      this.#catalog.changed(change);
    }
    // also by a COMMIT of what had failed, and to a savepoint
    if (this.#said.length > 0 && (tags.includes('ROLLBACK') || undoesAll(statement))) this.#undone();
  }

  /** What they said is not so, or no more. */
  #undone(): void {
    for (const change of this.#said.splice(0)) this.#catalog.changing({ ...change, plain: undefined });
  }

  transactionOver(): void {
    if (!this.#pending) return;
    this.#under.clear();
    this.#said = [];
    this.#pending = false;
    this.#catalog.settled();
  }

  closed(): void {
    this.#catalog.closed();
    this.#undone();
    this.transactionOver();
  }
}

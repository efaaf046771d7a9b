/**
 * What has to be there before a statement is decided: a catalog that is to be read again, a database that dbguard itself
 * has left, a long text that has been looked through for secrets. Most statements wait for none of it.
 *
 * What lives here: the wait, one at a time for each client. What it must not know: what is decided afterwards.
 */
import type { Facts } from '../../sql/facts.js';
import type { Candidate } from '../candidate.js';
import type { Prepared } from '../prepared/registry.js';
import {
  dependsOnCatalog,
  makesOwn,
  needsNoCatalog,
  returnsNothing,
  touchesDoubted,
} from '../session-state/needs-catalog.js';
import { isRowWork } from '../session-state/row-work.js';
import type { ConnectionState } from './connection-state.js';

interface PreparationEvents {
  /** Reading goes on. */
  resume(): void;
  failed(error: unknown): void;
  readonly closed: boolean;
}

export class Preparation {
  readonly #state: ConnectionState;
  readonly #events: PreparationEvents;
  readonly #isDraining: () => boolean;
  #waits = false;

  constructor(state: ConnectionState, events: PreparationEvents, isDraining: () => boolean) {
    this.#state = state;
    this.#events = events;
    this.#isDraining = isDraining;
  }

  /** Nothing of this client moves on. */
  get waits(): boolean {
    return this.#waits;
  }

  /** False where it waits; then it is judged anew. @param again undefined: it is judged as it stands */
  isDone(candidate: Candidate, again: (() => void) | undefined): boolean {
    if (this.#waits || !again) return true;
    const { sql, facts } = candidate;
    const vacating = isRowWork(facts) ? undefined : this.#vacating(facts);
    const loading = vacating ?? this.#loading(candidate);
    const looking = this.#state.parts.journal.lookThrough(sql, facts);
    return this.#isThere(loading && looking ? Promise.all([loading, looking]) : (loading ?? looking), again);
  }

  /** A text that comes to be kept in the journal. False where it waits; then it is parsed anew. */
  isLookedThrough({ sql, facts }: Prepared, again: () => void): boolean {
    return this.#waits || this.#isThere(this.#state.parts.journal.lookThrough(sql, facts), again);
  }

  #isThere(awaited: Promise<unknown> | undefined, again: () => void): boolean {
    if (awaited) this.#waitFor(awaited, again);
    return awaited === undefined;
  }

  /** A catalog that is to be read again: what it says may spare a person the question, or a result its being hidden. */
  #loading({ facts, isTemporary, transactionStatus }: Candidate): Promise<unknown> | undefined {
    const { catalog, masks } = this.#state.parts;
    if (catalog.unread) return needsNoCatalog(facts) ? undefined : catalog.ready();
    if (!catalog.behind) return undefined;
    const judged = dependsOnCatalog(facts, isTemporary, catalog) || touchesDoubted(facts, catalog);
    const masked = masks !== undefined && (!returnsNothing(facts) || makesOwn(facts, transactionStatus === 'T'));
    return judged || masked ? catalog.ready() : undefined;
  }

  /** What is dropped, renamed or copied must be nobody's, and dbguard's own connection would be somebody's. */
  #vacating(facts: Facts): Promise<unknown> | undefined {
    const databases = facts.statements.flatMap(({ vacates = [] }) => vacates);
    return databases.length > 0 ? this.#state.parts.databases.leave(databases) : undefined;
  }

  #waitFor(awaited: Promise<unknown>, again: () => void): void {
    this.#waits = true;
    this.#state.release();
    void awaited.then(() => {
      if (this.#events.closed) return;
      try {
        // an error that came meanwhile makes the server skip what follows, up to Sync
        if (!this.#isDraining() && !this.#state.server.responses.discarding) again();
      } catch (error) {
        this.#events.failed(error);
        return;
      } finally {
        this.#waits = false;
      }
      this.#events.resume();
    });
  }
}

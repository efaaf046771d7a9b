/**
 * Rows that one client changed for good, as command tags report them. What a savepoint took back is not followed.
 * State: the rows of the open transaction.
 */
import type { Facts } from '../../sql/facts.js';
import { rowsChangedIn } from '../command-tag.js';
import { type AnsweredStatement, type StatementTracker, undoesAll } from '../statement-tracker.js';

export class ChangedRows implements StatementTracker {
  readonly #count: (rows: number) => void;
  #open = 0;

  /** @param count told of rows that are there to stay */
  constructor(count: (rows: number) => void) {
    this.#count = count;
  }

  answered(statement: AnsweredStatement): void {
    for (const tag of statement.tags) {
      if (tag === 'COMMIT') this.transactionOver();
      else if (tag !== 'ROLLBACK') this.#open += rowsChangedIn(tag) ?? 0;
      // a savepoint's has the tag of a whole one
      else if (!undoesPart(statement.candidate.facts)) this.#open = 0;
    }
    if (undoesAll(statement)) this.#open = 0;
  }

  transactionOver(): void {
    if (this.#open > 0) this.#count(this.#open);
    this.#open = 0;
  }
}

function undoesPart(facts: Facts): boolean {
  return facts.statements.some(({ transaction }) => transaction === 'rollback-to');
}

/** What the wait for a person asks of whoever knows the database: what a statement would hit, and a dry run. */

import type { Extents } from '../../policy/mass-changes.js';
import type { Effect } from '../../sql/facts.js';
import type { Candidate } from '../candidate.js';
import type { InternalLimits, InternalSession } from '../internal-queries/internal-queries.js';
import type { DryRun, Impact } from './asker.js';
import type { HeldStatement } from './held-statement.js';

export interface Assessor {
  /** What a statement would hit. Never rejects. `session` is the client's own, where it can be asked. */
  impact(candidate: Candidate, held: HeldStatement, session: InternalSession | undefined): Promise<Impact>;
  /**
   * How many rows its updates and deletes hit. Never rejects, but when the connection is lost.
   * @param needsSize whether the size of an effect's table is worth a question of its own
   */
  extents(
    candidate: Candidate,
    held: HeldStatement,
    session: InternalSession,
    needsSize: (effect: Effect) => boolean,
  ): Promise<Extents>;
  /** Rows of all tables of each name; undefined where they cannot be counted. Never rejects, but when the connection is lost. */
  sizes(tables: readonly string[], session: InternalSession): Promise<ReadonlyMap<string, number | undefined>>;
  dryRun(candidate: Candidate, held: HeldStatement, session: InternalSession): Promise<DryRun>;
  /** Whether the client's session waits for a lock of another one, as the server tells a third. */
  waitsForLock(): Promise<boolean>;
  /** The person chose to end the whole run. */
  endSession(): void;
}

/** Locks of the statement are held for so long at most, and those of others waited for even less. */
export const dryRunLimits: InternalLimits = { statementMs: 5000, lockMs: 1000 };

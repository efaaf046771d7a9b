/**
 * Whether a connection may have come to hold what DISCARD ALL does not take away: temporary relations whose schema stays,
 * names of settings that were made up, libraries that were loaded, variables of code that cannot be seen, slots and origins of replication.
 *
 * What lives here: that it may. What it must not know: who would have the connection next.
 */
import { kindsWith } from '../../sql/effect-traits.js';
import type { Effect, Facts } from '../../sql/facts.js';
import type { Candidate } from '../candidate.js';
import type { StatementTracker } from '../statement-tracker.js';

const discarded = kindsWith('discarded');

export class Leftovers implements StatementTracker {
  #possible = false;

  get possible(): boolean {
    return this.#possible;
  }

  forwarded({ facts }: Candidate): void {
    this.#possible ||= mayLeaveSomething(facts);
  }
}

function mayLeaveSomething({ unparseable, statements }: Facts): boolean {
  return unparseable !== undefined || statements.some(({ effects }) => !effects.every(isDiscarded));
}

function isDiscarded({ kind, opaque, targets }: Effect): boolean {
  return !opaque && discarded.has(kind) && !(kind === 'session' && targets.some(({ name }) => mayBeMadeUp(name)));
}

/** `my.tenant` is '' after RESET where it was nothing before, and no view of the server shows it. */
function mayBeMadeUp(setting: string): boolean {
  return setting.includes('.');
}

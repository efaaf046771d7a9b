/** Which statements of a held text change nothing, asked before anybody is. */
import type { DecisionInput } from '../../policy/decision.js';
import type { Candidate } from '../candidate.js';
import { InternalQuery } from '../internal-queries/internal-queries.js';
import { ServerRefusal } from '../internal-queries/internal-reply.js';
import { findNothingToDo, mayChangeNothing } from '../internal-queries/nothing-to-do.js';

interface Parts {
  readonly candidate: Candidate;
  /** See ClientCatalog.changesOfOthers. */
  readonly otherChanges: () => number | undefined;
  /** Questions on the client's connection, or why there can be none. */
  readonly internal: () => InternalQuery | { readonly obstacle: string };
}

/** Planning and catalog questions only. */
export const impactLimits = { statementMs: 2000, lockMs: 500 };

/** Undefined also where another client is about to change the catalog, or did meanwhile. */
export async function whatChangesNothing(
  { candidate, otherChanges, internal }: Parts,
  signal: AbortSignal,
): Promise<DecisionInput['changesNothing']> {
  const before = otherChanges();
  if (before === undefined || !mayChangeNothing(candidate.facts)) return undefined;
  const questions = internal();
  if (!(questions instanceof InternalQuery)) return undefined;
  const found = await questions
    .run(impactLimits, (session) => findNothingToDo(candidate.facts, session, candidate.bindValues))
    .catch((error: unknown) => {
      if (error instanceof ServerRefusal) return new Set<number>();
      throw error;
    });
  return found.size === 0 || otherChanges() !== before || signal.aborted ? undefined : found;
}

/**
 * What the server is sure to refuse is nobody's to approve: a table that is not there, a right that the login lacks. The
 * client hears the server's own error, as it would without dbguard.
 *
 *   rows:     the server parses it, and plans it
 *   objects:  what it names is looked up; where that says no, the statement is tried out and undone, for the server's words
 *
 * What lives here: these two ways. What it must not know: who would be asked.
 */
import { maskDiagnostics } from '../../masking/diagnostics.js';
import { accessNeeds } from '../../policy/access-offer.js';
import { kindsWith } from '../../sql/effect-traits.js';
import type { StatementFacts } from '../../sql/facts.js';
import { encodeServerError } from '../../wire/backend.js';
import type { Admission, Candidate } from '../candidate.js';
import { relationRights } from '../internal-queries/access-rights.js';
import type { InternalQuery, InternalSession } from '../internal-queries/internal-queries.js';
import { ServerRefusal } from '../internal-queries/internal-reply.js';
import { isSo } from '../internal-queries/nothing-to-do.js';
import { lackOf } from './access-question.js';
import type { DryRun } from './asker.js';
import { impactLimits } from './changes-nothing.js';
import type { HeldStatement } from './held-statement.js';

interface Parts {
  readonly candidate: Candidate;
  readonly admission: Admission;
  readonly held: HeldStatement;
}

export interface Refusal {
  readonly sqlstate: string;
  /** One ErrorResponse. */
  readonly error: Buffer;
}

const ofTables = kindsWith('undone-by-rollback');
const ofRows: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

/** @param tryOut the dry run, journaled */
export async function whatServerRefuses(
  parts: Parts,
  internal: InternalQuery,
  tryOut: () => Promise<DryRun>,
): Promise<Refusal | undefined> {
  const [statement, ...more] = parts.candidate.facts.statements;
  if (statement === undefined || more.length > 0) return undefined;
  // what reaches beyond the database's tables is a person's to know about, whether or not it can run
  if (!statement.effects.every(({ kind, opaque }) => opaque || ofTables.has(kind))) return undefined;
  if (ofRows.has(statement.command)) {
    const refused = await internal.run(impactLimits, (session) => refusedPlan(session, parts));
    return refused && told(refused, parts);
  }
  if (!(await internal.run(impactLimits, (session) => refusedByCatalog(session, parts.candidate, statement))))
    return undefined;
  const trial = await tryOut();
  return 'failed' in trial && trial.failed && isLasting(trial.failed) ? told(trial.failed, parts) : undefined;
}

/** Nothing of it runs. What the driver has parsed and bound already, the server has read. */
async function refusedPlan(session: InternalSession, { candidate, held }: Parts): Promise<ServerRefusal | undefined> {
  const { sql } = candidate;
  const { bound } = held;
  try {
    if (bound === undefined) await session.nested(() => session.put({ sql, parseOnly: true }));
    await session.nested(() =>
      session.put({ sql: `EXPLAIN ${sql}`, ...(bound && { bound, parameterTypes: bound.parameterTypes }) }),
    );
  } catch (error) {
    if (error instanceof ServerRefusal) return isLasting(error) ? error : undefined;
    throw error;
  }
  return undefined;
}

/** Syntax Error or Access Rule Violation, and a schema that is not there ("PostgreSQL Error Codes"). */
function isLasting({ sqlstate }: ServerRefusal): boolean {
  return sqlstate.startsWith('42') || sqlstate === '3F000';
}

async function refusedByCatalog(
  session: InternalSession,
  { facts }: Candidate,
  statement: StatementFacts,
): Promise<boolean> {
  for (const presence of statement.refusedIf ?? []) if (await isSo(presence, session)) return true;
  const needs = accessNeeds(facts);
  const rights = await relationRights(
    session,
    needs.map(({ target }) => target),
  );
  for (const need of needs) {
    const found = await lackOf(session, need, rights, statement);
    if (typeof found === 'object') return true;
  }
  return false;
}

function told(refusal: ServerRefusal, { candidate, held }: Parts): Refusal {
  const fields = new Map(refusal.fields);
  // where it stands in another text than the client's
  if (candidate.facts.statements[0]?.start !== 0 || refusal.sqlstate === '42501') fields.delete('P');
  const error = encodeServerError(fields);
  return {
    sqlstate: refusal.sqlstate,
    error: held.diagnosticsMasked ? maskDiagnostics(error, 0, error.length) : error,
  };
}

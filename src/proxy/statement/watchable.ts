/**
 * Which statements can be run so that they can still be undone, and where.
 *
 * What must live here: commands, and where a connection stands. What it must not know: how a run is undone, and why.
 */
import { rowCommands } from '../../policy/role-commands.js';
import type { Candidate, GatedKind } from '../candidate.js';
import { massEffects } from '../row-counts/mass-effects.js';
import type { ServerSide } from '../server/server-side.js';

/** Commands that can be undone as a whole, and that run in a transaction block as they do outside of one. */
export const watchable: ReadonlySet<string> = new Set([...rowCommands, 'EXECUTE']);
/** As long as they end no transaction, which a dry run has shown. */
export const watchableCode: ReadonlySet<string> = new Set(['DO', 'CALL']);

/** @param tried it has run in a transaction block already */
export function canBeWatched({ kind, facts }: Candidate, tried: boolean): boolean {
  return (
    kind !== 'function' &&
    facts.unparseable === undefined &&
    facts.statements.every(
      ({ command, transaction }) =>
        transaction === undefined && (watchable.has(command) || (tried && watchableCode.has(command))),
    )
  );
}

/** Why it cannot be undone for itself on this connection now; undefined where it can. */
export function watchObstacle({ responses, transactionStatus }: ServerSide, kind: GatedKind): string | undefined {
  if (transactionStatus === 'E') return 'the transaction has failed';
  const open = transactionStatus === 'I' && kind === 'query' && responses.pipeline === 'executed';
  if (!responses.idle || responses.queryInPipeline || open) return 'the client sends several statements at once';
  return undefined;
}

/** Why nothing holds the real run of a statement that changes rows against what is shown; undefined where it is done. */
export function whyUnwatched(server: ServerSide, candidate: Candidate, atBind: boolean): string | undefined {
  const { facts, kind } = candidate;
  const runsCode = facts.statements.some(({ command }) => watchableCode.has(command));
  if (!runsCode && massEffects(facts).length === 0) return undefined;
  if (atBind) return 'the server may run it when it is bound';
  const obstacle = watchObstacle(server, kind);
  if (obstacle !== undefined) return obstacle;
  if (!canBeWatched(candidate, true)) return 'it cannot run in a transaction of dbguard’s';
  return canBeWatched(candidate, false)
    ? undefined
    : 'code may end a transaction, unless a dry run has shown what it does';
}

/**
 * A watched run of a statement that has passed the gate: forwarded, settled in the journal, and held against what was
 * expected of it.
 *
 * What lives here: what the run needs of the connection, and the ruling by its real rows. What it must not know: what
 * becomes of a statement that was undone.
 */
import type { Ruling } from '../../policy/decision.js';
import type { Extents } from '../../policy/mass-changes.js';
import { roleRun } from '../../policy/role-commands.js';
import { flushMessage } from '../../wire/extended-query.js';
import { counted } from '../../words.js';
import type { Admission } from '../candidate.js';
import { type RunRows, runWords, tagsSayAll } from '../row-counts/shown-rows.js';
import type { Settled } from '../server/meter.js';
import { AloneRun, type Behind } from './alone-run.js';
import type { ConnectionState } from './connection-state.js';
import { answerMask, type GatedMessage } from './gated.js';
import { newInternalQuery } from './gated-internal-query.js';
import type { Leaving } from './leaving.js';
import type { Expected } from './statement-rulings.js';
import { type Answered, type WatchEnd, WatchedRun } from './watched-run.js';

/** `ruling`: by its real rows, where it was undone. */
export type WatchedEnd = WatchEnd & { readonly ruling: Ruling };

/** @param refusable see WatchedRunParts @param leave it is about to leave for the server */
export async function runWatched(
  state: ConnectionState,
  gated: GatedMessage,
  admission: Admission,
  expected: Expected & { readonly limited: boolean },
  refusable: boolean,
  leave: () => Leaving,
): Promise<WatchedEnd> {
  const { journal, context } = state.parts;
  const { candidate } = gated;
  const { as } = admission.ruling;
  let leaving: Leaving | undefined;
  let { ruling } = admission;
  const answered = (behind?: Behind): Promise<Answered> =>
    new Promise((resolve) => {
      leaving = leave();
      const { meter, mask, tap } = leaving;
      tap?.hold();
      if (as) meter.role = as.role;
      const settle = (how: Settled): void => {
        behind?.settled();
        resolve({ how, tags: meter.tags, refusal: meter.refusal });
      };
      gated.unbound?.send();
      state.server.responses.expect({ kind: candidate.kind, meter, mask, tap, settle });
      state.outbox.out.push(gated.buffer, gated.start, gated.end);
      if (behind) behind.push();
      else if (candidate.kind === 'execute') state.outbox.out.pushMessage(flushMessage);
      state.release();
    });
  const forward = (behind?: Behind): Promise<Answered> =>
    as?.window === undefined ? answered(behind) : whileOpen(state, as.window, () => answered(behind));
  const internal = newInternalQuery(state, gated);
  const [statement] = candidate.facts.statements;
  if (as && statement && roleRun(statement) === 'alone' && candidate.transactionStatus === 'I') {
    const end = await new AloneRun({ state, internal, candidate, role: as.role, forward }).run();
    if (leaving && end.kind === 'answered') leaving.settle(end.how);
    return { ...end, ruling };
  }
  const end = await new WatchedRun({
    state,
    internal,
    candidate,
    portalKnown: gated.portal !== undefined,
    counts: expected.limited && (expected.shown?.tables !== undefined || !tagsSayAll(candidate.facts)),
    accepts: (real, tags) => {
      if (!expected.limited) return true;
      const beyond = journal.rulings.beyond({ candidate, ruling, context }, expected, real, tags);
      ruling = beyond ?? ruling;
      return beyond === undefined;
    },
    mask: answerMask(state, gated),
    role: as?.role,
    refusable,
    forward,
  }).run();
  if (end.kind === 'answered') {
    if (leaving && end.sqlstate !== undefined) leaving.meter.sqlstate = end.sqlstate;
    leaving?.settle(end.how, end.real);
  } else if (end.kind === 'undone' || end.kind === 'refused') {
    // a long answer began to reach the client before that was decided
    if (end.kind === 'undone' && end.begun) leaving?.tap?.end(true);
    leaving?.settle('undone');
    if (gated.portal) gated.portal.admitted = undefined;
  }
  return { ...end, ruling };
}

/** What still runs as the role when its time is over is cancelled, and nothing that is sent afterwards. */
async function whileOpen<T>({ parts }: ConnectionState, window: number, run: () => Promise<T>): Promise<T> {
  let cancelled: Promise<void> = Promise.resolve();
  const stop = parts.journal.windows.onEnd((n) => {
    if (n === window) cancelled = parts.port.cancel().catch(() => undefined);
  });
  try {
    return await run();
  } finally {
    stop();
    await cancelled;
  }
}

export function beyondReason(real: RunRows, { shown, extents }: Expected): string {
  const taken = shown
    ? `, where ${counted(shown.rows, 'row')} ${shown.rows === 1 ? 'was' : 'were'} shown`
    : expectedSum(extents) < real.rows
      ? ', which is more than was expected'
      : '';
  return `It really changed or deleted ${runWords(real)}${taken}: dbguard undid it.`;
}

function expectedSum(extents: Extents | undefined): number {
  let sum = 0;
  for (const { rows } of extents?.values() ?? []) sum += rows?.number ?? 0;
  return sum;
}

/**
 * A statement leaves for the server: whoever looks ahead takes from it what they have to know, in this order, and hears
 * of its end.
 */
import { unmaskRule } from '../../policy/decision.js';
import type { Facts } from '../../sql/facts.js';
import type { Admission } from '../candidate.js';
import { changesRows } from '../row-counts/mass-effects.js';
import type { AnswerMask } from '../server/answer-mask.js';
import { Meter, type Settled } from '../server/meter.js';
import type { ConnectionState } from './connection-state.js';
import { answerMask, type GatedMessage } from './gated.js';

export interface Leaving {
  readonly meter: Meter;
  readonly mask: AnswerMask | undefined;
  readonly settle: (how: Settled) => void;
}

/** What a statement with more rows than this has changed, answers of the planner may not know. */
const manyRows = 100;

/** @param why `approved`: its rows count for nothing afterwards */
export function leave(
  state: ConnectionState,
  gated: GatedMessage,
  admission: Admission,
  why: 'approved' | 'allowed',
): Leaving {
  const journal = state.parts.journal;
  const counted = why === 'allowed' && admission.ruling.rule.startsWith('builtin:');
  const portal = gated.portal ?? gated.binds;
  if (portal) {
    // of few rows it is only known for sure when it runs
    if (!gated.binds || !admission.ruling.few) portal.admitted ??= admission.n;
    portal.generation = state.parts.catalog.analyser.generation;
  }
  const settleHandles = gated.onForward?.();
  const settleLexical = state.lexical.forwarded(gated.candidate);
  state.masks?.forwarded(gated.candidate.facts);
  state.catalogChanges.forwarded(gated.candidate.facts, state.temporaryTables.known);
  state.temporaryTables.forwarded(gated.candidate.facts);
  state.sessionDigest.forwarded(gated.candidate);
  const mask = answerMask(state, gated);
  const meter = new Meter(admission.n, journal.clock.monotonic());
  const plan = gated.mask;
  if (mask && plan) {
    mask.notices = () => state.masks?.notices(plan) ?? [];
    meter.masked = plan.masked.map(({ name }) => name.join('.'));
    meter.inferred = plan.inferred;
  }
  const settle = (how: Settled): void => {
    settleHandles?.(how === 'undone' ? 'failed' : how);
    settleLexical?.();
    const { transactionStatus } = state.server;
    if (how === 'undone') {
      journal.recordOutcome(admission.n, meter.outcome(how, journal.clock.monotonic(), transactionStatus));
      return;
    }
    if (how === 'done') {
      state.transaction.done(gated.candidate.facts, meter.tags);
      state.temporaryTables.done(gated.candidate.facts);
      if (why === 'approved' && admission.ruling.rule === unmaskRule) state.masks?.unmasked(gated.candidate.facts);
    }
    const kept = state.changedRows.answered(meter.tags, undoesPart(gated.candidate.facts));
    state.openChanges.answered(gated.candidate, meter.tags, admission.extents, counted);
    if (how === 'failed' && transactionStatus === 'I') {
      state.changedRows.undone();
      state.openChanges.undone();
    }
    if (changesRows(gated.candidate.facts) && meter.rows > manyRows)
      journal.extentsIn(state.parts.context.database).forget();
    journal.recordOutcome(admission.n, meter.outcome(how, journal.clock.monotonic(), transactionStatus));
    journal.countRowsChanged(kept);
  };
  return { meter, mask, settle };
}

function undoesPart(facts: Facts): boolean {
  return facts.statements.some(({ transaction }) => transaction === 'rollback-to');
}

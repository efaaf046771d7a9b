/**
 * A statement leaves for the server: the registry and the connection's trackers take from it what they have to know, and
 * hear of its end before the journal does.
 */
import type { Admission } from '../candidate.js';
import type { RunRows } from '../row-counts/shown-rows.js';
import type { AnswerMask } from '../server/answer-mask.js';
import { Meter, type Settled } from '../server/meter.js';
import { ResultTap } from '../server/result-tap.js';
import { isRowWork } from '../session-state/row-work.js';
import type { ConnectionState } from './connection-state.js';
import { answerMask, type GatedMessage } from './gated.js';

export interface Leaving {
  readonly meter: Meter;
  readonly mask: AnswerMask | undefined;
  readonly tap: ResultTap | undefined;
  /** @param real what the run has changed, where that was counted by table */
  readonly settle: (how: Settled, real?: RunRows) => void;
}

/** @param why `approved`: its rows count for nothing afterwards */
export function leave(
  state: ConnectionState,
  gated: GatedMessage,
  admission: Admission,
  why: 'approved' | 'allowed',
): Leaving {
  const journal = state.parts.journal;
  const portal = gated.portal ?? gated.binds;
  if (portal) {
    // of few rows it is only known for sure when it runs
    if (!gated.binds || !admission.ruling.few) portal.admitted ??= admission.n;
    portal.generation = state.parts.catalog.analyser.generation;
  }
  const settleHandles = gated.onForward?.();
  const rowWork = isRowWork(gated.candidate.facts);
  const settleLexical = rowWork ? undefined : state.lexical.forwarded(gated.candidate);
  if (!rowWork) state.trackers.forwarded(gated.candidate);
  const answered = why === 'allowed' ? state.changes.underWay(gated.candidate, admission) : undefined;
  const mask = answerMask(state, gated);
  const meter = new Meter(admission.n, journal.clock.monotonic(), gated.candidate.transactionStatus);
  const tap = resultTap(state, gated, admission.n);
  const plan = gated.mask;
  if (mask && plan) {
    mask.notices = () => state.masks?.notices(plan) ?? [];
    mask.detected = (found) => {
      meter.detected.push(...found.map(({ column, what }) => `${column}: ${what.join(', ')}`));
      journal.countDetected(found.length);
      return state.masks?.undeclared(found) ?? [];
    };
    meter.masked = plan.masked.map(({ name }) => name.join('.'));
    meter.inferred = plan.inferred;
  }
  const settle = (how: Settled, real?: RunRows): void => {
    tap?.end(how !== 'undone');
    const changed = real?.tables?.values();
    settleHandles?.(how === 'undone' ? 'failed' : how);
    settleLexical?.();
    answered?.();
    const { transactionStatus } = state.server;
    if (how !== 'undone') {
      const { candidate } = gated;
      const { ruling, extents } = admission;
      const { tags, rows } = meter;
      state.trackers.answered({ candidate, ruling, extents, why, how, tags, rows, transactionStatus, changed });
    }
    journal.recordOutcome(admission.n, meter.outcome(how, journal.clock.monotonic(), transactionStatus));
  };
  return { meter, mask, tap, settle };
}

function resultTap({ parts }: ConnectionState, { candidate, portal }: GatedMessage, of: number): ResultTap | undefined {
  if (parts.recording === undefined) return undefined;
  const formats = candidate.kind === 'execute' ? (portal?.resultFormats ?? []) : undefined;
  return new ResultTap(parts.recording, { of, formats, described: () => portal?.prepared.at(-1)?.columns });
}

/** A message at the gate: what was asked, its bytes, and what of its result is masked. */
import type { RewritePlan } from '../../masking/rewrite-plan.js';
import type { Ruling } from '../../policy/decision.js';
import type { BindValues } from '../../wire/extended-query.js';
import type { Candidate } from '../candidate.js';
import type { Portal, Settle } from '../prepared/registry.js';
import { AnswerMask } from '../server/answer-mask.js';
import { copiesOut, copyNotMaskable, maskRuling, portalNotMaskable } from '../session-state/mask-rulings.js';
import type { ConnectionState } from './connection-state.js';
import type { HeldStatement } from './held-statement.js';

/** The Bind of a portal that the server has not got yet. */
export interface Unbound {
  /** It is still to go. */
  readonly waits: boolean;
  /** It goes now; nothing where it went or was dropped before. @param privilegeHint see Expectation */
  send(privilegeHint?: string): void;
  /** It never goes: its statement does not run. */
  drop(): void;
}

/** What to do with the frame at hand once it is decided. */
export interface GatedMessage {
  readonly candidate: Candidate;
  /** Its bytes, `buffer[start, end)`: left where they are, so that neighbours leave in one write. */
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  readonly portal?: Portal | undefined;
  /** It is the Bind of this portal: let through, its Execute is more of the same. */
  readonly binds?: Portal;
  /** The Bind of `portal`, where the server has not got it yet: it goes right before, or not at all. */
  readonly unbound?: Unbound | undefined;
  /** Has the message judged anew, from its bytes; undefined where knowing more changes nothing. */
  readonly again: (() => void) | undefined;
  /** Registry changes that follow from running it. */
  readonly onForward?: () => Settle | undefined;
  readonly mask?: RewritePlan | undefined;
}

/** Before the gate: what would carry masked values to where nothing masks them is a denial, lifting a mask a question. */
export function withMask(state: ConnectionState, asked: GatedMessage): GatedMessage {
  if (!state.masks) return asked;
  const least = state.masks.untagging(asked.candidate.facts);
  const gated = least === undefined ? asked : { ...asked, candidate: { ...asked.candidate, least } };
  const { candidate } = gated;
  const plan = state.masks.plan(candidate.sql);
  const denied = (decided: Ruling): GatedMessage => ({ ...gated, candidate: { ...candidate, decided } });
  const unmasking = state.masks.unmasking(candidate.facts);
  if (unmasking) return denied(unmasking);
  if (candidate.kind === 'function') return denied(copyNotMaskable);
  if (candidate.kind === 'execute' && (gated.portal ?? gated.binds)?.prepared.length !== 1)
    return denied(portalNotMaskable);
  if (plan.kind === 'none') return gated;
  if (plan.kind === 'deny') return denied(maskRuling(plan));
  if (copiesOut(candidate.facts) && plan.forCopy(encodingOf(state, candidate)) === 'unsupported')
    return denied(copyNotMaskable);
  return { ...gated, mask: plan };
}

/** Empty where it is not known: then nothing is taken apart. */
function encodingOf(state: ConnectionState, candidate: Candidate): string {
  return state.lexical.encodingHolds(candidate) ? state.encoding : '';
}

export function answerMask(state: ConnectionState, { mask, portal, candidate }: GatedMessage): AnswerMask | undefined {
  if (!mask) return undefined;
  if (candidate.kind === 'query') return new AnswerMask(mask, encodingOf(state, candidate));
  return new AnswerMask(
    mask,
    encodingOf(state, candidate),
    portal?.resultFormats ?? [],
    portal?.prepared.at(-1)?.fields,
  );
}

/** What a question about a held statement may use of it. */
export function heldStatement(state: ConnectionState, { candidate, portal, mask }: GatedMessage): HeldStatement {
  const only = portal?.prepared[0];
  return {
    bound: portal && only ? { ...boundBy(portal), parameterTypes: only.parameterTypes } : undefined,
    diagnosticsMasked: mask?.diagnostics ?? state.masks?.plan(candidate.sql).kind === 'deny',
    maskOf: (sql) => {
      const plan = state.masks?.plan(sql);
      if (plan?.kind === 'deny') return 'hidden';
      return plan?.kind === 'mask' ? new AnswerMask(plan, encodingOf(state, candidate), []) : undefined;
    },
    selectedRows: (sql) => state.parts.catalog.analyser.selectedRows(sql),
  };
}

export function boundBy(portal: Portal): BindValues {
  return { formats: portal.parameterFormats, values: portal.values, resultFormats: portal.resultFormats };
}

/**
 * The passage of one statement: masked results planned, admitted by the gate, then forwarded, denied, or held until a
 * person has answered.
 *
 * What lives here: what each decision does to the message at hand. What it must not know: how messages are cut and
 * decoded, the policy's rules.
 */
import type { RewritePlan } from '../../masking/masker.js';
import { type Ruling, unmaskRule } from '../../policy/decision.js';
import type { Facts } from '../../sql/facts.js';
import { type ErrorText, encodeError } from '../../wire/backend.js';
import { type BindValues, flushMessage } from '../../wire/extended-query.js';
import { headerBytes } from '../../wire/messages.js';
import { plural } from '../../words.js';
import type { Admission, Candidate, GatedKind } from '../candidate.js';
import { Inquiry } from '../internal-queries/internal-queries.js';
import type { Portal, Prepared, Settle } from '../prepared/registry.js';
import { changesRows, massEffects } from '../row-counts/mass-effects.js';
import { type RunRows, runWords, tagsSayAll } from '../row-counts/shown-rows.js';
import { AnswerMask } from '../server/answer-mask.js';
import { Meter, type Settled } from '../server/meter.js';
import { dependsOnCatalog } from '../session-state/client-catalog.js';
import { copiesOut, copyNotMaskable, maskRuling, portalNotMaskable } from '../session-state/result-masks.js';
import { endsTransaction } from '../session-state/session-digest.js';
import { type Allowed, isMaybeTypo, Review, type ReviewEnd } from './approval-wait.js';
import type { ConnectionState } from './connection-state.js';
import { deniedByRule, failingMessage, undoneText } from './denial.js';
import type { HeldStatement } from './held-statement.js';
import type { Expected } from './statement-journal.js';
import { type Answered, canBeWatched, WatchedRun, watchObstacle } from './watched-run.js';

/** What to do with the frame at hand once it is decided. */
export interface Gated {
  readonly candidate: Candidate;
  /** Its bytes, `buffer[start, end)`: left where they are, so that neighbours leave in one write. */
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  readonly portal?: Portal;
  /** It is the Bind of this portal: let through, its Execute is more of the same. */
  readonly binds?: Portal;
  /** Has the message judged anew, from its bytes; undefined where knowing more changes nothing. */
  readonly again: (() => void) | undefined;
  /** Registry changes that follow from running it. */
  readonly onForward?: () => Settle | undefined;
  readonly mask?: RewritePlan | undefined;
}

/** What the session does when a statement that was held is decided. */
export interface PassageEvents {
  /** Reading goes on. */
  resume(): void;
  /** The review itself failed. */
  failed(error: unknown): void;
  abort(error: ErrorText): void;
  readonly closed: boolean;
}

interface Leaving {
  readonly meter: Meter;
  readonly mask: AnswerMask | undefined;
  readonly settle: (how: Settled) => void;
}

/** What a statement with more rows than this has changed, answers of the planner may not know. */
const manyRows = 100;

export class Passage {
  readonly #state: ConnectionState;
  readonly #events: PassageEvents;
  #review: Review | undefined;
  #waits: Admission | undefined;
  /** The statement with which a person approved a migration as one transaction: its further changes are part of it. */
  #approvedTransaction: number | undefined;
  #draining = false;
  /** A statement waits until the catalog has been read again. */
  #waiting = false;
  /** A statement runs and may still be undone. */
  #watching = false;

  constructor(state: ConnectionState, events: PassageEvents) {
    this.#state = state;
    this.#events = events;
  }

  /** A statement waits for its review: nothing of this client moves on. */
  get held(): boolean {
    return this.#waiting || this.#watching || this.#review !== undefined;
  }

  /** What was forwarded last may still be undone. */
  get watching(): boolean {
    return this.#watching;
  }

  /** Ends a wait for approval; false where there is none. */
  interrupt(cause: 'cancel' | 'disconnect'): boolean {
    return this.#review?.interrupt(cause) ?? false;
  }

  /** The end is near: a statement that waits for a person is dropped, and the client hears only of the end. */
  drain(): void {
    this.#draining = true;
    this.interrupt('disconnect');
  }

  /** The connection is gone: a statement that still waits did not run. */
  abandon(): void {
    const held = this.#waits;
    this.#waits = undefined;
    if (held) this.#state.parts.gate.recordAbandoned(held, 'disconnect');
  }

  /** The server has answered everything, or discards what comes. */
  quiet(discarding: boolean): void {
    this.#review?.quiet(discarding);
  }

  transactionOver(): void {
    this.#approvedTransaction = undefined;
  }

  /** The gates, in order; see gate.ts. */
  pass(asked: Gated): void {
    const { catalog } = this.#state.parts;
    if (!this.#waiting && asked.again) {
      const loading = this.#vacating(asked.candidate.facts) ?? this.#loading(asked.candidate.facts);
      if (loading) {
        this.#waitFor(loading, asked.again);
        return;
      }
    }
    const gated = this.#withMask(asked);
    const { portal } = gated;
    if (portal && portal.generation !== catalog.analyser.generation) portal.admitted = undefined;
    const admitted = portal?.admitted;
    if (admitted !== undefined) {
      this.#state.outbox.requireCommit();
      this.#forward(gated, this.#state.parts.gate.admitMore(gated.candidate, admitted, this.#state.parts.context));
      return;
    }
    const admission = this.#state.parts.gate.admit(gated.candidate, this.#state.parts.context);
    this.#disclosed((portal ?? gated.binds)?.prepared ?? [], admission);
    this.#state.outbox.requireCommit();
    switch (admission.ruling.decision) {
      case 'allow':
        if (admission.ruling.few && !gated.binds && canBeWatched(gated.candidate, false)) this.#hold(gated, admission);
        else this.#forward(gated, admission);
        return;
      case 'ask':
        if (this.#approvedTransaction !== undefined && admission.ruling.covers === 'transaction') {
          this.#state.parts.gate.recordCovered(admission, this.#approvedTransaction);
          this.#forward(gated, admission, 'approved');
          return;
        }
        this.#hold(gated, admission);
        return;
      case 'deny':
        if (isMaybeTypo(gated.candidate)) {
          this.#hold(gated, admission);
          return;
        }
        this.#state.parts.gate.recordRuleVerdict(admission);
        this.deny(gated.candidate.kind, deniedByRule(admission.ruling));
        return;
      default:
        this.#hold(gated, admission);
    }
  }

  /** A statement that is the only one its name may stand for has its text in the journal now. */
  #disclosed([only, ...others]: readonly Prepared[], { n, facts }: Admission): void {
    if (only && facts && others.length === 0) only.entry ??= { n, facts };
  }

  /** @param why `approved`: its rows count for nothing afterwards */
  #forward(gated: Gated, admission: Admission, why: 'approved' | 'allowed' = 'allowed'): void {
    const { meter, mask, settle } = this.#leaving(gated, admission, why);
    const kind = gated.binds ? 'bind' : gated.candidate.kind;
    this.#state.server.responses.expect({ kind, meter, ...(mask ? { mask } : {}), settle });
    this.#state.outbox.out.push(gated.buffer, gated.start, gated.end);
  }

  /** What everything that looks ahead takes from a statement that leaves now, and what its end will tell them. */
  #leaving(gated: Gated, admission: Admission, why: 'approved' | 'allowed'): Leaving {
    const gate = this.#state.parts.gate;
    const counted = why === 'allowed' && admission.ruling.rule.startsWith('builtin:');
    const portal = gated.portal ?? gated.binds;
    if (portal) {
      // of few rows it is only known for sure when it runs
      if (!gated.binds || !admission.ruling.few) portal.admitted ??= admission.n;
      portal.generation = this.#state.parts.catalog.analyser.generation;
    }
    const settleHandles = gated.onForward?.();
    const settleReading = this.#state.reading.forwarded(gated.candidate);
    this.#state.masks?.forwarded(gated.candidate.facts);
    this.#state.catalogChanges.forwarded(gated.candidate.facts, this.#state.temporaryTables.known);
    this.#state.temporaryTables.forwarded(gated.candidate.facts);
    this.#state.circumstances.forwarded(gated.candidate);
    // COMMIT AND CHAIN never lets the connection come to rest in between
    if (this.#approvedTransaction !== undefined && endsTransaction(gated.candidate.facts)) this.transactionOver();
    const mask = this.#answerMask(gated);
    const meter = new Meter(admission.n, gate.clock.monotonic());
    const plan = gated.mask;
    if (mask && plan) {
      mask.notices = () => this.#state.masks?.notices(plan) ?? [];
      meter.masked = plan.masked.map(({ name }) => name.join('.'));
    }
    const settle = (how: Settled): void => {
      settleHandles?.(how === 'undone' ? 'failed' : how);
      settleReading?.();
      const { transactionStatus } = this.#state.server;
      if (how === 'undone') {
        gate.recordOutcome(admission.n, meter.outcome(how, gate.clock.monotonic(), transactionStatus));
        return;
      }
      if (how === 'done') {
        this.#state.transaction.done(gated.candidate.facts, meter.tags);
        this.#state.temporaryTables.done(gated.candidate.facts);
        if (why === 'approved' && admission.ruling.rule === unmaskRule)
          this.#state.masks?.unmasked(gated.candidate.facts);
      }
      const kept = this.#state.changedRows.answered(meter.tags, undoesPart(gated.candidate.facts));
      this.#state.openChanges.answered(gated.candidate, meter.tags, admission.extents, counted);
      if (how === 'failed' && transactionStatus === 'I') {
        this.#state.changedRows.undone();
        this.#state.openChanges.undone();
      }
      if (changesRows(gated.candidate.facts) && meter.rows > manyRows)
        gate.extentsIn(this.#state.parts.context.database).forget();
      gate.recordOutcome(admission.n, meter.outcome(how, gate.clock.monotonic(), transactionStatus));
      gate.countRowsChanged(kept);
    };
    return { meter, mask, settle };
  }

  /** What was let through for a number of rows runs so that it can be undone; see watched-run.ts. */
  async #watch(gated: Gated, admission: Admission, expected: Expected): Promise<void> {
    const { gate, context } = this.#state.parts;
    const { candidate } = gated;
    let leaving: Leaving | undefined;
    const forward = (): Promise<Answered> =>
      new Promise((resolve) => {
        const left = this.#leaving(gated, admission, expected.shown ? 'approved' : 'allowed');
        const { meter, mask } = left;
        leaving = left;
        const settle = (how: Settled): void => resolve({ how, tags: meter.tags });
        this.#state.server.responses.expect({ kind: candidate.kind, meter, ...(mask ? { mask } : {}), settle });
        this.#state.outbox.out.push(gated.buffer, gated.start, gated.end);
        if (candidate.kind === 'execute') this.#state.outbox.out.pushMessage(flushMessage);
        this.#state.release();
      });
    const run = new WatchedRun({
      state: this.#state,
      inquiry: this.#newInquiry(gated),
      candidate,
      portalKnown: gated.portal !== undefined,
      counts: expected.shown?.tables !== undefined || !tagsSayAll(candidate.facts),
      accepts: (real, tags) => gate.accepts(candidate, context, expected, real, tags),
      mask: this.#answerMask(gated),
      forward,
    });
    const end = await run.run();
    if (end.kind === 'answered') {
      if (leaving && end.sqlstate !== undefined) leaving.meter.sqlstate = end.sqlstate;
      leaving?.settle(end.how);
      return;
    }
    leaving?.settle('undone');
    if (gated.portal) gated.portal.admitted = undefined;
    if (this.#events.closed || this.#draining) return;
    if (end.again) this.#askAgain(gated, admission, end.real, expected);
    else this.#refuseUndone(gated, end.real);
  }

  #askAgain(gated: Gated, admission: Admission, real: RunRows, { shown }: Expected): void {
    const taken = shown
      ? `where ${plural(shown.rows)} ${shown.rows === 1 ? 'was' : 'were'} shown`
      : 'which is more than was expected';
    const reason = `It really changed or deleted ${runWords(real)}, ${taken}: dbguard undid it.`;
    this.#ask(gated, admission, reason, real);
  }

  /** Asks about what a rule or a person has let through already. */
  #ask(gated: Gated, { ruling }: Admission, reason: string, undone?: RunRows): void {
    const decided: Ruling = { ...ruling, decision: 'ask', reason: `${reason} ${ruling.reason}` };
    const candidate = { ...gated.candidate, decided };
    const admission = this.#state.parts.gate.admit(candidate, this.#state.parts.context);
    this.#state.outbox.requireCommit();
    this.#hold({ ...gated, candidate }, admission, undone);
  }

  #mayWatch({ candidate, binds }: Gated, { shown, few }: Allowed): boolean {
    if (binds || watchObstacle(this.#state.server, candidate.kind) !== undefined) return false;
    return shown === undefined
      ? few === true && canBeWatched(candidate, false)
      : canBeWatched(candidate, shown.how === 'counted');
  }

  #refuseUndone({ candidate }: Gated, real: RunRows): void {
    const error = undoneText(runWords(real));
    // what is skipped up to Sync is never answered
    if (this.#state.server.responses.discarding) this.#state.tellClient(encodeError(error));
    else this.deny(candidate.kind, error);
  }

  /** Catalogs that are being read: what they say may spare a person the question, or a result its being hidden. */
  #loading(facts: Facts): Promise<unknown> | undefined {
    const { catalog } = this.#state.parts;
    const { masks } = this.#state;
    const judged = catalog.loading && dependsOnCatalog(facts);
    if (!judged && !masks?.loading) return undefined;
    return Promise.all([judged && catalog.ready(), masks?.loading && masks.ready()]);
  }

  /** What is dropped, renamed or copied must be nobody's, and dbguard's own connection would be somebody's. */
  #vacating(facts: Facts): Promise<unknown> | undefined {
    const databases = facts.statements.flatMap(({ vacates = [] }) => vacates);
    return databases.length > 0 ? this.#state.parts.databases.leave(databases) : undefined;
  }

  #waitFor(loading: Promise<unknown>, again: () => void): void {
    this.#waiting = true;
    this.#state.release();
    void loading.then(() => {
      if (this.#events.closed) return;
      try {
        // an error that came meanwhile makes the server skip what follows, up to Sync
        if (!this.#draining && !this.#state.server.responses.discarding) again();
      } catch (error) {
        this.#events.failed(error);
        return;
      } finally {
        this.#waiting = false;
      }
      this.#events.resume();
    });
  }

  /** Before the gate: what would carry masked values to where nothing masks them is a denial, lifting a mask a question. */
  #withMask(gated: Gated): Gated {
    if (!this.#state.masks) return gated;
    const { candidate } = gated;
    const plan = this.#state.masks.plan(candidate.sql);
    const denied = (decided: Ruling): Gated => ({ ...gated, candidate: { ...candidate, decided } });
    const unmasking = this.#state.masks.unmasking(candidate.facts);
    if (unmasking) return denied(unmasking);
    if (candidate.kind === 'function') return denied(copyNotMaskable);
    if (candidate.kind === 'execute' && (gated.portal ?? gated.binds)?.prepared.length !== 1)
      return denied(portalNotMaskable);
    if (plan.kind === 'none') return gated;
    if (plan.kind === 'deny') return denied(maskRuling(plan));
    if (copiesOut(candidate.facts) && plan.forCopy(this.#encoding(candidate)) === 'unsupported')
      return denied(copyNotMaskable);
    return { ...gated, mask: plan };
  }

  /** Empty where it is not known: then nothing is taken apart. */
  #encoding(candidate: Candidate): string {
    return this.#state.reading.encodingHolds(candidate) ? this.#state.encoding : '';
  }

  #answerMask({ mask, portal, candidate }: Gated): AnswerMask | undefined {
    if (!mask) return undefined;
    if (candidate.kind === 'query') return new AnswerMask(mask, this.#encoding(candidate));
    return new AnswerMask(
      mask,
      this.#encoding(candidate),
      portal?.resultFormats ?? [],
      portal?.prepared.at(-1)?.fields,
    );
  }

  deny(kind: GatedKind, error: ErrorText): void {
    this.#state.outbox.requireCommit();
    this.#state.server.responses.expect({ kind, substitute: encodeError(error) });
    this.#state.outbox.out.pushMessage(failingMessage(kind, this.#state.parts.unguessable));
  }

  /** Nothing of this client moves on until the review is over. */
  #hold(gated: Gated, admission: Admission, undone?: RunRows): void {
    this.#waits = admission;
    this.#review = new Review({
      candidate: gated.candidate,
      text: gated.buffer.subarray(gated.start + headerBytes, gated.end - 1),
      admission,
      context: this.#state.parts.context,
      gate: this.#state.parts.gate,
      reviewer: this.#state.parts.reviewer,
      server: this.#state.server,
      out: this.#state.outbox.out,
      release: () => this.#state.release(),
      toClient: (bytes) => this.#state.tellClient(bytes),
      finish: (end) => this.#afterReview(gated, admission, end),
      held: this.#held(gated),
      undone,
      inquiry: () => this.#inquiry(gated),
      otherChanges: () => this.#state.parts.catalog.changesOfOthers,
      requireCommit: () => this.#state.outbox.requireCommit(),
      harmed: (what) => this.#events.abort({ severity: 'FATAL', code: 'XX000', message: `dbguard: ${what}` }),
    });
    this.#review.start();
  }

  #held({ candidate, portal, mask }: Gated): HeldStatement {
    const only = portal?.prepared[0];
    return {
      bound: portal && only ? { ...boundBy(portal), parameterTypes: only.parameterTypes } : undefined,
      diagnosticsMasked: mask?.diagnostics ?? this.#state.masks?.plan(candidate.sql).kind === 'deny',
      maskOf: (sql) => {
        const plan = this.#state.masks?.plan(sql);
        if (plan?.kind === 'deny') return 'hidden';
        return plan?.kind === 'mask' ? new AnswerMask(plan, this.#encoding(candidate), []) : undefined;
      },
      selectedRows: (sql) => this.#state.parts.catalog.analyser.selectedRows(sql),
    };
  }

  #inquiry(gated: Gated): Inquiry | { readonly obstacle: string } {
    const { candidate, portal } = gated;
    if (portal && portal.prepared.length !== 1) return { obstacle: 'what the portal runs is not known yet' };
    // the text is sent anew, in UTF-8
    if (this.#state.encoding !== 'UTF8' && !/^\p{ASCII}*$/u.test(candidate.sql))
      return { obstacle: 'client_encoding is not UTF8' };
    const obstacle = Inquiry.obstacle(
      this.#state.server,
      this.#state.registry.otherPortals(portal && candidate.portalName),
    );
    return obstacle === undefined ? this.#newInquiry(gated) : { obstacle };
  }

  #newInquiry({ candidate, portal }: Gated): Inquiry {
    return new Inquiry({
      server: this.#state.server,
      out: this.#state.outbox.out,
      release: () => this.#state.release(),
      toClient: (bytes) => this.#state.tellClient(bytes),
      name: this.#state.parts.unguessable,
      portal: portal && { name: candidate.portalName ?? '', statement: portal.statementName, bound: boundBy(portal) },
    });
  }

  #afterReview(gated: Gated, admission: Admission, end: ReviewEnd): void {
    this.#review = undefined;
    this.#waits = undefined;
    const { gate } = this.#state.parts;
    try {
      if (end.kind !== 'allow') this.#state.parts.gate.recordAbandoned(admission, 'nobody');
      if (this.#events.closed) {
        this.#state.parts.gate.recordAbandoned(admission, 'disconnect');
        return;
      }
      if (end.kind === 'allow') {
        const { covers } = admission.ruling;
        // only a person's approval reaches further than the statement
        if (end.by === 'person' && covers === 'transaction' && this.#state.server.transactionStatus === 'T') {
          this.#approvedTransaction = admission.n;
        }
        const approved = end.by === 'person';
        this.#state.outbox.requireCommit(approved);
        // whoever approved has seen what had gone before
        if (approved && massEffects(gated.candidate.facts).length > 0) {
          gate.extentsIn(this.#state.parts.context.database).budget.clear();
        }
        const admitted = { ...admission, extents: end.extents };
        const obstacle = end.few && watchObstacle(this.#state.server, gated.candidate.kind);
        if (obstacle && this.#state.server.transactionStatus !== 'E') {
          gate.recordSkipped(admission);
          this.#ask(gated, admission, `dbguard could not undo it if it hit more rows than expected: ${obstacle}.`);
          return;
        }
        if (this.#mayWatch(gated, end)) {
          this.#watching = true;
          this.#watch(gated, admitted, { shown: end.shown, extents: end.extents })
            .catch((error: unknown) => this.#events.failed(error))
            .finally(() => {
              this.#watching = false;
              this.#events.resume();
            });
          return;
        }
        this.#forward(gated, admitted, approved ? 'approved' : 'allowed');
      } else if (end.kind === 'deny' && !this.#draining) {
        this.deny(gated.candidate.kind, end.error);
      }
    } catch (error) {
      this.#events.failed(error);
      return;
    }
    this.#events.resume();
    if (end.kind === 'deny' && end.endSession) this.#state.parts.reviewer.endSession();
  }
}

function boundBy(portal: Portal): BindValues {
  return { formats: portal.parameterFormats, values: portal.values, resultFormats: portal.resultFormats };
}

function undoesPart(facts: Facts): boolean {
  return facts.statements.some(({ transaction }) => transaction === 'rollback-to');
}

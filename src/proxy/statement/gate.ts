/**
 * The gates of one statement: its result is planned, it is decided and in the journal, then forwarded, denied, or held
 * until a person has answered.
 *
 * What lives here: the order of the gates, and what each decision does to the message at hand. What it must not know: how
 * messages are cut and decoded, the policy's rules.
 */

import type { Decision, Ruling } from '../../policy/decision.js';
import { isStricter } from '../../policy/layer.js';
import { type ErrorText, encodeError } from '../../wire/backend.js';
import { headerBytes } from '../../wire/messages.js';
import type { Admission, GatedKind } from '../candidate.js';
import type { Prepared } from '../prepared/registry.js';
import { massEffects } from '../row-counts/mass-effects.js';
import { type RunRows, runWords } from '../row-counts/shown-rows.js';
import { endsTransaction } from '../session-state/session-digest.js';
import { privilegeHint } from './access-question.js';
import { type Allowed, type ApprovalEnd, ApprovalWait } from './approval-wait.js';
import type { ConnectionState } from './connection-state.js';
import { deniedByRule, failingMessage, keptBackText, undoneText } from './denial.js';
import { type GatedMessage, heldStatement, withMask } from './gated.js';
import { internalQueryFor } from './gated-internal-query.js';
import { type Leaving, leave } from './leaving.js';
import { Preparation } from './preparation.js';
import { beyondReason, runWatched } from './run-watched.js';
import { isMaybeTypo } from './server-probe.js';
import type { Expected } from './statement-rulings.js';
import { canBeWatched, watchObstacle, whyUnwatched } from './watched-run.js';

/** What the session does when a statement that was held is decided. */
export interface GateEvents {
  /** Reading goes on. */
  resume(): void;
  /** The wait itself failed. */
  failed(error: unknown): void;
  abort(error: ErrorText): void;
  readonly closed: boolean;
}

export class StatementGate {
  readonly #state: ConnectionState;
  readonly #events: GateEvents;
  readonly #preparation: Preparation;
  #approval: ApprovalWait | undefined;
  #awaiting: Admission | undefined;
  /** The statement with which a person approved a migration as one transaction: its further changes are part of it. */
  #approvedTransaction: number | undefined;
  #draining = false;
  /** A statement runs and may still be undone. */
  #watching = false;

  constructor(state: ConnectionState, events: GateEvents) {
    this.#state = state;
    this.#events = events;
    this.#preparation = new Preparation(state, events, () => this.#draining);
  }

  /** A statement waits for its approval: nothing of this client moves on. */
  get held(): boolean {
    return this.#preparation.waits || this.#watching || this.#approval !== undefined;
  }

  /** What was forwarded last may still be undone. */
  get watching(): boolean {
    return this.#watching;
  }

  /** Ends a wait for approval; false where there is none. */
  interrupt(cause: 'cancel' | 'disconnect'): boolean {
    return this.#approval?.interrupt(cause) ?? false;
  }

  /** The end is near: a statement that waits for a person is dropped, and the client hears only of the end. */
  drain(): void {
    this.#draining = true;
    this.interrupt('disconnect');
  }

  /** The connection is gone: a statement that still waits did not run. */
  abandon(): void {
    const held = this.#awaiting;
    this.#awaiting = undefined;
    if (held) this.#state.parts.journal.recordAbandoned(held, 'disconnect');
  }

  /** The server has answered everything, or discards what comes. */
  quiet(discarding: boolean): void {
    this.#approval?.quiet(discarding);
  }

  transactionOver(): void {
    this.#approvedTransaction = undefined;
  }

  /** The gates, in order: catalog, mask, more of the same, decision and journal, and what follows from the decision. */
  pass(asked: GatedMessage): void {
    if (this.#preparation.isDone(asked.candidate, asked.again)) this.#passPrepared(asked);
  }

  /** A text that Parse brings is in the journal before its bytes leave. False where it waits; then it is parsed anew. */
  mayParse(prepared: Prepared, again: () => void): boolean {
    return this.#preparation.isLookedThrough(prepared, again);
  }

  #passPrepared(asked: GatedMessage): void {
    const gated = withMask(this.#state, asked);
    if (this.#isMoreOfTheSame(gated)) return;
    const admission = this.#decideAndJournal(gated);
    this.#after[admission.ruling.decision](gated, admission);
  }

  readonly #after: Readonly<Record<Decision, (gated: GatedMessage, admission: Admission) => void>> = {
    allow: (gated, admission) => {
      if (admission.ruling.few && !gated.binds && canBeWatched(gated.candidate, false)) this.#hold(gated, admission);
      else this.#forward(gated, admission);
    },
    ask: (gated, admission) => {
      if (this.#approvedTransaction !== undefined && admission.ruling.covers === 'transaction') {
        this.#state.parts.journal.recordCovered(admission, this.#approvedTransaction);
        this.#forward(gated, admission, 'approved');
      } else this.#hold(gated, admission);
    },
    'second-person': (gated, admission) => this.#hold(gated, admission),
    deny: (gated, admission) => {
      if (isMaybeTypo(gated.candidate)) {
        this.#hold(gated, admission);
        return;
      }
      this.#state.parts.journal.recordRuleVerdict(admission);
      this.#deny(gated, deniedByRule(admission.ruling));
    },
  };

  /** Further rows of a portal that was let through, under the same catalog. */
  #isMoreOfTheSame(gated: GatedMessage): boolean {
    const { catalog, context, journal } = this.#state.parts;
    const { portal, candidate } = gated;
    if (portal && portal.generation !== catalog.analyser.generation) portal.admitted = undefined;
    if (portal?.admitted === undefined) return false;
    this.#state.outbox.requireCommit();
    this.#forward(gated, journal.admitMore(candidate, portal.admitted, context));
    return true;
  }

  #decideAndJournal({ candidate, portal, binds }: GatedMessage): Admission {
    // a Bind runs nothing as a role: what it would lack there, its Execute lacks too
    const rights = binds ? undefined : this.#state.rights;
    const admission = this.#state.parts.journal.admit(candidate, this.#state.parts.context, rights);
    this.#disclosed((portal ?? binds)?.prepared ?? [], admission);
    this.#state.outbox.requireCommit();
    return admission;
  }

  /** A statement that is the only one its name may stand for has its text in the journal now. */
  #disclosed([only, ...others]: readonly Prepared[], { textEntry }: Admission): void {
    if (only && textEntry && others.length === 0) only.entry ??= textEntry;
  }

  /** @param why `approved`: its rows count for nothing afterwards */
  #forward(gated: GatedMessage, admission: Admission, why: 'approved' | 'allowed' = 'allowed', hint?: string): void {
    const { meter, mask, tap, settle } = this.#leave(gated, admission, why);
    const kind = gated.binds ? 'bind' : gated.candidate.kind;
    const { access } = admission.ruling;
    const obstacle = access?.obstacle;
    const privileges = hint ?? (access && obstacle && privilegeHint(access, obstacle));
    gated.unbound?.send(privileges);
    this.#state.server.responses.expect({ kind, meter, mask, tap, privilegeHint: privileges, settle });
    this.#state.outbox.out.push(gated.buffer, gated.start, gated.end);
  }

  #leave(gated: GatedMessage, admission: Admission, why: 'approved' | 'allowed'): Leaving {
    // COMMIT AND CHAIN never lets the connection come to rest in between
    if (this.#approvedTransaction !== undefined && endsTransaction(gated.candidate.facts)) this.transactionOver();
    return leave(this.#state, gated, admission, why);
  }

  /** What was let through for a number of rows runs so that it can be undone; see watched-run.ts. */
  async #watch(gated: GatedMessage, admission: Admission, expected: Expected): Promise<void> {
    const why = expected.shown ? 'approved' : 'allowed';
    const end = await runWatched(this.#state, gated, admission, expected, () => this.#leave(gated, admission, why));
    if (end.kind === 'kept-back') this.#state.parts.journal.recordSkipped(admission);
    if (end.kind === 'answered' || this.#events.closed || this.#draining) return;
    if (end.kind === 'kept-back') {
      if (!end.told) this.#refuse(gated, keptBackText(admission.ruling.as?.role ?? '', end.why));
      return;
    }
    const { ruling, real } = end;
    const reason = beyondReason(real, expected);
    const denies = ruling.decision === 'second-person' && !this.#state.parts.journal.approvals.asksSecondPerson;
    const again = isStricter(admission.ruling.decision, ruling.decision) ? admission.ruling.decision : ruling.decision;
    if (ruling.decision === 'deny' || denies) this.#denyUndone(gated, ruling, reason);
    else if (end.again) this.#ask(gated, { ...ruling, decision: again }, reason, real);
    else this.#refuse(gated, undoneText(runWords(real)));
  }

  /** With its real rows, the policy leaves nothing to ask: it is denied as it would have been before it ran. */
  #denyUndone(gated: GatedMessage, ruling: Ruling, reason: string): void {
    const decided: Ruling = { ...ruling, reason: `${reason} ${ruling.reason}` };
    const { journal, context } = this.#state.parts;
    journal.recordRuleVerdict(journal.admit({ ...gated.candidate, decided }, context));
    this.#state.outbox.requireCommit();
    this.#refuse(gated, deniedByRule(decided, 'undone'));
  }

  /** Asks about what a rule or a person has let through already: nobody else than before, or somebody stricter. */
  #ask(gated: GatedMessage, ruling: Ruling, reason: string, undone?: RunRows): void {
    const decision = ruling.decision === 'second-person' ? 'second-person' : 'ask';
    const decided: Ruling = { ...ruling, decision, reason: `${reason} ${ruling.reason}` };
    const candidate = { ...gated.candidate, decided };
    const admission = this.#state.parts.journal.admit(candidate, this.#state.parts.context);
    this.#state.outbox.requireCommit();
    this.#hold({ ...gated, candidate }, admission, undone);
  }

  #mayWatch({ candidate, binds }: GatedMessage, { shown, few }: Allowed): boolean {
    if (binds || watchObstacle(this.#state.server, candidate.kind) !== undefined) return false;
    return shown === undefined
      ? few === true && canBeWatched(candidate, false)
      : canBeWatched(candidate, shown.how === 'counted');
  }

  #refuse(gated: GatedMessage, error: ErrorText): void {
    // what is skipped up to Sync is never answered
    if (this.#state.server.responses.discarding) this.#state.tellClient(encodeError(error));
    else this.#deny(gated, error);
  }

  #deny({ candidate, unbound }: GatedMessage, error: ErrorText): void {
    unbound?.drop();
    this.deny(candidate.kind, error);
  }

  deny(kind: GatedKind, error: ErrorText): void {
    this.#state.outbox.requireCommit();
    this.#state.server.responses.expect({ kind, substitute: encodeError(error) });
    this.#state.outbox.out.pushMessage(failingMessage(kind, this.#state.parts.missingPortalName));
  }

  /** Nothing of this client moves on until the wait is over. */
  #hold(gated: GatedMessage, admission: Admission, undone?: RunRows): void {
    this.#awaiting = admission;
    this.#approval = new ApprovalWait({
      candidate: gated.candidate,
      text: gated.buffer.subarray(gated.start + headerBytes, gated.end - 1),
      admission,
      context: this.#state.parts.context,
      journal: this.#state.parts.journal,
      assessor: this.#state.parts.assessor,
      server: this.#state.server,
      out: this.#state.outbox.out,
      release: () => this.#state.release(),
      toClient: (bytes) => this.#state.tellClient(bytes),
      finish: (end) => this.#afterWait(gated, admission, end),
      held: heldStatement(this.#state, gated),
      undone,
      unwatched: () => whyUnwatched(this.#state.server, gated.candidate, gated.binds !== undefined),
      notAlone: () => watchObstacle(this.#state.server, gated.candidate.kind),
      lacksNothing: () => this.#state.rights.add(gated.candidate),
      approvedTransaction: () => this.#approvedTransaction,
      internal: () => internalQueryFor(this.#state, gated),
      otherChanges: () => this.#state.parts.catalog.changesOfOthers,
      requireCommit: () => this.#state.outbox.requireCommit(),
      harmed: (what) => this.#events.abort({ severity: 'FATAL', code: 'XX000', message: `dbguard: ${what}` }),
    });
    this.#approval.start();
  }

  #afterWait(gated: GatedMessage, admission: Admission, end: ApprovalEnd): void {
    this.#approval = undefined;
    this.#awaiting = undefined;
    const { journal, assessor } = this.#state.parts;
    try {
      if (end.kind !== 'allow') {
        gated.unbound?.drop();
        journal.recordAbandoned(admission, 'nobody');
      }
      if (this.#events.closed) {
        journal.recordAbandoned(admission, 'disconnect');
        return;
      }
      if (end.kind === 'allow' && !this.#isOnItsWay(gated, admission, end)) return;
      if (end.kind === 'deny' && !this.#draining) this.deny(gated.candidate.kind, end.error);
    } catch (error) {
      this.#events.failed(error);
      return;
    }
    this.#events.resume();
    if (end.kind === 'deny' && end.endSession) assessor.endSession();
  }

  /** False where it still holds the client: it runs and may be undone, or is asked about again. */
  #isOnItsWay(gated: GatedMessage, admission: Admission, end: Allowed): boolean {
    const { journal, context } = this.#state.parts;
    const { server, outbox } = this.#state;
    const { facts, kind } = gated.candidate;
    const byPerson = end.by === 'person';
    // only a person's approval reaches further than the statement
    if (byPerson && admission.ruling.covers === 'transaction' && server.transactionStatus === 'T') {
      this.#approvedTransaction = admission.n;
    }
    outbox.requireCommit(byPerson);
    // whoever approved has seen what had gone before, unless it was an earlier approval
    if (byPerson && !end.recalled && massEffects(facts).length > 0) journal.extentsIn(context.database).budget.clear();
    if (end.asRole) {
      this.#runAs(gated, { ...admission, ruling: end.asRole }, end);
      return false;
    }
    const obstacle = end.few && watchObstacle(server, kind);
    if (obstacle && server.transactionStatus !== 'E') {
      journal.recordSkipped(admission);
      this.#ask(gated, admission.ruling, `dbguard could not undo it if it hit more rows than expected: ${obstacle}.`);
      return false;
    }
    const admitted = { ...admission, extents: end.extents };
    if (!this.#mayWatch(gated, end)) {
      this.#forward(gated, admitted, byPerson ? 'approved' : 'allowed', end.hint);
      return true;
    }
    this.#keepWatch(gated, admitted, end);
    return false;
  }

  /** Nothing runs as a role that cannot be kept apart from what its client sends before and behind. */
  #runAs(gated: GatedMessage, admission: Admission, end: Allowed): void {
    const { server, outbox } = this.#state;
    const { as } = admission.ruling;
    if (as === undefined) throw new TypeError('no role to run it as');
    const { journal } = this.#state.parts;
    const isOver = as.window !== undefined && journal.windows.of(as.access)?.n !== as.window;
    const obstacle = isOver
      ? 'the time for which somebody said so is over'
      : watchObstacle(server, gated.candidate.kind);
    if (obstacle !== undefined) {
      journal.recordSkipped(admission);
      this.#refuse(gated, keptBackText(as.role, obstacle));
      this.#events.resume();
      return;
    }
    journal.recordGrant(admission, as);
    outbox.requireCommit(true);
    this.#keepWatch(gated, admission, end);
  }

  #keepWatch(gated: GatedMessage, admission: Admission, end: Allowed): void {
    this.#watching = true;
    this.#watch(gated, admission, { shown: end.shown, extents: end.extents })
      .catch((error: unknown) => this.#events.failed(error))
      .finally(() => {
        this.#watching = false;
        this.#events.resume();
      });
  }
}

/**
 * The gates of one statement: its result is planned, it is decided and in the journal, then forwarded, denied, or held
 * until a person has answered.
 *
 * What lives here: the order of the gates, and what each decision does to the message at hand. What it must not know: how
 * messages are cut and decoded, the policy's rules.
 */

import type { Decision } from '../../policy/decision.js';
import { type ErrorText, encodeError, withHint } from '../../wire/backend.js';
import { headerBytes } from '../../wire/messages.js';
import type { Admission, GatedKind } from '../candidate.js';
import type { Prepared } from '../prepared/registry.js';
import { refusedNeeds } from './access-question.js';
import { type ApprovalEnd, ApprovalWait } from './approval-wait.js';
import type { ConnectionState } from './connection-state.js';
import { deniedByRule, failingMessage } from './denial.js';
import { type GatedMessage, heldStatement, withMask } from './gated.js';
import { internalQueryFor } from './gated-internal-query.js';
import { type FoundByRun, LetThrough } from './let-through.js';
import { ParseAsRole, type ParseMessage } from './parse-as-role.js';
import { Preparation } from './preparation.js';
import { isMaybeTypo } from './server-probe.js';
import { canBeWatched, watchObstacle, whyUnwatched } from './watchable.js';

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
  readonly #letThrough: LetThrough;
  readonly #parsing: ParseAsRole;
  #draining = false;

  constructor(state: ConnectionState, events: GateEvents) {
    this.#state = state;
    this.#events = events;
    this.#preparation = new Preparation(state, events, () => this.#draining);
    const ofSession = {
      closed: () => events.closed,
      draining: () => this.#draining,
      resume: () => events.resume(),
      failed: (error: unknown) => events.failed(error),
    };
    this.#parsing = new ParseAsRole(state, { ...ofSession, fail: (error) => this.deny('execute', error) });
    this.#letThrough = new LetThrough(state, {
      ...ofSession,
      refuse: (gated, error) => this.#refuse(gated, error),
      hold: (gated, admission, found) => this.#hold(gated, admission, found),
    });
  }

  /** A statement waits for its approval: nothing of this client moves on. */
  get held(): boolean {
    return this.#preparation.waits || this.#parsing.waits || this.#letThrough.watching || this.#approval !== undefined;
  }

  /** What was forwarded last may still be undone. */
  get watching(): boolean {
    return this.#letThrough.watching;
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
    this.#parsing.quiet();
  }

  transactionOver(): void {
    this.#letThrough.transactionOver();
  }

  /** The gates, in order: catalog, mask, more of the same, decision and journal, and what follows from the decision. */
  pass(asked: GatedMessage): void {
    if (this.#preparation.isDone(asked.candidate, asked.again)) this.#passPrepared(asked);
  }

  /** A text that Parse brings is in the journal before its bytes leave. False where it waits; then it is parsed anew. */
  mayParse(message: ParseMessage): boolean {
    return this.#preparation.isLookedThrough(message.prepared, message.again) && this.#parsing.isDone(message);
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
      else this.#letThrough.forward(gated, admission);
    },
    ask: (gated, admission) => {
      const { approvedTransaction } = this.#letThrough;
      if (approvedTransaction !== undefined && admission.ruling.covers === 'transaction') {
        this.#state.parts.journal.recordCovered(admission, approvedTransaction);
        this.#letThrough.forward(gated, admission, 'approved');
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
    this.#letThrough.forward(gated, journal.admitMore(candidate, portal.admitted, context));
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

  #refuse(gated: GatedMessage, error: ErrorText): void {
    // what is skipped up to Sync is never answered
    if (this.#state.server.responses.discarding) this.#state.tellClient(encodeError(error));
    else this.#deny(gated, error);
  }

  #deny({ candidate, unbound }: GatedMessage, error: ErrorText): void {
    unbound?.drop();
    this.deny(candidate.kind, error);
  }

  /** @param error bytes: one ErrorResponse of the server's */
  deny(kind: GatedKind, error: ErrorText | Buffer): void {
    this.#state.outbox.requireCommit();
    const substitute = Buffer.isBuffer(error) ? error : encodeError(error);
    this.#state.server.responses.expect({ kind, substitute });
    this.#state.outbox.out.pushMessage(failingMessage(kind, this.#state.parts.missingPortalName));
  }

  /** Nothing of this client moves on until the wait is over. */
  #hold(gated: GatedMessage, admission: Admission, found: FoundByRun = {}): void {
    const { undone, refused } = found;
    const { analyser } = this.#state.parts.catalog;
    let own = false;
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
      finish: (end) => this.#afterWait(gated, admission, end, { ...found, own }),
      held: heldStatement(this.#state, gated),
      undone,
      unwatched: () => whyUnwatched(this.#state.server, gated.candidate, gated.binds !== undefined),
      notAlone: () => watchObstacle(this.#state.server, gated.candidate.kind),
      lacksNothing: () => {
        own = true;
      },
      refused: refused && refusedNeeds(refused.refusal, (sql) => analyser.analyse(sql)),
      approvedTransaction: () => this.#letThrough.approvedTransaction,
      internal: () => internalQueryFor(this.#state, gated),
      otherChanges: () => this.#state.parts.catalog.changesOfOthers,
      requireCommit: () => this.#state.outbox.requireCommit(),
      harmed: (what) => this.#events.abort({ severity: 'FATAL', code: 'XX000', message: `dbguard: ${what}` }),
    });
    this.#approval.start();
  }

  #afterWait(gated: GatedMessage, admission: Admission, end: ApprovalEnd, found: FoundByRun & { own: boolean }): void {
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
      if (end.kind === 'allow' && !this.#letThrough.isOnItsWay(gated, admission, end, found.own)) return;
      const refusal = end.kind === 'refused' ? (end.error ?? found.refused?.error) : undefined;
      if (end.kind === 'refused' && refusal && !this.#draining)
        this.deny(gated.candidate.kind, hinted(refusal, end.hint));
      if (end.kind === 'deny' && !this.#draining) this.deny(gated.candidate.kind, end.error);
    } catch (error) {
      this.#events.failed(error);
      return;
    }
    this.#events.resume();
    if (end.kind === 'deny' && end.endSession) assessor.endSession();
  }
}

function hinted(error: Buffer, hint: string | undefined): Buffer {
  return hint === undefined ? error : withHint(error, 0, error.length, hint);
}

/**
 * The gates of one statement: its result is planned, it is decided and in the journal, then forwarded, denied, or held
 * until a person has answered.
 *
 * What lives here: the order of the gates, and what each decision does to the message at hand. What it must not know: how
 * messages are cut and decoded, the policy's rules.
 */

import type { Decision, Ruling } from '../../policy/decision.js';
import type { Extents } from '../../policy/mass-changes.js';
import type { Facts } from '../../sql/facts.js';
import { type ErrorText, encodeError } from '../../wire/backend.js';
import { flushMessage } from '../../wire/extended-query.js';
import { headerBytes } from '../../wire/messages.js';
import { plural } from '../../words.js';
import type { Admission, Candidate, GatedKind } from '../candidate.js';
import type { Prepared } from '../prepared/registry.js';
import { massEffects } from '../row-counts/mass-effects.js';
import { type RunRows, runWords, tagsSayAll } from '../row-counts/shown-rows.js';
import type { Settled } from '../server/meter.js';
import { dependsOnCatalog, makesTemporary, returnsNothing, touchesDoubted } from '../session-state/client-catalog.js';
import { isRowWork } from '../session-state/row-work.js';
import { endsTransaction } from '../session-state/session-digest.js';
import { privilegeHint } from './access-question.js';
import { type Allowed, type ApprovalEnd, ApprovalWait } from './approval-wait.js';
import type { ConnectionState } from './connection-state.js';
import { deniedByRule, failingMessage, keptBackText, undoneText } from './denial.js';
import { answerMask, type GatedMessage, heldStatement, withMask } from './gated.js';
import { internalQueryFor, newInternalQuery } from './gated-internal-query.js';
import { type Leaving, leave } from './leaving.js';
import { isMaybeTypo } from './server-probe.js';
import type { Expected } from './statement-journal.js';
import { type Answered, canBeWatched, WatchedRun, watchObstacle, whyUnwatched } from './watched-run.js';

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
  #approval: ApprovalWait | undefined;
  #awaiting: Admission | undefined;
  /** The statement with which a person approved a migration as one transaction: its further changes are part of it. */
  #approvedTransaction: number | undefined;
  #draining = false;
  /** A statement waits until the catalog has been read again, or its text been looked through. */
  #isPreparing = false;
  /** A statement runs and may still be undone. */
  #watching = false;

  constructor(state: ConnectionState, events: GateEvents) {
    this.#state = state;
    this.#events = events;
  }

  /** A statement waits for its approval: nothing of this client moves on. */
  get held(): boolean {
    return this.#isPreparing || this.#watching || this.#approval !== undefined;
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
    if (this.#isPrepared(asked.candidate, asked.again)) this.#passPrepared(asked);
  }

  /** A text that Parse brings is in the journal before its bytes leave. False where it waits; then it is parsed anew. */
  mayParse({ sql, facts }: Prepared, again: () => void): boolean {
    return this.#isPreparing || this.#isThere(this.#state.parts.journal.lookThrough(sql, facts), again);
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
      this.deny(gated.candidate.kind, deniedByRule(admission.ruling));
    },
  };

  /** Everything is there by which it is decided. False where it waits for that; then it is judged anew. */
  #isPrepared({ sql, facts }: Candidate, again: GatedMessage['again']): boolean {
    if (this.#isPreparing || !again) return true;
    const vacating = isRowWork(facts) ? undefined : this.#vacating(facts);
    const loading = vacating ?? this.#loading(facts);
    const looking = this.#state.parts.journal.lookThrough(sql, facts);
    return this.#isThere(loading && looking ? Promise.all([loading, looking]) : (loading ?? looking), again);
  }

  #isThere(awaited: Promise<unknown> | undefined, again: () => void): boolean {
    if (awaited) this.#waitFor(awaited, again);
    return awaited === undefined;
  }

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
    const { meter, mask, settle } = this.#leave(gated, admission, why);
    const kind = gated.binds ? 'bind' : gated.candidate.kind;
    const { access } = admission.ruling;
    const obstacle = access?.obstacle;
    const privileges = hint ?? (access && obstacle && privilegeHint(access, obstacle));
    this.#state.server.responses.expect({ kind, meter, mask, privilegeHint: privileges, settle });
    this.#state.outbox.out.push(gated.buffer, gated.start, gated.end);
  }

  #leave(gated: GatedMessage, admission: Admission, why: 'approved' | 'allowed'): Leaving {
    // COMMIT AND CHAIN never lets the connection come to rest in between
    if (this.#approvedTransaction !== undefined && endsTransaction(gated.candidate.facts)) this.transactionOver();
    return leave(this.#state, gated, admission, why);
  }

  /** What was let through for a number of rows runs so that it can be undone; see watched-run.ts. */
  async #watch(gated: GatedMessage, admission: Admission, expected: Expected): Promise<void> {
    const { as } = admission.ruling;
    const { journal, context } = this.#state.parts;
    const { candidate } = gated;
    let leaving: Leaving | undefined;
    let { ruling } = admission;
    const forward = (): Promise<Answered> =>
      new Promise((resolve) => {
        const left = this.#leave(gated, admission, expected.shown ? 'approved' : 'allowed');
        const { meter, mask } = left;
        leaving = left;
        if (as) meter.role = as.role;
        const settle = (how: Settled): void => resolve({ how, tags: meter.tags });
        this.#state.server.responses.expect({ kind: candidate.kind, meter, mask, settle });
        this.#state.outbox.out.push(gated.buffer, gated.start, gated.end);
        if (candidate.kind === 'execute') this.#state.outbox.out.pushMessage(flushMessage);
        this.#state.release();
      });
    const run = new WatchedRun({
      state: this.#state,
      internal: newInternalQuery(this.#state, gated),
      candidate,
      portalKnown: gated.portal !== undefined,
      counts: expected.shown?.tables !== undefined || !tagsSayAll(candidate.facts),
      accepts: (real, tags) => {
        const beyond = journal.beyond({ candidate, ruling, context }, expected, real, tags);
        ruling = beyond ?? ruling;
        return beyond === undefined;
      },
      mask: answerMask(this.#state, gated),
      role: as?.role,
      forward,
    });
    const end = await run.run();
    if (end.kind === 'kept-back') {
      journal.recordSkipped(admission);
      if (!end.told && !this.#events.closed && !this.#draining)
        this.#refuse(gated, keptBackText(as?.role ?? '', end.why));
      return;
    }
    if (end.kind === 'answered') {
      if (leaving && end.sqlstate !== undefined) leaving.meter.sqlstate = end.sqlstate;
      leaving?.settle(end.how, end.real);
      return;
    }
    leaving?.settle('undone');
    if (gated.portal) gated.portal.admitted = undefined;
    if (this.#events.closed || this.#draining) return;
    const reason = beyondReason(end.real, expected);
    if (ruling.decision !== 'ask' && ruling.decision !== 'allow') this.#denyUndone(gated, ruling, reason);
    else if (end.again) this.#ask(gated, ruling, reason, end.real);
    else this.#refuse(gated, undoneText(runWords(end.real)));
  }

  /** With its real rows, the policy leaves nothing to ask: it is denied as it would have been before it ran. */
  #denyUndone(gated: GatedMessage, ruling: Ruling, reason: string): void {
    const decided: Ruling = { ...ruling, reason: `${reason} ${ruling.reason}` };
    const { journal, context } = this.#state.parts;
    journal.recordRuleVerdict(journal.admit({ ...gated.candidate, decided }, context));
    this.#state.outbox.requireCommit();
    this.#refuse(gated, deniedByRule(decided, 'undone'));
  }

  /** Asks about what a rule or a person has let through already. */
  #ask(gated: GatedMessage, ruling: Ruling, reason: string, undone?: RunRows): void {
    const decided: Ruling = { ...ruling, decision: 'ask', reason: `${reason} ${ruling.reason}` };
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

  #refuse({ candidate }: GatedMessage, error: ErrorText): void {
    // what is skipped up to Sync is never answered
    if (this.#state.server.responses.discarding) this.#state.tellClient(encodeError(error));
    else this.deny(candidate.kind, error);
  }

  /** A catalog that is to be read again: what it says may spare a person the question, or a result its being hidden. */
  #loading(facts: Facts): Promise<unknown> | undefined {
    const { catalog, masks } = this.#state.parts;
    if (!catalog.behind) return undefined;
    const judged = dependsOnCatalog(facts) || touchesDoubted(facts, catalog);
    const masked = masks !== undefined && (!returnsNothing(facts) || makesTemporary(facts));
    return judged || masked ? catalog.ready() : undefined;
  }

  /** What is dropped, renamed or copied must be nobody's, and dbguard's own connection would be somebody's. */
  #vacating(facts: Facts): Promise<unknown> | undefined {
    const databases = facts.statements.flatMap(({ vacates = [] }) => vacates);
    return databases.length > 0 ? this.#state.parts.databases.leave(databases) : undefined;
  }

  #waitFor(loading: Promise<unknown>, again: () => void): void {
    this.#isPreparing = true;
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
        this.#isPreparing = false;
      }
      this.#events.resume();
    });
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
      if (end.kind !== 'allow') journal.recordAbandoned(admission, 'nobody');
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
    const obstacle = watchObstacle(server, gated.candidate.kind);
    if (obstacle !== undefined) {
      this.#state.parts.journal.recordSkipped(admission);
      this.#refuse(gated, keptBackText(as.role, obstacle));
      this.#events.resume();
      return;
    }
    this.#state.parts.journal.recordGrant(admission, as);
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

function beyondReason(real: RunRows, { shown, extents }: Expected): string {
  const taken = shown
    ? `, where ${plural(shown.rows)} ${shown.rows === 1 ? 'was' : 'were'} shown`
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

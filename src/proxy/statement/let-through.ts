/**
 * What becomes of a statement that was let through: it is forwarded, or runs where it can still be undone, be it as a role;
 * and what its run has shown is denied, or asked about anew.
 *
 * What lives here: how it leaves, and what follows from its end. What it must not know: how it was decided, how a person
 * is asked.
 */
import type { Ruling } from '../../policy/decision.js';
import { isStricter } from '../../policy/layer.js';
import type { Facts } from '../../sql/facts.js';
import type { ErrorText } from '../../wire/backend.js';
import type { Admission } from '../candidate.js';
import { massEffects } from '../row-counts/mass-effects.js';
import { type RunRows, runWords } from '../row-counts/shown-rows.js';
import type { PrivilegeRefusal } from '../server/privilege-refusal.js';
import { endsTransaction } from '../session-state/session-digest.js';
import { privilegeHint } from './access-question.js';
import type { Allowed } from './approval-wait.js';
import type { ConnectionState } from './connection-state.js';
import { deniedByRule, keptBackText, undoneText } from './denial.js';
import type { GatedMessage } from './gated.js';
import { type Leaving, leave } from './leaving.js';
import { beyondReason, runWatched } from './run-watched.js';
import type { Expected } from './statement-rulings.js';
import { canBeWatched, watchObstacle } from './watchable.js';

interface LetThroughParts {
  readonly closed: () => boolean;
  readonly draining: () => boolean;
  /** Reading goes on. */
  readonly resume: () => void;
  readonly failed: (error: unknown) => void;
  readonly refuse: (gated: GatedMessage, error: ErrorText) => void;
  /** It is put to a person. */
  readonly hold: (gated: GatedMessage, admission: Admission, found: FoundByRun) => void;
}

/** What the run of a statement has shown that was undone. */
export interface FoundByRun {
  readonly undone?: RunRows | undefined;
  readonly refused?: { readonly refusal: PrivilegeRefusal; readonly error: Buffer } | undefined;
}

interface Run {
  readonly why: 'approved' | 'allowed';
  readonly refusable: boolean;
  readonly expected: Expected & { readonly limited: boolean };
}

export class LetThrough {
  readonly #state: ConnectionState;
  readonly #parts: LetThroughParts;
  /** The statement with which a person approved a migration as one transaction: its further changes are part of it. */
  #approvedTransaction: number | undefined;
  #watching = false;

  constructor(state: ConnectionState, parts: LetThroughParts) {
    this.#state = state;
    this.#parts = parts;
  }

  /** A statement runs and may still be undone. */
  get watching(): boolean {
    return this.#watching;
  }

  /** See AccessParts. */
  get approvedTransaction(): number | undefined {
    return this.#approvedTransaction;
  }

  transactionOver(): void {
    this.#approvedTransaction = undefined;
  }

  /** @param why `approved`: its rows count for nothing afterwards */
  forward(gated: GatedMessage, admission: Admission, why: 'approved' | 'allowed' = 'allowed', hint?: string): void {
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
  async #watch(gated: GatedMessage, admission: Admission, run: Run): Promise<void> {
    const { why, refusable, expected } = run;
    const leaves = () => this.#leave(gated, admission, why);
    const end = await runWatched(this.#state, gated, admission, expected, refusable, leaves);
    if (end.kind === 'kept-back') this.#state.parts.journal.recordSkipped(admission);
    if (end.kind === 'answered' && end.how === 'done' && refusable) this.#state.rights.add(gated.candidate);
    if (end.kind === 'answered' || this.#parts.closed() || this.#parts.draining()) return;
    if (end.kind === 'kept-back') {
      if (!end.told) this.#parts.refuse(gated, keptBackText(admission.ruling.as?.role ?? '', end.why));
      return;
    }
    if (end.kind === 'refused') {
      this.#askRefused(gated, end);
      return;
    }
    const { ruling, real } = end;
    const reason = beyondReason(real, expected);
    const denies = ruling.decision === 'second-person' && this.#state.parts.journal.approvals.secondPersons === 0;
    const again = isStricter(admission.ruling.decision, ruling.decision) ? admission.ruling.decision : ruling.decision;
    if (ruling.decision === 'deny' || denies) this.#denyUndone(gated, ruling, reason);
    else if (end.again) this.#ask(gated, { ...ruling, decision: again }, reason, real);
    else this.#parts.refuse(gated, undoneText(runWords(real)));
  }

  /** It lacks what only its run has shown; a role may have that. */
  #askRefused(gated: GatedMessage, { refusal, error }: NonNullable<FoundByRun['refused']>): void {
    const { journal, context } = this.#state.parts;
    const admission = journal.admit(gated.candidate, context, this.#state.rights);
    this.#state.outbox.requireCommit();
    this.#parts.hold(gated, admission, { refused: { refusal, error } });
  }

  /** With its real rows, the policy leaves nothing to ask: it is denied as it would have been before it ran. */
  #denyUndone(gated: GatedMessage, ruling: Ruling, reason: string): void {
    const decided: Ruling = { ...ruling, reason: `${reason} ${ruling.reason}` };
    const { journal, context } = this.#state.parts;
    journal.recordRuleVerdict(journal.admit({ ...gated.candidate, decided }, context));
    this.#state.outbox.requireCommit();
    this.#parts.refuse(gated, deniedByRule(decided, 'undone'));
  }

  /** Asks about what a rule or a person has let through already: nobody else than before, or somebody stricter. */
  #ask(gated: GatedMessage, ruling: Ruling, reason: string, undone?: RunRows): void {
    const decision = ruling.decision === 'second-person' ? 'second-person' : 'ask';
    const decided: Ruling = { ...ruling, decision, reason: `${reason} ${ruling.reason}` };
    const candidate = { ...gated.candidate, decided };
    const admission = this.#state.parts.journal.admit(candidate, this.#state.parts.context);
    this.#state.outbox.requireCommit();
    this.#parts.hold({ ...gated, candidate }, admission, { undone });
  }

  #mayWatch(gated: GatedMessage, { shown, few }: Allowed): boolean {
    if (shown !== undefined) return this.#canBeUndone(gated, shown.how === 'counted');
    return few === true && this.#canBeUndone(gated, false);
  }

  /** Nothing of the client's has run in the implicit transaction before, which goes when it fails. */
  #canRunAgain({ candidate: { kind, portalName }, portal }: GatedMessage): boolean {
    const { server, registry } = this.#state;
    if (kind === 'query') return true;
    if (portal === undefined) return false;
    return (
      server.transactionStatus !== 'I' ||
      (server.responses.pipeline !== 'executed' && registry.otherPortals(portalName) === 0)
    );
  }

  #canBeUndone({ candidate, binds }: GatedMessage, tried: boolean): boolean {
    return !binds && watchObstacle(this.#state.server, candidate.kind) === undefined && canBeWatched(candidate, tried);
  }

  /**
   * False where it still holds the client: it runs and may be undone, or is asked about again.
   * @param own its login lacks nothing for it, as far as that can be told before it runs
   */
  isOnItsWay(gated: GatedMessage, admission: Admission, end: Allowed, own: boolean): boolean {
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
    const why = byPerson ? 'approved' : 'allowed';
    const limited = this.#mayWatch(gated, end);
    const refusable = own && runsMore(facts) && this.#canBeUndone(gated, false) && this.#canRunAgain(gated);
    if (own && !refusable) this.#state.rights.add(gated.candidate);
    if (!limited && !refusable) {
      this.forward(gated, admitted, why, end.hint ?? this.#hintOf(admission, own));
      return true;
    }
    const expected = { shown: end.shown, extents: end.extents, limited };
    this.#keepWatch(gated, admitted, { why: limited && !end.shown ? 'allowed' : why, refusable, expected });
    return false;
  }

  /** For the case that what runs with it lacks something. */
  #hintOf({ access }: Admission, own: boolean): string | undefined {
    return own && access ? privilegeHint(access.offer, 'what it had done until then could not be undone') : undefined;
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
      this.#parts.refuse(gated, keptBackText(as.role, obstacle));
      this.#parts.resume();
      return;
    }
    journal.recordGrant(admission, as);
    outbox.requireCommit(true);
    const why = end.shown ? 'approved' : 'allowed';
    const expected = { shown: end.shown, extents: end.extents, limited: true };
    this.#keepWatch(gated, admission, { why, refusable: false, expected });
  }

  #keepWatch(gated: GatedMessage, admission: Admission, run: Run): void {
    this.#watching = true;
    this.#watch(gated, admission, run)
      .catch((error: unknown) => this.#parts.failed(error))
      .finally(() => {
        this.#watching = false;
        this.#parts.resume();
      });
  }
}

/** Than reading rows: triggers, functions. */
function runsMore({ statements }: Facts): boolean {
  return statements.some(
    ({ functions, effects }) => functions.length > 0 || effects.some(({ kind }) => kind !== 'read'),
  );
}

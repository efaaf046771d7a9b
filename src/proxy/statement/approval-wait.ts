/**
 * The wait for a person: one statement is held, everything its client sent behind it waits with it.
 *
 *   settle what runs before it -> let the server parse what we could not -> impact -> notice -> ask (-> dry run)
 *
 * Impact and dry run are asked for in the client's own session where its transaction can come through that unharmed;
 * else the impact comes from dbguard's own connection, and there is no dry run.
 *
 * What lives here: the steps of one wait. What it must not know: the other statements, sockets, screens.
 */
import { messageOf } from '../../errors.js';
import type { Ruling } from '../../policy/decision.js';
import type { Extents } from '../../policy/mass-changes.js';
import type { Effect } from '../../sql/facts.js';
import { type ErrorText, encodeNotice } from '../../wire/backend.js';
import { flushMessage } from '../../wire/extended-query.js';
import type { Admission, Candidate, ConnectionContext } from '../candidate.js';
import {
  InternalQuery,
  type InternalSession,
  PortalLost,
  SessionHarmed,
} from '../internal-queries/internal-queries.js';
import { massEffects } from '../row-counts/mass-effects.js';
import type { RunRows, ShownRows } from '../row-counts/shown-rows.js';
import { insufficientPrivilege, privilegeHint, type Refused } from './access-question.js';
import type { Answer, DryRun } from './asker.js';
import { type Assessor, dryRunLimits } from './assessor.js';
import { impactLimits, whatChangesNothing } from './changes-nothing.js';
import { awaitingApproval, deniedByAnswer, deniedByRule } from './denial.js';
import type { HeldStatement } from './held-statement.js';
import { aboutRole, aboutRows, estimatedFor, isMass } from './impact-words.js';
import { isMaybeTypo, type ProbeParts, probe } from './server-probe.js';
import { type Refusal, whatServerRefuses } from './server-refuses.js';
import { settleAccess } from './settle-access.js';
import type { FoundOut } from './statement-rulings.js';

export interface Allowed {
  readonly kind: 'allow';
  readonly by: 'person' | 'rule';
  readonly extents?: Extents | undefined;
  /** To the person; undefined where a rule let it pass. */
  readonly shown?: ShownRows | undefined;
  /** The person has not been asked about this run. */
  readonly recalled?: true;
  /** See Ruling. */
  readonly few?: true | undefined;
  /** See Expectation. */
  readonly hint?: string | undefined;
  /** What the person approved, where it runs as a role. */
  readonly asRole?: Ruling | undefined;
}

export type ApprovalEnd =
  | Allowed
  | { readonly kind: 'deny'; readonly error: ErrorText; readonly endSession: boolean }
  /** The server refuses it: it has done so before, which stands, or says `error` now. */
  | { readonly kind: 'refused'; readonly hint: string | undefined; readonly error?: Buffer }
  /** The statement never ran: an error before it made the server skip it, or the server itself rejected its text. */
  | { readonly kind: 'skipped' };

export interface WaitParts extends ProbeParts {
  readonly context: ConnectionContext;
  readonly assessor: Assessor;
  readonly finish: (end: ApprovalEnd) => void;
  readonly held: HeldStatement;
  /** What it did when it ran, and was undone because it was more than the approver had been shown. */
  readonly undone: RunRows | undefined;
  /** See whyUnwatched; asked for once everything before has settled. */
  readonly unwatched: () => string | undefined;
  /** See watchObstacle; asked for once everything before has settled. */
  readonly notAlone: () => string | undefined;
  /** The login lacks nothing for this statement, as the server has said. */
  readonly lacksNothing: () => void;
  /** See AccessParts. */
  readonly refused: Refused | undefined;
  /** See AccessParts. */
  readonly approvedTransaction: () => number | undefined;
  /** See ClientCatalog.changesOfOthers. */
  readonly otherChanges: () => number | undefined;
  /** Questions on the client's connection, or why there can be none; asked for once everything before has settled. */
  readonly internal: () => InternalQuery | { readonly obstacle: string };
  /** The journal has the entry of everything pushed from now on. */
  readonly requireCommit: () => void;
  /** The server's side of this connection cannot be trusted any more. */
  readonly harmed: (what: string) => void;
}

/** Planning, and a count of what a condition without statistics selects. */
const measureLimits = { statementMs: 1000, lockMs: 500 };

export class ApprovalWait {
  readonly #parts: WaitParts;
  readonly #abort = new AbortController();
  /** As it stands, once it is known whether the login lacks anything. */
  #admission: Admission;
  #whenQuiet: ((skipped: boolean) => void) | undefined;
  #over = false;
  #portalLost = false;
  /** By the last dry run, or by a run that was undone. */
  #counted: ShownRows | undefined;

  constructor(parts: WaitParts) {
    this.#parts = parts;
    this.#admission = parts.admission;
  }

  start(): void {
    this.#run()
      .catch((error: unknown) => {
        if (error instanceof SessionHarmed) this.#parts.harmed(error.message);
        return error instanceof PortalLost ? this.#skipped() : failed;
      })
      // the journal may take no more entries by now
      .catch(() => failed)
      .then((end) => this.#finish(end));
  }

  /** The server has answered everything so far; `skipping` when it discards what follows up to Sync. */
  quiet(skipping: boolean): void {
    const resume = this.#whenQuiet;
    this.#whenQuiet = undefined;
    resume?.(skipping);
  }

  /** The client cancelled or left. False when the wait is over already. */
  interrupt(why: 'cancel' | 'disconnect'): boolean {
    if (this.#over) return false;
    this.#abort.abort(why);
    this.quiet(false);
    return true;
  }

  #finish(end: ApprovalEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#parts.finish(end);
  }

  async #run(): Promise<ApprovalEnd> {
    const { candidate, admission, journal } = this.#parts;
    if (await this.#settle()) return this.#skipped();
    if (this.#parts.server.responses.copyIn) {
      journal.recordSkipped(admission);
      return { kind: 'deny', error: inTheMiddleOfCopy, endSession: false };
    }
    if (admission.ruling.decision === 'allow') {
      return { kind: 'allow', by: 'rule', extents: admission.extents, few: admission.ruling.few };
    }
    if (isMaybeTypo(candidate) && (await probe(this.#parts)) === 'rejected') return { kind: 'skipped' };
    if (admission.ruling.decision === 'deny') return this.#deniedByRule(admission.ruling);
    const mayBeAsItself = admission.access === undefined && admission.ruling.as === undefined;
    if (mayBeAsItself && (await this.#changesNothing())) return { kind: 'allow', by: 'rule' };
    if (this.#parts.server.transactionStatus === 'E' && !mayEndTransaction(candidate)) {
      journal.recordSkipped(admission);
      return { kind: 'deny', error: transactionFailed, endSession: false };
    }
    const parts = { ...this.#parts, nothingToDo: () => this.#nothingToDo() };
    const settled = await settleAccess(parts, (internal, ask) => internal.run(impactLimits, ask));
    if (settled.kind === 'denied') return this.#deniedByRule(settled.ruling);
    if (settled.kind === 'refused') {
      journal.recordSkipped(admission);
      return settled;
    }
    this.#admission = settled.admission;
    if (settled.kind === 'allowed') return settled.end;
    // the server wants the rights for it all the same
    const asItself = admission.access !== undefined && settled.admission.ruling.as === undefined;
    if (asItself && (await this.#changesNothing())) return { kind: 'allow', by: 'rule' };
    return this.#askAbout(this.#admission);
  }

  async #askAbout(admission: Admission): Promise<ApprovalEnd> {
    const { candidate, context, journal, assessor, held, toClient, undone } = this.#parts;
    const known = journal.extentsIn(context.database);
    // an approval of what it was taken for says nothing about what it did
    const recalled = undone ? undefined : journal.approvals.recall(candidate, admission, context);
    if (recalled) {
      const end = endOf(admission, recalled, known.shown(candidate), admission.extents);
      return end.kind === 'allow' ? { ...end, recalled: true } : end;
    }
    const asked = this.#parts.internal();
    const refusal = asked instanceof InternalQuery && !undone ? await this.#refusedByServer(asked) : undefined;
    if (refusal) {
      journal.recordRejected(admission, refusal.sqlstate);
      return { kind: 'refused', hint: this.#hintOf(refusal), error: refusal.error };
    }
    if (undone) this.#counted = { how: undone.tables ? 'counted' : 'estimated', ...undone };
    const extents = admission.measure ? await this.#measure(asked) : admission.extents;
    const measured = admission.measure
      ? journal.reconsider(candidate, admission, context, { extents })
      : admission.ruling;
    if (measured.decision === 'allow') return { kind: 'allow', by: 'rule', extents, few: measured.few };
    if (measured.decision === 'deny') return this.#deniedByRule(measured);
    const internal = asked instanceof InternalQuery ? asked : undefined;
    const impact = internal
      ? await internal.run(impactLimits, (session) => assessor.impact(candidate, held, session))
      : await assessor.impact(candidate, held, undefined);
    const ruling = undone ? measured : this.#rulingWith(measured, impact.estimatedRows, extents);
    if (ruling.decision === 'allow') return { kind: 'allow', by: 'rule', extents, few: ruling.few };
    // where no second person can be asked, that must not become the first one's matter
    const nobodyCan = ruling.decision === 'second-person' && journal.approvals.secondPersons === 0;
    if (ruling.decision === 'deny' || nobodyCan) return this.#deniedByRule(ruling);
    const asking = { ...admission, ruling };
    if (!this.#abort.signal.aborted) toClient(encodeNotice(awaitingApproval(ruling, journal.approvals.secondPersons)));
    const dryRun = (): Promise<DryRun> => {
      if (ruling.as)
        return Promise.resolve({ refused: `${ruling.as.role} is taken on for the statement itself alone` });
      return asked instanceof InternalQuery ? this.#dryRun(asked) : Promise.resolve({ refused: asked.obstacle });
    };
    const earlier = massEffects(candidate.facts).length > 0 && !isMass(ruling) ? known.budget.total : 0;
    const told = aboutRole(aboutRows(impact, earlier, undone, this.#parts.unwatched()), ruling, undone);
    const answer = await journal.approvals.awaitAnswer(
      candidate,
      asking,
      context,
      { impact: told, dryRun },
      this.#abort.signal,
    );
    // an answer may come while a dry run is being undone
    await internal?.idle;
    if (this.#portalLost) return this.#skipped();
    const shown = atMost(this.#counted ?? estimatedFor(candidate, extents, impact), answer);
    if (answer.decision === 'allow' && answer.scope === 'session' && shown) known.remember(candidate, shown);
    return endOf(asking, answer, shown, extents);
  }

  /** What is there already, or what is not, leaves nothing to decide. */
  async #changesNothing(): Promise<boolean> {
    const { candidate, admission, context, journal } = this.#parts;
    const changesNothing = await this.#nothingToDo();
    if (changesNothing === undefined) return false;
    const found = { changesNothing, extents: admission.extents };
    return journal.reconsider(candidate, admission, context, found).decision === 'allow';
  }

  #nothingToDo(): Promise<FoundOut['changesNothing']> {
    return whatChangesNothing(this.#parts, this.#abort.signal);
  }

  /** The ruling that stands once the planner's estimate is known, where a rule is about rows. */
  #rulingWith(so: Ruling, rows: number | undefined, extents: Extents | undefined): Ruling {
    const { candidate, admission, context, journal } = this.#parts;
    if (!so.pendingRows || rows === undefined) return so;
    return journal.reconsider(candidate, admission, context, { estimatedRows: rows, extents });
  }

  async #measure(asked: InternalQuery | { readonly obstacle: string }): Promise<Extents> {
    const { candidate, context, journal, assessor, held } = this.#parts;
    const known = journal.extentsIn(context.database);
    const now = journal.clock.monotonic();
    if (!(asked instanceof InternalQuery)) return known.unmeasured(candidate, asked.obstacle);
    const needsSize = (effect: Effect) => known.lacksSize(candidate, effect, now);
    const tables = known.uncounted(candidate);
    const [found, sizes] = await asked.run(measureLimits, async (session) => [
      await assessor.extents(candidate, held, session, needsSize),
      await assessor.sizes(tables, session),
    ]);
    return known.measured(candidate, found, sizes, now);
  }

  #deniedByRule(ruling: Ruling): ApprovalEnd {
    this.#parts.journal.recordRuleVerdict({ ...this.#admission, ruling });
    return { kind: 'deny', error: deniedByRule(ruling), endSession: false };
  }

  /** What runs as a role has been held against the rights of both already. */
  async #refusedByServer(internal: InternalQuery): Promise<Refusal | undefined> {
    if (this.#admission.ruling.as) return undefined;
    const refusal = await whatServerRefuses(this.#parts, internal, () => this.#dryRun(internal));
    return this.#abort.signal.aborted ? undefined : refusal;
  }

  /** Why nobody is asked to let it run as a role. */
  #hintOf({ sqlstate }: Refusal): string | undefined {
    const { candidate, context, journal } = this.#parts;
    const offer =
      sqlstate === insufficientPrivilege ? journal.rulings.accessOffer(candidate.facts, context) : undefined;
    return offer?.obstacle === undefined ? undefined : privilegeHint(offer, offer.obstacle);
  }

  async #dryRun(internal: InternalQuery): Promise<DryRun> {
    const { candidate, admission, journal, assessor, held, requireCommit } = this.#parts;
    if (this.#over || this.#abort.signal.aborted || this.#portalLost) return { refused: 'the statement is decided' };
    journal.recordDryRun(admission);
    requireCommit();
    try {
      const trial = { kind: 'trial', waitsForLock: () => assessor.waitsForLock() } as const;
      const tryOut = (session: InternalSession) => assessor.dryRun(candidate, held, session);
      const found = await internal.run(dryRunLimits, tryOut, trial);
      if (!('refused' in found) && found.counted) this.#counted = { how: 'counted', ...found.counted };
      return found;
    } catch (error) {
      if (error instanceof SessionHarmed) this.#parts.harmed(error.message);
      if (error instanceof PortalLost) this.#portalLost = true;
      return { refused: messageOf(error) };
    }
  }

  /** An error made the server skip it: nothing ran. */
  #skipped(): ApprovalEnd {
    this.#parts.journal.recordSkipped(this.#admission);
    return { kind: 'skipped' };
  }

  /** Waits until the server has answered everything before, or wants COPY data; true when it skips what follows. */
  async #settle(): Promise<boolean> {
    const { server, out, release } = this.#parts;
    if (server.responses.idle || server.responses.copyIn) {
      release();
      return false;
    }
    // without Sync the server keeps the answers of the extended protocol to itself
    out.pushMessage(flushMessage);
    const quiet = new Promise<boolean>((resolve) => {
      this.#whenQuiet = resolve;
    });
    release();
    return quiet;
  }
}

/** An approval that came late is for the rows of its time. */
function atMost(shown: ShownRows | undefined, answer: Answer): ShownRows | undefined {
  const rows = answer.decision === 'allow' ? answer.rowsShown : undefined;
  return shown === undefined || rows === undefined || shown.rows <= rows ? shown : { ...shown, rows };
}

function endOf(
  admission: Admission,
  answer: Answer,
  shown: ShownRows | undefined,
  extents: Extents | undefined,
): Exclude<ApprovalEnd, { kind: 'skipped' | 'refused' }> {
  const { ruling } = admission;
  if (answer.decision === 'allow') {
    return { kind: 'allow', by: 'person', shown, extents, ...(ruling.as && { asRole: ruling }) };
  }
  return {
    kind: 'deny',
    error: deniedByAnswer(admission.ruling, answer),
    endSession: answer.decision === 'abort',
  };
}

/** Nobody needs to be asked: there the server takes no statement at all. It says so itself; this is for the case that it does not. */
const inTheMiddleOfCopy: ErrorText = {
  severity: 'ERROR',
  code: '08P01',
  message: 'dbguard: a statement in the middle of COPY FROM STDIN',
};

/** ROLLBACK first, and what follows runs. A text that nobody can read may do that. */
function mayEndTransaction({ facts }: Candidate): boolean {
  return facts.unparseable !== undefined || facts.statements.some(({ transaction }) => transaction !== undefined);
}

/** Nobody needs to be asked here either: the server takes nothing but the end of the transaction, and says this. */
const transactionFailed: ErrorText = {
  severity: 'ERROR',
  code: '25P02',
  message: 'current transaction is aborted, commands ignored until end of transaction block',
};

const waitFailed: ErrorText = {
  severity: 'ERROR',
  code: '42501',
  message: 'dbguard could not put this statement to a person and did not run it',
  hint: 'See the terminal of dbguard run; try again once.',
};

const failed: ApprovalEnd = { kind: 'deny', endSession: false, error: waitFailed };

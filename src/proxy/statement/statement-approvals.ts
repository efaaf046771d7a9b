/**
 * A statement put to a person: the request, the wait, the verdict, and the time for which it was said.
 *
 * What lives here: what is asked and what follows from the answer. What it must not know: the other entries of the
 * journal, how the database is asked about it.
 */
import type { Policy, Ruling } from '../../policy/decision.js';
import type { Admission, Candidate, Clock, ConnectionContext } from '../candidate.js';
import type { AccessWindows } from '../session-state/access-windows.js';
import { approvalRequest, interrupted } from './approval-request.js';
import type { Answer, ApprovalRequest, Asker, DryRun, Impact } from './asker.js';
import { cleanDryRun, type SecretKeeper } from './secret-keeper.js';

interface ApprovalsParts {
  readonly policy: Policy;
  readonly asker: Asker;
  readonly clock: Clock;
  readonly windows: AccessWindows;
  readonly secrets: SecretKeeper;
  /** Writes the verdict. False where the statement has its end already: then nothing follows from it. */
  readonly settle: (admission: Admission, answer: Answer, waitedMs: number) => boolean;
}

export class StatementApprovals {
  readonly #parts: ApprovalsParts;
  #requests = 0;

  constructor(parts: ApprovalsParts) {
    this.#parts = parts;
  }

  /** How many other people have to approve what needs a second person; 0 where nobody is named who could. */
  get secondPersons(): number {
    return this.#parts.policy.secondPerson?.min ?? 0;
  }

  /** Asks a person and journals the verdict. Settles when the request expires or `signal` aborts, at the latest. */
  async awaitAnswer(
    candidate: Candidate,
    admission: Admission,
    context: ConnectionContext,
    found: { readonly impact: Impact; readonly dryRun?: () => Promise<DryRun> },
    signal: AbortSignal,
  ): Promise<Answer> {
    const { dryRun } = found;
    const { secrets, clock, settle, windows } = this.#parts;
    const { clean } = secrets.tell(candidate);
    const request = {
      ...this.#request(candidate, admission, context, found.impact),
      ...(dryRun ? { dryRun: async () => cleanDryRun(await dryRun(), clean) } : {}),
    };
    const given = await Promise.race([this.#ask(request, signal), interrupted(signal)]);
    const { as } = admission.ruling;
    const answer = as && given.decision === 'allow' ? { ...given, scope: 'once' as const } : given;
    const stands = settle(admission, answer, clock.now() - request.askedAt);
    // for a statement that runs as a role, "for this session" means a time
    if (stands && as && given.decision === 'allow' && given.scope === 'session') {
      const { access, reason } = as;
      windows.open({ access, reason, channel: given.by.channel ?? given.by.kind, of: admission.n });
    }
    return answer;
  }

  /** An answer that stands already, so that neither the database nor a person is asked; journaled like any other. */
  recall(candidate: Candidate, admission: Admission, context: ConnectionContext): Answer | undefined {
    const { asker, settle } = this.#parts;
    const answer = asker.recall?.(this.#request(candidate, admission, context, { lines: [] }));
    if (answer) settle(admission, answer, 0);
    return answer;
  }

  #request(candidate: Candidate, admission: Admission, context: ConnectionContext, impact: Impact): ApprovalRequest {
    const { secrets, clock } = this.#parts;
    const askedAt = clock.now();
    const told = secrets.tell(candidate);
    return approvalRequest({
      id: `${context.number}-${++this.#requests}`,
      ...{ candidate, admission, context, impact, told, askedAt },
      original: told.hides ? secrets.identity(candidate) : undefined,
      expiresAt: askedAt + this.#patienceMs(candidate, admission.ruling),
    });
  }

  /** Nobody's second person sits at this terminal: they get longer where no locks are held meanwhile, and shorter where some are. */
  #patienceMs({ transactionStatus }: Candidate, { decision }: Ruling): number {
    const { secondPerson, approvalTimeoutMs } = this.#parts.policy;
    if (decision !== 'second-person' || !secondPerson) return approvalTimeoutMs;
    return transactionStatus === 'I' ? secondPerson.waitMs : secondPerson.waitInTransactionMs;
  }

  async #ask(request: ApprovalRequest, signal: AbortSignal): Promise<Answer> {
    try {
      return await this.#parts.asker.ask(request, signal);
    } catch {
      const reason = 'The approval prompt failed; see the terminal of dbguard run.';
      return { decision: 'deny', by: { kind: 'nobody' }, reason };
    }
  }
}

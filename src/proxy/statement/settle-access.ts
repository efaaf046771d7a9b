/**
 * Whether a held statement runs as a role, before anybody is asked about it.
 *
 * What lives here: what becomes of the wait by what the login lacks. What it must not know: how privileges are read, how
 * a person is asked.
 */
import type { Ruling } from '../../policy/decision.js';
import type { Admission, Candidate, ConnectionContext } from '../candidate.js';
import { InternalQuery, type InternalSession } from '../internal-queries/internal-queries.js';
import { type AccessFinding, findAccess, privilegeHint, type Refused, refusedAs, rulingAs } from './access-question.js';
import type { HeldStatement } from './held-statement.js';
import type { StatementJournal } from './statement-journal.js';
import type { FoundOut } from './statement-rulings.js';

export interface AccessParts {
  readonly candidate: Candidate;
  readonly admission: Admission;
  readonly context: ConnectionContext;
  readonly journal: Pick<
    StatementJournal,
    'reconsider' | 'recordCovered' | 'recordRuleApproval' | 'rulings' | 'windows'
  >;
  readonly held: HeldStatement;
  /** Questions on the client's connection, or why there can be none. */
  readonly internal: () => InternalQuery | { readonly obstacle: string };
  /** See watchObstacle. */
  readonly notAlone: () => string | undefined;
  /** The login lacks nothing for this statement, as the server has said. */
  readonly lacksNothing: () => void;
  /** Which statements of the text change nothing, by what is there. */
  readonly nothingToDo: () => Promise<FoundOut['changesNothing']>;
  /** The server has refused it already, for want of a privilege in the middle of it. */
  readonly refused: Refused | undefined;
  /** The statement with which a person approved the open transaction as one; undefined where nobody has. */
  readonly approvedTransaction: () => number | undefined;
}

export type AccessSettled =
  | { readonly kind: 'denied'; readonly ruling: Ruling }
  /** As the server has said; nobody is asked. */
  | { readonly kind: 'refused'; readonly hint: string | undefined }
  /** The wait goes on, with this. */
  | { readonly kind: 'asked'; readonly admission: Admission }
  | { readonly kind: 'allowed'; readonly admission: Admission; readonly end: AllowedByRule };

interface AllowedByRule {
  readonly kind: 'allow';
  readonly by: 'rule';
  readonly extents: Admission['extents'];
  readonly few: Ruling['few'];
  readonly hint?: string | undefined;
  readonly asRole?: Ruling;
}

type Ask = (
  internal: InternalQuery,
  ask: (session: InternalSession) => Promise<AccessFinding>,
) => Promise<AccessFinding>;

/**
 * A role is taken on only where the login lacks something, where an entry of `access` covers all of it, and where the
 * statement can be kept apart from all others.
 */
export async function settleAccess(parts: AccessParts, ask: Ask): Promise<AccessSettled> {
  const { candidate, admission, context, journal, held } = parts;
  const { access, extents } = admission;
  if (access === undefined) return { kind: 'asked', admission };
  const { measure, access: _settled, ...rest } = admission;
  const internal = parts.internal();
  const obstacle = internal instanceof InternalQuery ? parts.notAlone() : internal.obstacle;
  const hint = obstacle === undefined ? undefined : privilegeHint(access.offer, obstacle);
  const finding: AccessFinding =
    internal instanceof InternalQuery && hint === undefined
      ? await ask(internal, (session) => findAccess(session, candidate, held, access.offer, parts.refused))
      : { kind: 'unchanged' };
  if (finding.kind === 'refused') return { kind: 'denied', ruling: refusedAs(finding.rule, finding.obstacle) };
  if (finding.kind === 'covered') {
    const { rule } = finding;
    const open = journal.windows.of(rule.name);
    const window = open?.role === rule.role ? open : undefined;
    if (rule.reasonRequired && (window?.reason ?? context.reason) === undefined) {
      return { kind: 'denied', ruling: refusedAs(rule, 'nobody has said why it is needed', sayWhy) };
    }
    if (access.whileFew.pendingRows) return { kind: 'denied', ruling: refusedAs(rule, rowsPending) };
    const so = await rulingOfOwner(parts, access.whileFew);
    const few = so === access.whileFew && so.decision === 'allow';
    const ruling = { ...rulingAs(finding, so, context, window), ...(few && { few }) };
    const asRole = { ...rest, ruling, extents: undefined };
    // what the policy would ask about of a login that may do it itself, it asks about still
    if (window === undefined || so.decision !== 'allow') return { kind: 'asked', admission: asRole };
    journal.recordRuleApproval(asRole);
    return {
      kind: 'allowed',
      admission: asRole,
      end: { kind: 'allow', by: 'rule', extents: undefined, few: few || undefined, asRole: ruling },
    };
  }
  if (parts.refused) return { kind: 'refused', hint };
  if (finding.kind === 'own') parts.lacksNothing();
  const own = { ...rest, ruling: access.otherwise, ...(measure && { measure }) };
  const under = access.otherwise.covers === 'transaction' ? parts.approvedTransaction() : undefined;
  if (under !== undefined) {
    journal.recordCovered(own, under);
    return { kind: 'allowed', admission: own, end: { kind: 'allow', by: 'rule', extents, few: undefined } };
  }
  if (access.otherwise.decision !== 'allow') return { kind: 'asked', admission: own };
  const { decision, few } = journal.reconsider(candidate, admission, context, { extents });
  if (decision !== 'allow') return { kind: 'asked', admission: own };
  return { kind: 'allowed', admission: own, end: { kind: 'allow', by: 'rule', extents, few, hint } };
}

/** The ruling for a login that lacks nothing. The server wants the rights also for what turns out to change nothing. */
async function rulingOfOwner(parts: AccessParts, whileFew: Ruling): Promise<Ruling> {
  if (whileFew.decision !== 'ask') return whileFew;
  const { candidate, admission, context, journal } = parts;
  const changesNothing = await parts.nothingToDo();
  if (changesNothing === undefined) return whileFew;
  const decided = journal.rulings.decide(candidate, context, { changesNothing, extents: admission.extents });
  return decided.unlessFew ?? decided;
}

const rowsPending = 'a rule is about how many rows it hits, which shows only when it runs';
const sayWhy =
  'Tell the person you work for what it is needed for: they begin a session with a reason (dbguard run --reason).';

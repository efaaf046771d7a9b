/**
 * What the policy says of a statement: before it runs, with what was found out about it, and with the rows that it
 * really changed.
 *
 * What lives here: what the policy is told of a candidate and its connection. What it must not know: the journal, who
 * is asked.
 */
import type { AccessOffer } from '../../policy/access-offer.js';
import { accessRulePrefix, type DecisionInput, type Policy, type Ruling } from '../../policy/decision.js';
import { isStricter } from '../../policy/layer.js';
import type { Extents } from '../../policy/mass-changes.js';
import { askedElsewhere } from '../../policy/unattended.js';
import type { Facts } from '../../sql/facts.js';
import type { Candidate, Clock, ConnectionContext, OpenAccess } from '../candidate.js';
import { allRowsOf, extentsOfRun, type RunRows, type ShownRows, surplusOf } from '../row-counts/shown-rows.js';
import { settingValuesOf } from '../session-state/setting-values.js';

/** What the database was asked about a statement before anybody is. */
export interface FoundOut {
  readonly estimatedRows?: number;
  readonly extents?: Extents | undefined;
  readonly changesNothing?: DecisionInput['changesNothing'];
}

/** For which rows a statement was let through. */
export interface Expected {
  /** To the person who approved it; undefined where a rule let it pass for few rows. */
  readonly shown: ShownRows | undefined;
  readonly extents: Extents | undefined;
}

export class StatementRulings {
  readonly #policy: Policy;
  readonly #clock: Clock;

  constructor({ policy, clock }: { readonly policy: Policy; readonly clock: Clock }) {
    this.#policy = policy;
    this.#clock = clock;
  }

  decide(
    candidate: Candidate,
    context: ConnectionContext,
    { estimatedRows, extents, changesNothing }: FoundOut,
  ): Ruling {
    const ruling = this.#policy.decide({
      facts: candidate.facts,
      connection: context.connection,
      user: context.user,
      database: context.database,
      subject: context.subject,
      agent: context.agent,
      now: this.#clock.now(),
      transactionStatus: candidate.transactionStatus,
      isTemporary: candidate.isTemporary,
      readsAndWrites: context.readsAndWrites ?? false,
      ownRole: context.ownRole,
      extents,
      settingValues: settingValuesOf(candidate),
      estimatedRows,
      changesNothing,
    });
    return this.asked(stricter(ruling, candidate.least));
  }

  /** Who is asked, where a ruling says that somebody is. */
  asked(ruling: Ruling): Ruling {
    const { unattended, secondPerson } = this.#policy;
    return unattended && secondPerson ? askedElsewhere(ruling) : ruling;
  }

  /** Whether anybody may be asked to let it run as a role. */
  mayRunAsRole(facts: Facts, context: ConnectionContext): boolean {
    const offer = this.accessOffer(facts, context);
    return offer !== undefined && offer.obstacle === undefined;
  }

  accessOffer(facts: Facts, { connection }: ConnectionContext): AccessOffer | undefined {
    return this.#policy.accessOffer(facts, connection);
  }

  /** The ruling for a run that may not stay, now that its rows are known. @param tags command tags */
  beyond(
    { candidate, ruling, context }: { candidate: Candidate; ruling: Ruling; context: ConnectionContext },
    expected: Expected,
    real: RunRows,
    tags: readonly string[],
  ): Ruling | undefined {
    const { shown } = expected;
    if (shown && surplusOf(shown, real) <= this.#policy.surplusRows(context.connection)) return undefined;
    const extents = extentsOfRun(candidate.facts, expected.extents, real, tags);
    const ofRun = this.decide(candidate, context, { extents, estimatedRows: allRowsOf(real) });
    // no approval reaches as far as what the policy denies, nor the first person's as far as the second's
    if (isStricter(ofRun.decision, 'ask') && isStricter(ofRun.decision, ruling.decision)) return ofRun;
    if (shown) return ruling;
    // as a role it runs because a person said so, be it for few rows only
    const allowed = ruling.as && !ruling.few ? ruling.decision : 'allow';
    if (!isStricter(ofRun.decision, allowed)) return undefined;
    return ruling.as ? { ...ruling, reason: `${ruling.reason} ${ofRun.reason}` } : ofRun;
  }
}

export function openAccess(whileFew: Ruling, otherwise: Ruling): OpenAccess | undefined {
  const offer = whileFew.access;
  return offer === undefined || offer.obstacle !== undefined ? undefined : { offer, otherwise, whileFew };
}

/** What stands in the transcript before the server has said whether the login lacks anything. */
export function undecidedAccess({ offer: { rules } }: OpenAccess): Ruling {
  const [rule] = rules;
  return {
    decision: 'ask',
    rule: `${accessRulePrefix}${rule?.name ?? ''}`,
    origin: `${rule?.place.file}:${rule?.place.line}`,
    reason: 'It may need a role that the login is not.',
  };
}

function stricter(ruling: Ruling, least: Ruling | undefined): Ruling {
  return least && isStricter(least.decision, ruling.decision) ? least : ruling;
}

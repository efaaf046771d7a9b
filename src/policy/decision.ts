import type { Effect, Facts } from '../sql/facts.js';
import type { AccessOffer } from './access-offer.js';
import type { Extent } from './mass-changes.js';
import type { SecondPersonConfig } from './read-second-person.js';

/** Strictest last; the index is the order. */
export const decisions = ['allow', 'ask', 'second-person', 'deny'] as const;
export type Decision = (typeof decisions)[number];

/** What a decision is made from. Deterministic: time comes in as an argument. */
export interface DecisionInput {
  readonly facts: Facts;
  readonly connection: string;
  /** As the client named itself to the loopback port. */
  readonly user: string;
  readonly database: string;
  readonly subject: string;
  readonly agent: string;
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
  /** 'I' idle, 'T' in a transaction, 'E' in a failed transaction (ReadyForQuery's byte). */
  readonly transactionStatus: 'I' | 'T' | 'E';
  /** Tables that can only be temporary ones of this session, by name: without a schema, or in pg_temp. Undefined where none is known. */
  readonly isTemporary?: ((name: string, schema?: string) => boolean) | undefined;
  /** The session began without default_transaction_read_only, as the server reported it. */
  readonly readsAndWrites?: boolean;
  /** The role that the session began as, where that is known: taking it on leaves no protection. */
  readonly ownRole?: string | undefined;
  /** Indexes into `facts.statements` of those that change nothing, as the catalog was a moment ago. */
  readonly changesNothing?: ReadonlySet<number> | undefined;
  /** Text of the parameters that settings are set to, by number from 1; others are not in it. */
  readonly settingValues?: ReadonlyMap<number, string> | undefined;
  /** Estimated rows, where somebody has asked the planner. */
  readonly estimatedRows?: number | undefined;
  /** How many rows effects of `facts` hit, where somebody has found out. */
  readonly extents?: ReadonlyMap<Effect, Extent> | undefined;
}

export interface Ruling {
  readonly decision: Decision;
  /** The rule's name, unique in its policy: `builtin:delete-unbounded`, `no-prod-ddl`. */
  readonly rule: string;
  /** Where the rule stands, for people: `dbguard.yaml:14`, `built-in guarded profile`. */
  readonly origin: string;
  /** One sentence for the approver and for the agent. */
  readonly reason: string;
  /** What the client can do about a denial, where a retry may help. */
  readonly advice?: string;
  /** Index into `facts.statements` of the statement that decided, where there is one. */
  readonly statement?: number;
  /**
   * A rule depends on estimated rows that the input did not have. Without an estimate the decision stands ("no estimate
   * means ask"); `decide` with `estimatedRows` may give another one.
   */
  readonly pendingRows?: true;
  /**
   * The decision is for few rows, and how many there are is not known: without `extents` that say so, this is the ruling
   * for a statement that really runs.
   */
  readonly unlessFew?: Ruling;
  /** It is allowed because it hits few rows, as somebody has estimated or counted; a run that hits more is another matter. */
  readonly few?: true;
  /** It may need what its login lacks, and run as one of these roles. The decision is for a login that lacks nothing. */
  readonly access?: AccessOffer;
  /** Approved, it runs as this role, and nothing else does. */
  readonly as?: TakenRole;
  /** It is asked for a connection that nobody has granted yet, and for so long, milliseconds; no statement of a client. */
  readonly connects?: { readonly forMs: number };
  /** It is asked whether the fence may lead to a host; no statement of a client. */
  readonly reaches?: { readonly host: string; readonly port: number };
  /** One approval is meant for the rest of the transaction: every later ruling in it that says the same. */
  readonly covers?: 'transaction';
}

/** A role that one statement takes on. */
export interface TakenRole {
  readonly role: string;
  /** The entry of `access` that says so. */
  readonly access: string;
  /** What the login lacks, in words: `update public.orders`. */
  readonly lacking: readonly string[];
  /** Why, as the person said who began the session, or who opened the window. */
  readonly reason?: string;
  /** The longest time for which a person may let it run so, milliseconds; undefined: for this statement only. */
  readonly longestMs?: number;
  /** The `window` entry of the time for which a person has done that. */
  readonly window?: number;
}

/** Begins the rule of a statement that runs as a role: never approved for longer than itself. */
export const accessRulePrefix = 'access:';

/** The rule of a statement that asks for a mask to be lifted: never approved for longer than itself. */
export const unmaskRule = 'builtin:unmask';

export interface Policy {
  /** Shown in the banner: `guarded`, `guarded + dbguard.yaml`. */
  readonly name: string;
  /** SHA-256 over the sources that made it, base64url; recorded in the transcript. */
  readonly digest: string;
  readonly approvalTimeoutMs: number;
  /** Undefined where nobody is named who could approve as a second person: then that denies. */
  readonly secondPerson?: SecondPersonConfig | undefined;
  /** Nobody sits beside the client: what would be asked there is put to a second person, where one is named. */
  readonly unattended?: boolean;
  decide(input: DecisionInput): Ruling;
  /** What a ruling would say in `access`, of a statement that it does not deny. */
  accessOffer(facts: Facts, connection: string): AccessOffer | undefined;
  /** A run that was approved may change so many rows more than the approver was shown; beyond them it is undone. */
  surplusRows(connection: string): number;
}

/**
 * The words that everything on this floor shares about a statement that is about to run, and whom it comes from.
 * Plain values: what becomes of them stands in the rooms.
 */
import type { AccessOffer } from '../policy/access-offer.js';
import type { Ruling } from '../policy/decision.js';
import type { Extents } from '../policy/mass-changes.js';
import type { Facts } from '../sql/facts.js';
import type { RawJson, RepeatedBody } from '../transcript/entry.js';
import type { TransactionStatus } from '../wire/messages.js';
import type { Intent } from './intent/intents.js';

/** A user of the loopback port, and who that is on the server. */
export interface LoopbackUser {
  /** The name that the client gives. */
  readonly user: string;
  readonly login: string;
  /** Taken on when the session begins; RESET ROLE comes back to it. */
  readonly role?: string;
}

/** Who is connected, and where: fixed for one client connection. */
export interface ConnectionContext extends LoopbackUser {
  readonly number: number;
  readonly sid: string;
  readonly agent: string;
  readonly subject: string;
  /** The connection's name in dbguard.yaml. */
  readonly connection: string;
  readonly environment?: string;
  readonly database: string;
  /** Why, as the person said who began the session. */
  readonly reason?: string;
  /** See DecisionInput. */
  readonly readsAndWrites?: boolean;
  /** See DecisionInput. */
  readonly ownRole?: string | undefined;
}

export type GatedKind = 'query' | 'execute' | 'function';

/** How a portal was bound; part of what its Execute means. */
export interface BoundUnder {
  /** The digest at Bind: names are looked up there. */
  readonly sessionDigest: string;
  readonly parameterFormats: readonly number[];
  readonly prepared: readonly { readonly parameterTypes: readonly number[] }[];
}

export interface TransactionChange {
  /** In words of SQL: `UPDATE orders`, `DROP TABLE customers`. */
  readonly what: string;
  /** Rows as the command tags reported; undefined where the command has none. */
  readonly rows: number | undefined;
  readonly times: number;
}

export interface TransactionSoFar {
  readonly statements: number;
  readonly changes: readonly TransactionChange[];
  /** ROLLBACK TO a savepoint that was not kept: some of this may be undone. */
  readonly partlyUndone: boolean;
}

/** The facts of a text as they stand in the transcript. */
export interface FactsRecord {
  readonly json: RawJson;
  /** The entry in which they stand in full, once there is one. */
  statedIn: number | undefined;
}

/** A journal entry that discloses a text, and the facts that it records with it. */
export interface TextEntry {
  readonly n: number;
  readonly facts: FactsRecord;
}

/** What the entries of one prepared statement have in common, and while what stands. */
export interface RepeatedEntry {
  readonly body: RepeatedBody;
  readonly facts: Facts;
  readonly ruling: Ruling;
  readonly textEntry: TextEntry;
  readonly portalName: string | undefined;
  readonly transactionStatus: TransactionStatus;
  readonly intent: Intent | undefined;
}

/** One statement about to run. */
export interface Candidate {
  readonly kind: GatedKind;
  readonly sql: string;
  /** Facts of the text and of everything it runs by name. */
  readonly facts: Facts;
  /** Texts that it runs by name: what EXECUTE stands for. */
  readonly runs?: readonly string[] | undefined;
  /** The journal entry that discloses the text already; undefined discloses it with this statement. */
  readonly textEntry?: TextEntry | undefined;
  /** Where the journal keeps the entry of its last run: with the one prepared statement that it runs. */
  readonly prepared?: { repeated?: RepeatedEntry } | undefined;
  readonly statementName?: string;
  readonly portalName?: string;
  readonly bindValues?: readonly (string | null)[];
  /** Which of the bind values are bytes, shown in hexadecimal; undefined where all are text. */
  readonly bytesAmongValues?: readonly number[] | undefined;
  readonly transactionStatus: TransactionStatus;
  readonly searchPath?: string | undefined;
  /** Of the connection; see session-state/session-digest.ts. */
  readonly sessionDigest: string;
  readonly catalogGeneration: number;
  /** The portal that an Execute runs. */
  readonly bound?: BoundUnder | undefined;
  /** Tables that can only be temporary ones of this client, by name: without a schema, or in pg_temp. */
  readonly isTemporary?: ((name: string, schema?: string) => boolean) | undefined;
  /** What the open transaction did before this statement. */
  readonly transaction?: { readonly soFar: TransactionSoFar | undefined } | undefined;
  /** Decided elsewhere: it stands whatever the policy says. */
  readonly decided?: Ruling | undefined;
  /** What the policy may make stricter, never milder. */
  readonly least?: Ruling | undefined;
}

export interface Admission {
  /** The number of the `statement` entry. */
  readonly n: number;
  readonly ruling: Ruling;
  /** What its agent says it was asked for. */
  readonly intent?: Intent | undefined;
  /** Where the text stands. */
  readonly textEntry?: TextEntry;
  /** The ruling is for many rows; how many there are has to be found out before anybody is asked. */
  readonly measure?: boolean;
  readonly extents?: Extents | undefined;
  /** Whether the login lacks something for it has to be found out before anybody is asked. */
  readonly access?: OpenAccess | undefined;
}

/** The ruling of a statement as long as its login lacks nothing. */
export interface OpenAccess {
  readonly offer: AccessOffer;
  readonly otherwise: Ruling;
  /** As long as it hits few rows, besides; the same where that makes no difference. */
  readonly whileFew: Ruling;
}

export interface Clock {
  /** Milliseconds since 1970 UTC. */
  now(): number;
  /** Milliseconds of a clock that never jumps. */
  monotonic(): number;
}

/**
 * What follows a connection from statement to statement. Each tracker takes what it has to know from what goes to the
 * server and from what came of it; a connection has a list of them (statement/connection-state.ts), in the order that
 * matters. What is decided about a statement is none of a tracker's business.
 */
import type { Ruling } from '../policy/decision.js';
import type { Extents } from '../policy/mass-changes.js';
import type { TransactionStatus } from '../wire/messages.js';
import type { Candidate } from './candidate.js';
import type { Settled } from './server/meter.js';

/** A statement that the server has answered, failed or skipped, or never will answer. */
export interface AnsweredStatement {
  readonly candidate: Candidate;
  readonly ruling: Ruling;
  readonly extents?: Extents | undefined;
  /** Who let it through: a person for it alone, or the policy. */
  readonly why: 'approved' | 'allowed';
  /** Of a statement that was undone no tracker hears: it is as if it had not been. */
  readonly how: Exclude<Settled, 'undone'>;
  /** Its command tags, one for each statement of the text that ran. */
  readonly tags: readonly string[];
  /** The rows that they report. */
  readonly rows: number;
  /** What its run has changed, where that was counted. */
  readonly changed?: Iterable<{ readonly name: string; readonly rows: number }> | undefined;
  /** The server's last ReadyForQuery. */
  readonly transactionStatus: TransactionStatus;
}

export interface StatementTracker {
  /** A statement goes to the server. */
  forwarded?(candidate: Candidate): void;
  answered?(statement: AnsweredStatement): void;
  /** Everything that was sent has been answered, up to ReadyForQuery. */
  settled?(status: TransactionStatus): void;
  /** No transaction is open any more, and nothing is under way. */
  transactionOver?(): void;
  /** The connection is gone. */
  closed?(): void;
}

/** The trackers of one connection, in the order in which they hear of things: of each of them those that want to know. */
export class Trackers {
  readonly #forwarded: readonly Required<Pick<StatementTracker, 'forwarded'>>[];
  readonly #answered: readonly Required<Pick<StatementTracker, 'answered'>>[];
  readonly #settled: readonly Required<Pick<StatementTracker, 'settled'>>[];
  readonly #transactionOver: readonly Required<Pick<StatementTracker, 'transactionOver'>>[];
  readonly #closed: readonly Required<Pick<StatementTracker, 'closed'>>[];

  constructor(trackers: readonly StatementTracker[]) {
    this.#forwarded = trackers.filter((one) => wants(one, 'forwarded'));
    this.#answered = trackers.filter((one) => wants(one, 'answered'));
    this.#settled = trackers.filter((one) => wants(one, 'settled'));
    this.#transactionOver = trackers.filter((one) => wants(one, 'transactionOver'));
    this.#closed = trackers.filter((one) => wants(one, 'closed'));
  }

  forwarded(candidate: Candidate): void {
    for (const tracker of this.#forwarded) tracker.forwarded(candidate);
  }

  answered(statement: AnsweredStatement): void {
    for (const tracker of this.#answered) tracker.answered(statement);
  }

  settled(status: TransactionStatus): void {
    for (const tracker of this.#settled) tracker.settled(status);
  }

  transactionOver(): void {
    for (const tracker of this.#transactionOver) tracker.transactionOver();
  }

  closed(): void {
    for (const tracker of this.#closed) tracker.closed();
  }
}

function wants<Event extends keyof StatementTracker>(
  tracker: StatementTracker,
  event: Event,
): tracker is StatementTracker & Required<Pick<StatementTracker, Event>> {
  return tracker[event] !== undefined;
}

/** An error outside of a transaction block undoes everything since the last Sync. */
export function undoesAll({ how, transactionStatus }: AnsweredStatement): boolean {
  return how === 'failed' && transactionStatus === 'I';
}

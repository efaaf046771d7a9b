/**
 * What the two directions of one connection and the gate of its statements share.
 *
 * What lives here: what the client has prepared, what the server has said, and the bytes on their way to either.
 * What it must not know: messages, decisions.
 */
import type { Facts } from '../../sql/facts.js';
import type { ErrorText } from '../../wire/backend.js';
import type { Candidate, ConnectionContext } from '../candidate.js';
import { Outgoing } from '../outgoing.js';
import { type Prepared, Registry, type Settle } from '../prepared/registry.js';
import { OpenChanges } from '../row-counts/open-changes.js';
import type { ResultRecording } from '../server/result-tap.js';
import { ServerSide } from '../server/server-side.js';
import { ChangedRows } from '../session-state/changed-rows.js';
import { CatalogChanges, type ClientCatalog } from '../session-state/client-catalog.js';
import { KnownRights } from '../session-state/known-rights.js';
import { Leftovers } from '../session-state/leftovers.js';
import { LexicalSettings } from '../session-state/lexical-settings.js';
import { type ClientMasks, ResultMasks } from '../session-state/result-masks.js';
import { SessionDigest } from '../session-state/session-digest.js';
import { TemporaryTables } from '../session-state/temporary-tables.js';
import { TransactionLog } from '../session-state/transaction-log.js';
import { Trackers } from '../statement-tracker.js';
import type { Assessor } from './assessor.js';
import { fatalFor } from './fatal.js';
import { JournaledOutbox } from './journaled-outbox.js';
import type { StatementJournal } from './statement-journal.js';

/** How the session acts on the world. */
export interface SessionPort {
  writeServer(slices: Buffer[]): void;
  writeClient(slices: Buffer[]): void;
  /** The session has taken or sent bytes by itself: reading may go on, or has to stop. */
  balance(): void;
  /** Asks the server to cancel what it runs for this client. Resolves when it has taken the request. */
  cancel(): Promise<void>;
  /**
   * The client has said that it leaves. True where somebody has taken the server's connection as it is, and nothing more
   * may go there.
   */
  leave?(): boolean;
  /** Ends both connections once everything written has left. `reason` is for the transcript. */
  close(reason: string): void;
}

/** dbguard's own connections to databases. */
export interface DatabaseUse {
  /** A client is connected to `database` until it calls what this returns. */
  use(database: string): () => void;
  /** Resolves when the server knows of no connection of dbguard's own to them; the next question opens one again. */
  leave(databases: readonly string[]): Promise<void>;
}

export interface SessionParts {
  readonly context: ConnectionContext;
  readonly journal: StatementJournal;
  readonly catalog: ClientCatalog;
  readonly assessor: Assessor;
  /** Undefined where nothing is masked. */
  readonly masks: ClientMasks | undefined;
  /** Undefined where results are not recorded. */
  readonly recording?: ResultRecording | undefined;
  readonly port: SessionPort;
  readonly databases: Pick<DatabaseUse, 'leave'>;
  /** ParameterStatus values as they stood when the connection was handed over. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Of the server's process, as it said; undefined where it said nothing. */
  readonly backendPid?: number | undefined;
  /** Longest client message held in memory, bytes. */
  readonly maxMessage: number;
  /** A portal name that no client can guess; see denial.ts. */
  readonly missingPortalName: string;
}

type Meaning = Pick<
  Candidate,
  'transactionStatus' | 'searchPath' | 'transaction' | 'isTemporary' | 'sessionDigest' | 'catalogGeneration'
>;

export class ConnectionState {
  readonly parts: SessionParts;
  readonly registry = new Registry();
  /** No tracker: what it doubts ends with any answer, also that of a statement that was undone. */
  readonly lexical = new LexicalSettings();
  readonly sessionDigest: SessionDigest;
  readonly rights = new KnownRights();
  readonly trackers: Trackers;
  readonly server: ServerSide;
  readonly outbox: JournaledOutbox;
  readonly masks: ResultMasks | undefined;
  readonly changes: OpenChanges;
  /** Undefined where nobody has the connection after this client. */
  readonly leftovers: Leftovers | undefined;
  readonly #temporaryTables: TemporaryTables;
  readonly #transaction = new TransactionLog();
  readonly #toClient = new Outgoing();
  /** Texts in this turn's Parse messages that no entry discloses yet. */
  #undisclosed: Prepared[] = [];

  /** @param abort ends the connection with that error, for the client to see */
  constructor(parts: SessionParts, abort: (error: ErrorText) => void) {
    this.parts = parts;
    this.server = new ServerSide(this.#toClient, parts.parameters);
    this.sessionDigest = new SessionDigest(parts.parameters);
    this.#temporaryTables = new TemporaryTables(parts.catalog);
    this.masks = parts.masks && new ResultMasks(parts.masks);
    const extents = parts.journal.extentsIn(parts.context.database);
    this.changes = new OpenChanges(extents.budget);
    this.leftovers = parts.port.leave && new Leftovers();
    this.trackers = new Trackers([
      ...(this.masks ? [this.masks] : []),
      ...(this.leftovers ? [this.leftovers] : []),
      // before the temporary tables: what a statement drops was temporary until then
      new CatalogChanges(parts.catalog, (candidate) => this.masks?.makesOnlyKnown(candidate) ?? false),
      this.#temporaryTables,
      this.sessionDigest,
      this.#transaction,
      new ChangedRows((rows) => parts.journal.countRowsChanged(rows)),
      // before the extents: what it counts was estimated by answers that they forget
      this.changes,
      extents,
    ]);
    if (this.masks) this.server.cutRows();
    const plans = parts.masks?.plans;
    if (plans) this.server.hideNotifications(() => plans.hidesNotifications);
    this.outbox = new JournaledOutbox(
      parts.journal.recorder,
      (slices) => parts.port.writeServer(slices),
      (error) => abort(fatalFor(error, 'the journal failed')),
    );
  }

  get encoding(): string {
    return this.server.parameter('client_encoding') ?? '';
  }

  /** What else decides what a text means. The search_path is reported since PostgreSQL 18. */
  meaningOf(facts: Facts): Meaning {
    const { sessionDigest, parts, server } = this;
    return {
      transaction: this.#transaction,
      transactionStatus: server.transactionStatus,
      isTemporary: this.#temporaryTables.knownIn(facts),
      searchPath: sessionDigest.current ? server.parameter('search_path') : undefined,
      sessionDigest: sessionDigest.digest,
      catalogGeneration: parts.catalog.analyser.generation,
    };
  }

  /** Nothing unanswered, nothing kept back. A transaction may be open. */
  get quiet(): boolean {
    return this.outbox.empty && this.server.responses.idle && !this.server.inquiring;
  }

  addStatement(name: string, prepared: Prepared): Settle | undefined {
    this.#undisclosed.push(prepared);
    return this.registry.addStatement(name, prepared);
  }

  /** Sends the server what may go; texts that were only parsed get their entries first. */
  release(): void {
    const { journal, context } = this.parts;
    for (const prepared of this.#undisclosed) {
      if (prepared.entry !== undefined) continue;
      prepared.entry = journal.recordParse(prepared.sql, prepared.facts, context);
      this.outbox.requireCommit();
    }
    if (this.#undisclosed.length > 0) this.#undisclosed = [];
    this.outbox.release();
  }

  /** A message of dbguard's own; only where the server's stream stands between two messages. */
  tellClient(message: Buffer): void {
    this.#toClient.pushMessage(message);
    this.flushClient();
  }

  flushClient(): void {
    if (this.#toClient.length > 0) this.parts.port.writeClient(this.#toClient.take());
  }

  /** The client is not told any more. */
  dropForClient(): void {
    this.#toClient.take();
  }
}

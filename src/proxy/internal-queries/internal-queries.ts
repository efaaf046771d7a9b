/**
 * dbguard's own questions on the client's connection, while a statement of that client is held there. Same session,
 * same transaction, same search_path: what is found out is what the statement would meet.
 *
 *   outside a transaction:  BEGIN ... ROLLBACK
 *   inside one:             SAVEPOINT ... ROLLBACK TO SAVEPOINT, RELEASE
 *
 * Everything goes through named statements and portals of the extended protocol, since a simple Query would drop the
 * client's unnamed ones. Nothing of it reaches the client: neither answers nor notices nor settings that come and go.
 *
 * What lives here: the scope around questions, and how the client's own state comes through it unharmed. What it
 * must not know: what is asked, and why.
 */
import { maskDiagnostics } from '../../masking/diagnostics.js';
import {
  type BindValues,
  encodeBind,
  encodeClose,
  encodeDescribePortal,
  encodeDescribeStatement,
  encodeExecute,
  encodeParse,
  flushMessage,
  syncMessage,
} from '../../wire/extended-query.js';
import { backend, type TransactionStatus } from '../../wire/messages.js';
import type { Outgoing } from '../outgoing.js';
import type { ExpectationKind } from '../server/responses.js';
import type { ServerSide } from '../server/server-side.js';
import { type InternalAnswer, InternalReply, type ReplyLimits, ServerRefusal } from './internal-reply.js';
import { inOutsideLimits, type OutsideLimits } from './outside-limit.js';

/** What was asked could not be undone as planned: the connection cannot be trusted any more. */
export class SessionHarmed extends Error {}

/** The held statement's portal could not be bound again; the client has been told by the server's own error. */
export class PortalLost extends Error {}

export interface InquiryQuestion extends ReplyLimits {
  readonly sql: string;
  readonly parameterTypes?: readonly number[];
  readonly bound?: BindValues;
  /** It is parsed only, for the types of its parameters. */
  readonly parseOnly?: true;
  /** Without Sync, which would end the client's implicit transaction. */
  readonly unsynced?: true;
}

/** A session that everything asked of is undone in. */
export interface InternalSession {
  /** Rejects with ServerRefusal. */
  put(question: InquiryQuestion): Promise<InternalAnswer>;
  /** Rows by column name; text format. */
  ask(sql: string, values?: readonly (string | null)[]): Promise<Record<string, string | null>[]>;
  /** Undoes what `attempt` did when it fails, so that the next question finds a sound transaction. */
  nested<T>(attempt: () => Promise<T>): Promise<T>;
}

export interface InternalLimits {
  readonly statementMs: number;
  readonly lockMs: number;
}

/** Questions are read-only and limited by the session's own settings; a trial must find the settings of the real run. */
export type InternalScope =
  | { readonly kind: 'questions' }
  | { readonly kind: 'trial'; waitsForLock(): Promise<boolean> };

const questions: InternalScope = { kind: 'questions' };

export interface InquiryParts {
  readonly server: ServerSide;
  readonly out: Outgoing;
  readonly release: () => void;
  readonly toClient: (message: Buffer) => void;
  /** See SessionPort. */
  readonly cancel: () => Promise<void>;
  /** A name that no client can guess. */
  readonly name: string;
  /** The portal that the held Execute runs, for when the end of a transaction takes it away. */
  readonly portal?:
    | {
        readonly name: string;
        readonly statement: string;
        readonly bound: BindValues;
        readonly hidesDiagnostics: boolean;
        /** The client has heard, or will hear, of its Bind; else that is still to go. */
        readonly isBound: () => boolean;
      }
    | undefined;
}

/** For all the questions of one scope together, besides the time of one, milliseconds. */
const graceMs = 60_000;

async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    // a server that is still there keeps the process by its socket
    timer = setTimeout(() => reject(new SessionHarmed('the server does not answer a question')), ms).unref();
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // when it is late nobody else hears of it
    work.catch(() => undefined);
  }
}

function settingsOf({ statementMs, lockMs }: InternalLimits): string[] {
  return [
    `SET LOCAL statement_timeout = ${statementMs}`,
    `SET LOCAL lock_timeout = ${lockMs}`,
    'SET LOCAL transaction_read_only = on',
  ];
}

export class InternalQuery implements InternalSession {
  readonly #parts: InquiryParts;
  readonly #status: TransactionStatus;
  #queue: Promise<unknown> = Promise.resolve();
  #depth = 0;
  /** Of the trial that is going on. */
  #outside: OutsideLimits | undefined;

  constructor(parts: InquiryParts) {
    this.#parts = parts;
    this.#status = parts.server.transactionStatus;
  }

  /** Why nothing can be asked on this connection now; undefined where it can. */
  static obstacle(server: ServerSide, otherPortals: number): string | undefined {
    if (server.transactionStatus === 'E') return 'the transaction has failed';
    if (server.responses.pipeline === 'executed' || server.responses.queryInPipeline || !server.responses.idle) {
      return 'the client sends several statements at once, and those before it have not been committed yet';
    }
    if (server.transactionStatus === 'I' && otherPortals > 0) return 'the client has other statements bound already';
    return undefined;
  }

  /** Resolves when nothing is being asked. */
  get idle(): Promise<unknown> {
    return this.#queue;
  }

  /**
   * Runs `work` inside a scope that is undone, whatever happens. One at a time. Rejects with SessionHarmed when the server
   * lets its own time limits pass: it is none, or none that answers.
   */
  run<T>(
    limits: InternalLimits,
    work: (session: InternalSession) => Promise<T>,
    scope: InternalScope = questions,
  ): Promise<T> {
    const turn = this.#queue.then(() => inTime(this.#run(limits, scope, work), limits.statementMs + graceMs));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #run<T>(
    limits: InternalLimits,
    scope: InternalScope,
    work: (session: InternalSession) => Promise<T>,
  ): Promise<T> {
    const { server } = this.#parts;
    const implicit = this.#status === 'I' && server.responses.pipeline === 'prepared';
    const rebind = implicit && (this.#parts.portal?.isBound() ?? false);
    server.inquire('undone');
    try {
      // an implicit transaction in which nothing has run yet: its end costs the portal and nothing else
      if (implicit) await this.sync();
      return await this.#scope(limits, scope, work);
    } finally {
      try {
        if (rebind) await this.bindAgain();
      } finally {
        server.inquire(false);
      }
    }
  }

  async #scope<T>(
    limits: InternalLimits,
    scope: InternalScope,
    work: (session: InternalSession) => Promise<T>,
  ): Promise<T> {
    const inTransaction = this.#status === 'T';
    const trial = scope.kind === 'trial';
    const opening = [inTransaction ? `SAVEPOINT "${this.#parts.name}"` : 'BEGIN', ...(trial ? [] : settingsOf(limits))];
    try {
      const opened = Promise.all(opening.map((step) => this.ask(step)));
      // what only reads leaves with them at once: the way to the server is what takes time
      if (trial) await opened;
      else opened.catch(() => {});
      if (trial) this.#outside = { ...limits, cancel: this.#parts.cancel, waitsForLock: () => scope.waitsForLock() };
      const result = await work(this);
      await opened;
      return result;
    } finally {
      this.#outside = undefined;
      await this.#undo(inTransaction);
    }
  }

  async #undo(inTransaction: boolean): Promise<void> {
    const savepoint = `"${this.#parts.name}"`;
    const steps = inTransaction
      ? [`ROLLBACK TO SAVEPOINT ${savepoint}`, `RELEASE SAVEPOINT ${savepoint}`]
      : ['ROLLBACK'];
    try {
      for (const step of steps) await this.ask(step);
    } catch (error) {
      throw error instanceof ServerRefusal
        ? new SessionHarmed(`a question could not be undone: ${error.message}`)
        : error;
    }
    if (this.#parts.server.transactionStatus !== this.#status) {
      throw new SessionHarmed('a question left another transaction behind');
    }
  }

  async nested<T>(attempt: () => Promise<T>): Promise<T> {
    const savepoint = `"${this.#parts.name} ${++this.#depth}"`;
    await this.ask(`SAVEPOINT ${savepoint}`);
    try {
      return await attempt();
    } catch (error) {
      await this.ask(`ROLLBACK TO SAVEPOINT ${savepoint}`);
      throw error;
    } finally {
      this.#depth--;
    }
  }

  async ask(sql: string, values: readonly (string | null)[] = []): Promise<Record<string, string | null>[]> {
    const bound: BindValues = {
      formats: [],
      values: values.map((value) => (value === null ? undefined : Buffer.from(value, 'utf8'))),
      resultFormats: [],
    };
    const { columns, rows } = await this.put({ sql, bound });
    return rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index] ?? null])));
  }

  put(question: InquiryQuestion): Promise<InternalAnswer> {
    return this.#outside ? inOutsideLimits(this.#outside, () => this.#put(question)) : this.#put(question);
  }

  #put(question: InquiryQuestion): Promise<InternalAnswer> {
    const { name, out, release } = this.#parts;
    const bound = question.bound ?? { formats: [], values: [], resultFormats: [] };
    const running: [ExpectationKind, Buffer][] = [
      ['bind', encodeBind(name, name, { ...bound, resultFormats: [] })],
      ['describe', encodeDescribePortal(name)],
      ['execute', encodeExecute(name)],
    ];
    // an earlier question that failed half way has left its names
    const steps: [ExpectationKind, Buffer][] = [
      ['close', encodeClose('P', name)],
      ['close', encodeClose('S', name)],
      ['parse', encodeParse(name, Buffer.from(question.sql, 'utf8'), question.parameterTypes)],
      ...(question.parseOnly ? [['describe', encodeDescribeStatement(name)] as [ExpectationKind, Buffer]] : running),
      ['close', encodeClose('P', name)],
      ['close', encodeClose('S', name)],
    ];
    if (!question.unsynced) steps.push(['sync', syncMessage]);
    const last = steps.length - 1;
    return new Promise((resolve, reject) => {
      const reply = new InternalReply(this.#parts, question, resolve, reject);
      for (const [index, [kind, bytes]] of steps.entries()) {
        this.#parts.server.responses.expect({
          kind,
          sink: reply.take,
          ...(index === last ? { settle: reply.settled } : {}),
        });
        out.pushMessage(bytes);
      }
      if (question.unsynced) out.pushMessage(flushMessage);
      release();
    });
  }

  /** Ends an implicit transaction of which the client is to hear nothing. */
  sync(): Promise<void> {
    const { server, out, release } = this.#parts;
    return new Promise((resolve) => {
      const sink = (type: number): void => {
        if (type === backend.readyForQuery) resolve();
      };
      server.responses.expect({ kind: 'sync', sink });
      out.pushMessage(syncMessage);
      release();
    });
  }

  /** The same portal, planned for who the session is now. Rejects with PortalLost. */
  bindOver(): Promise<void> {
    const { server, out, portal } = this.#parts;
    if (!portal?.isBound()) return Promise.resolve();
    server.responses.expect({ kind: 'close', sink: () => undefined });
    out.pushMessage(encodeClose('P', portal.name));
    return this.bindAgain();
  }

  /** Rejects with PortalLost. */
  bindAgain(): Promise<void> {
    const { server, out, release, toClient, portal } = this.#parts;
    if (!portal) return Promise.resolve();
    return new Promise((resolve, reject) => {
      server.responses.expect({
        kind: 'bind',
        sink: (type, bytes, start, end) => {
          if (type === backend.bindComplete) resolve();
          if (type !== backend.errorResponse) return;
          toClient(
            portal.hidesDiagnostics ? maskDiagnostics(bytes, start, end) : Buffer.from(bytes.subarray(start, end)),
          );
          reject(new PortalLost());
        },
      });
      out.pushMessage(encodeBind(portal.name, portal.statement, portal.bound));
      out.pushMessage(flushMessage);
      release();
    });
  }
}

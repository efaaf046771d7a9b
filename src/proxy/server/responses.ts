/**
 * What the server still owes the client.
 *
 * What lives here: one expectation for each forwarded message that gets an answer, in order, and what the server's
 * messages do to them. What it must not know: bytes of statements, policy, sockets.
 *
 * Source: "Message Flow" in the PostgreSQL manual; after an ErrorResponse in the extended protocol the server
 * discards everything up to Sync, simple queries included (postgres.c, ignore_till_sync).
 */

import { backend, ProtocolViolation } from '../../wire/messages.js';
import type { Column, RowField } from '../../wire/row-description.js';
import type { AnswerMask } from './answer-mask.js';
import type { Meter, Settled } from './meter.js';
import type { ResultTap } from './result-tap.js';

export type ExpectationKind =
  | 'query'
  | 'function'
  | 'sync'
  | 'parse'
  | 'bind'
  | 'describe'
  | 'execute'
  | 'close'
  /** CopyDone and CopyFail get no answer of their own; they mark where the client left copy-in mode. */
  | 'copy-end';

export interface Expectation {
  readonly kind: ExpectationKind;
  /** Sent in place of the server's first ErrorResponse: this message was made to fail. */
  substitute?: Buffer | undefined;
  /** Called once, when the server has answered, failed or skipped it. */
  readonly settle?: ((how: Settled) => void) | undefined;
  /** Sums up what the answer brings, for the outcome entry. */
  readonly meter?: Meter | undefined;
  /** Rewrites the answers on their way to the client. */
  readonly mask?: AnswerMask | undefined;
  /** Records what of the answer goes to the client. */
  readonly tap?: ResultTap | undefined;
  /**
   * What the server says of it may hold masked values: the planner runs functions at Bind, an end of transaction runs
   * what was deferred. Where there is a `mask`, that says it.
   */
  readonly hidesDiagnostics?: boolean | undefined;
  /** Goes with the server's error where the login lacks a privilege for it. */
  readonly privilegeHint?: string | undefined;
  /** Told what a Describe found. */
  readonly described?: ((fields: readonly RowField[], columns: () => readonly Column[]) => void) | undefined;
  /** Takes the answers instead of the client: dbguard asked, not the client. */
  readonly sink?: ResponseSink | undefined;
  failed?: boolean;
}

/** All of one shape, whoever asked for what: each answer's way reads several of these fields. */
function inOneShape(of: Expectation): Expectation {
  const { kind, substitute, settle, meter, mask, tap, hidesDiagnostics, privilegeHint, described, sink } = of;
  return {
    kind,
    substitute,
    settle,
    meter,
    mask,
    tap,
    hidesDiagnostics,
    privilegeHint,
    described,
    sink,
    failed: false,
  };
}

/**
 * Receives every message of an internal question, whole; bytes live only during the call. Of a row that is longer than
 * dbguard holds there are none.
 */
export type ResponseSink = (type: number, bytes: Buffer, start: number, end: number) => void;

/** Which expectations a message type completes. A missing cell: it only passes. */
const completed: readonly (readonly [type: number, by: readonly ExpectationKind[]])[] = [
  [backend.parseComplete, ['parse']],
  [backend.bindComplete, ['bind']],
  [backend.closeComplete, ['close']],
  [backend.rowDescription, ['describe']],
  [backend.noData, ['describe']],
  [backend.commandComplete, ['execute']],
  [backend.emptyQueryResponse, ['execute']],
  [backend.portalSuspended, ['execute']],
  [backend.readyForQuery, ['query', 'function', 'sync']],
];
/** The same by message type. */
const completes = new Array<readonly ExpectationKind[] | undefined>(256).fill(undefined);
for (const [type, by] of completed) completes[type] = by;

/** Within a simple query these come any number of times and complete nothing. */
const passInQuery: ReadonlySet<number> = new Set([
  backend.rowDescription,
  backend.commandComplete,
  backend.emptyQueryResponse,
]);

const isExtended = (kind: ExpectationKind): boolean => kind !== 'query' && kind !== 'function' && kind !== 'sync';

export class Responses {
  #queue: Expectation[] = [];
  /** Index of the head in `#queue`: shifting an array of thousands for each answer would be quadratic. */
  #head = 0;
  #discarding = false;
  #copyIn = false;
  #pipeline: 'none' | 'prepared' | 'executed' = 'none';
  #queryInPipeline = false;

  /** The server discards what it gets until the next Sync; nothing forwarded now would run. */
  get discarding(): boolean {
    return this.#discarding;
  }

  /** What was forwarded since the last Sync or Query: there an implicit transaction is open. */
  get pipeline(): 'none' | 'prepared' | 'executed' {
    return this.#pipeline;
  }

  /**
   * A Query came without a Sync before it: it is part of an implicit transaction, which looks like a block and is none.
   */
  get queryInPipeline(): boolean {
    return this.#queryInPipeline;
  }

  get copyIn(): boolean {
    return this.#copyIn;
  }

  get pending(): number {
    return this.#queue.length - this.#head;
  }

  /** The server has answered everything. */
  get idle(): boolean {
    this.#skipCopyEnds();
    return this.pending === 0;
  }

  get head(): Expectation | undefined {
    return this.#queue[this.#head];
  }

  /** What the server is busy with: whatever it says unasked comes of that. */
  get current(): Expectation | undefined {
    this.#skipCopyEnds();
    return this.head;
  }

  /** Call when the message goes into the queue towards the server. */
  expect(expectation: Expectation): void {
    if (expectation.kind === 'sync') {
      // in copy-in mode the server ignores Sync
      if (this.#copyIn) return;
      this.#discarding = false;
      this.#queryInPipeline = false;
    } else if (expectation.kind === 'copy-end') {
      this.#copyIn = false;
      if (this.pending === 0) return;
    }
    if (expectation.kind === 'query' && this.#pipeline !== 'none') this.#queryInPipeline = true;
    if (!isExtended(expectation.kind)) this.#pipeline = 'none';
    else if (expectation.kind === 'execute') this.#pipeline = 'executed';
    else if (this.#pipeline === 'none' && expectation.kind !== 'copy-end') this.#pipeline = 'prepared';
    this.#queue.push(inOneShape(expectation));
  }

  /**
   * Which expectation a server message belongs to; undefined for asynchronous ones. Throws ProtocolViolation when
   * the server answers something that nobody asked: then nothing can be trusted.
   */
  ownerOf(type: number): Expectation | undefined {
    if (type === backend.noticeResponse || type === backend.notificationResponse || type === backend.parameterStatus) {
      return undefined;
    }
    this.#skipCopyEnds();
    const head = this.head;
    if (head === undefined) {
      if (type === backend.errorResponse) return undefined;
      throw new ProtocolViolation(`unexpected server message ${name(type)} while idle`);
    }
    const kinds = completes[type];
    if (kinds && !kinds.includes(head.kind) && !(head.kind === 'query' && passInQuery.has(type))) {
      throw new ProtocolViolation(`server message ${name(type)} does not answer ${head.kind}`);
    }
    return head;
  }

  /** Moves on after a message of `owner`; settles what it completed. */
  advance(type: number, owner: Expectation): void {
    if (type === backend.errorResponse) {
      this.#fail(owner);
    } else if (type === backend.copyInResponse) {
      this.#enterCopyIn();
    } else if (completes[type]?.includes(owner.kind)) {
      this.#pop();
      if (type === backend.readyForQuery) this.#copyIn = false;
      owner.settle?.(owner.failed ? 'failed' : 'done');
    }
  }

  /** The connection is gone: nothing will be answered any more. */
  abandon(): void {
    for (let one = this.head; one !== undefined; one = this.head) {
      this.#pop();
      one.settle?.(one.failed ? 'failed' : 'lost');
    }
  }

  #fail(head: Expectation): void {
    this.#copyIn = false;
    head.failed = true;
    if (!isExtended(head.kind)) return;
    this.#pop();
    head.settle?.('failed');
    for (let next = this.head; next !== undefined && next.kind !== 'sync'; next = this.head) {
      this.#pop();
      next.settle?.('skipped');
    }
    this.#discarding = this.head === undefined;
  }

  /** Syncs that reached the server after the COPY and before the client's CopyDone are ignored there. */
  #enterCopyIn(): void {
    const end = this.#queue.findIndex((one, index) => index > this.#head && one.kind === 'copy-end');
    this.#copyIn = end < 0;
    const upTo = end < 0 ? this.#queue.length : end;
    const head = this.head;
    this.#queue = [
      ...(head ? [head] : []),
      ...this.#queue.slice(this.#head + 1, upTo).filter((one) => one.kind !== 'sync'),
      ...this.#queue.slice(upTo),
    ];
    this.#head = 0;
  }

  #skipCopyEnds(): void {
    while (this.head?.kind === 'copy-end') this.#pop();
  }

  #pop(): void {
    this.#head++;
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0;
      this.#head = 0;
    } else if (this.#head > 1024) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }
}

function name(type: number): string {
  return `'${String.fromCharCode(type)}'`;
}

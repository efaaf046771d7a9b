/**
 * Verifies sessions on every core. The workers compute; the bucket, the network and all credentials stay here: a worker
 * asks for an object or for an issuer's keys, and gets bytes.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { DbguardError, type ErrorCode, messageOf } from '../errors.js';
import type { SessionObjects } from './catalog.js';
import type { FoundKeys } from './issuer-keys.js';
import { MAX_HELD } from './read-ahead.js';
import type { SessionReport } from './session-report.js';
import type { VerifyOptions } from './verify-options.js';
import { verifySession } from './verify-session.js';
import { readSession } from './views/read-session.js';
import type { RowSink } from './views/session-rows.js';
import type { ViewName } from './views/view-table.js';

/** What a worker needs of the options; the rest it asks for. */
export type WorkerSettings = Pick<VerifyOptions, 'demands' | 'now' | 'retentionDays'> & { readonly rows?: true };

export interface PoolOptions extends VerifyOptions {
  /** Takes the rows of each session, if they are wanted: all of them before its report. A promise is awaited. */
  readonly onRows?: (session: SessionObjects, ...rows: Parameters<RowSink>) => Promise<void> | void;
}

export type Question =
  | { readonly ask: 'object'; readonly key: string; readonly version?: string }
  | { readonly ask: 'keys'; readonly of: string };
export type Failure = { readonly message: string; readonly code?: ErrorCode; readonly hint?: string | undefined };
type Outcome<T> = { readonly value: T } | { readonly failure: Failure };

export type ToWorker =
  | { readonly id: number; readonly verify: SessionObjects }
  | { readonly answerTo: number; readonly outcome: Outcome<Uint8Array | readonly FoundKeys[]> };
type Rows = readonly (readonly [ViewName, string])[];
export type FromWorker =
  | { readonly reportOf: number; readonly rows: Rows; readonly outcome: Outcome<SessionReport> }
  | { readonly rowsOf: number; readonly rows: Rows }
  | { readonly id: number; readonly question: Question };

export interface VerifierPool {
  verify(session: SessionObjects): Promise<SessionReport>;
  close(): Promise<void>;
}

/** A worker takes longer to start than this many sessions take to verify. */
const worthwhile = 64;

export function openVerifierPool(
  options: PoolOptions,
  threads = availableParallelism(),
  after = worthwhile,
): VerifierPool {
  const workers: VerifierThread[] = [];
  let seen = 0;
  return {
    verify(session) {
      if (threads < 2 || isLarge(session) || seen++ < after) return verifyHere(session, options);
      if (workers.length < threads) workers.push(new VerifierThread(options));
      const idlest = workers.reduce((best, worker) => (worker.load < best.load ? worker : best));
      return idlest.verify(session);
    },
    close: async () => void (await Promise.all(workers.map((worker) => worker.close()))),
  };
}

function verifyHere(session: SessionObjects, { onRows, ...options }: PoolOptions): Promise<SessionReport> {
  if (onRows === undefined) return verifySession(session, options);
  return readSession(session, options, (view, lines) => onRows(session, view, lines));
}

/** What has to be read a piece at a time stays where the bucket is. */
function isLarge({ segments, redactions }: SessionObjects): boolean {
  return [...segments, ...redactions].some(({ size }) => size > MAX_HELD);
}

/** What lives here: one worker and what it was asked. */
class VerifierThread {
  readonly #options: PoolOptions;
  readonly #worker: Worker;
  readonly #waiting = new Map<
    number,
    { readonly session: SessionObjects; resolve(report: SessionReport): void; reject(error: Error): void }
  >();
  #rows: Promise<void> = Promise.resolve();
  #next = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
    const { demands, now, retentionDays, onRows } = options;
    const settings: WorkerSettings = {
      ...{ demands, now },
      ...(retentionDays === undefined ? {} : { retentionDays }),
      ...(onRows === undefined ? {} : { rows: true }),
    };
    this.#worker = new Worker(new URL('./verifier-worker.js', import.meta.url), {
      workerData: settings,
      // Lines live for microseconds: a large nursery only fills memory. Where it may have gigabytes, the collector waits
      // for them: the more sessions, the more garbage. What is large stays here, so that a thread needs a few megabytes.
      resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 },
    });
    this.#worker.on('message', (message: FromWorker) => this.#onMessage(message));
    this.#worker.on('error', (error) => this.#lose(error));
    this.#worker.on('exit', () => this.#lose(new DbguardError('internal', 'a verifying thread ended')));
  }

  get load(): number {
    return this.#waiting.size;
  }

  verify(session: SessionObjects): Promise<SessionReport> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { session, resolve, reject });
      this.#send({ id, verify: session });
    });
  }

  async close(): Promise<void> {
    const ended = once(this.#worker, 'exit');
    await this.#worker.terminate();
    await ended.catch(() => undefined);
  }

  #onMessage(message: FromWorker): void {
    if ('question' in message) {
      void this.#answer(message.question).then((outcome) => this.#send({ answerTo: message.id, outcome }));
      return;
    }
    if ('rowsOf' in message) {
      this.#take(message.rowsOf, message.rows);
      return;
    }
    const { outcome, reportOf, rows } = message;
    this.#take(reportOf, rows);
    const waiting = this.#waiting.get(reportOf);
    // its rows have come before it
    void this.#rows.then(
      () => {
        this.#waiting.delete(reportOf);
        if ('value' in outcome) waiting?.resolve(outcome.value);
        else waiting?.reject(errorFrom(outcome.failure));
      },
      (error: Error) => this.#lose(error),
    );
  }

  #take(id: number, rows: Rows): void {
    const session = this.#waiting.get(id)?.session;
    const { onRows } = this.#options;
    if (session === undefined || onRows === undefined) return;
    for (const [view, lines] of rows) this.#rows = this.#rows.then(() => onRows(session, view, lines));
    this.#rows.catch(() => undefined); // is heard with the report
  }

  async #answer(question: Question): Promise<Outcome<Uint8Array | readonly FoundKeys[]>> {
    const { source, keys } = this.#options;
    try {
      if (question.ask === 'keys') return { value: await keys.keysOf(question.of) };
      return { value: await source.read(question.key, question.version) };
    } catch (error) {
      return { failure: failureOf(error) };
    }
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #lose(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Errors lose their class on the way between threads. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof DbguardError)) return { message: messageOf(error) };
  return { message: error.message, code: error.code, hint: error.hint };
}

export function errorFrom({ message, code, hint }: Failure): Error {
  return code === undefined ? new Error(message) : new DbguardError(code, message, hint === undefined ? {} : { hint });
}

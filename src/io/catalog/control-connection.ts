/**
 * dbguard's own questions to the database (impact, catalog), on a connection that no client shares.
 *
 * What lives here: one upstream connection, opened when something is asked, and the queue of questions on it. What it
 * must not know: what the questions are about, who uses the database.
 */
import { parse, serialize } from 'pg-protocol';
import type { BackendMessage } from 'pg-protocol/dist/messages.js';
import type { Upstream } from '../upstream/connect.js';

export type Row = Readonly<Record<string, string | null>>;

interface Asked {
  readonly sql: string;
  readonly values: readonly (string | null)[];
  /** The server keeps its plan. */
  readonly often?: true;
}

interface Answer {
  /** One for each RowDescription. */
  readonly results: { readonly columns: readonly string[]; readonly rows: Row[] }[];
  error: Error | undefined;
  readonly settle: () => void;
}

/** No catalog is longer; what comes while nothing is asked counts with the next answer. */
const answerBytesMost = 128 << 20;

/** How long a server may take to end a connection that says goodbye, milliseconds. */
const goodbyeMs = 2_000;

export class ControlConnection {
  readonly #connect: () => Promise<Upstream>;
  readonly #staysOpen: () => boolean;
  #upstream: Promise<Upstream> | undefined;
  #answers: Answer[] = [];
  #queue: Promise<unknown> = Promise.resolve();
  /** Names of statements that the server keeps, by text. */
  readonly #prepared = new Map<string, string>();
  #names = 0;
  #keepsPlans = true;
  #closed = false;
  #bytes = 0;

  /** @param staysOpen asked after each answer: false where nobody else has a reason to be connected */
  constructor(connect: () => Promise<Upstream>, staysOpen: () => boolean = () => true) {
    this.#connect = connect;
    this.#staysOpen = staysOpen;
  }

  /**
   * Asks inside a read-only transaction that is rolled back, so that nothing asked here can change anything.
   * Rejects with the server's error, or when `timeoutMs` is over.
   *
   * @param values text format; null is NULL
   * @param searchPath in place of the login's own: '' lets no name mean anything but PostgreSQL's, and prints all others
   *   with their schema
   */
  async ask(sql: string, values: readonly (string | null)[], timeoutMs: number, searchPath?: ''): Promise<Row[]> {
    const [rows = []] = await this.#inTurn([{ sql, values }], timeoutMs, searchPath);
    return rows;
  }

  /** The same for several at once, in one snapshot and under an empty search_path; each may take `timeoutMs`. */
  askAll(questions: readonly Asked[], timeoutMs: number): Promise<Row[][]> {
    return questions.length === 0 ? Promise.resolve([]) : this.#inTurn(questions, timeoutMs, '');
  }

  #inTurn(questions: readonly Asked[], timeoutMs: number, searchPath: '' | undefined): Promise<Row[][]> {
    const ask = (): Promise<Row[][]> => this.#askNow(questions, timeoutMs, searchPath);
    const turn = this.#queue.then(ask).catch((error) => {
      if (!this.#keepsPlans || !isOfPooler(error)) throw error;
      this.#keepsPlans = false;
      return ask();
    });
    this.#queue = turn.catch(() => {}).then(() => (this.#staysOpen() ? undefined : this.#hangUp()));
    return turn;
  }

  /** Resolves when the server has let go of the connection. What is asked afterwards opens another. */
  leave(): Promise<void> {
    const left = this.#queue.then(() => this.#hangUp());
    this.#queue = left;
    return left;
  }

  /** What is asked afterwards is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    // nobody waits for the answer any more
    if (this.#answers.length > 0) (await this.#upstream?.catch(() => undefined))?.socket.destroy();
    await this.#hangUp();
  }

  async #hangUp(): Promise<void> {
    const opening = this.#upstream;
    this.#upstream = undefined;
    const socket = (await opening?.catch(() => undefined))?.socket;
    if (!socket || socket.destroyed) return;
    const timer = setTimeout(() => socket.destroy(), goodbyeMs);
    await new Promise((resolve) => {
      socket.once('close', resolve);
      // the server's end of it comes only when nothing of the session is left there
      socket.end(serialize.end());
    });
    clearTimeout(timer);
  }

  async #askNow(questions: readonly Asked[], timeoutMs: number, searchPath: '' | undefined): Promise<Row[][]> {
    const opening = this.#open();
    const { socket, serverVersion } = await opening;
    const limit = Math.max(1, Math.round(timeoutMs));
    const path = searchPath === undefined ? '' : `; SET LOCAL search_path = ''`;
    const limits = `SET LOCAL statement_timeout = ${limit}; SET LOCAL lock_timeout = ${limit}`;
    const plans = `SET LOCAL jit = off; SET LOCAL plan_cache_mode = force_generic_plan`;
    const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${plans}; ${limits}${path}`;
    const timer = setTimeout(
      () => socket.destroy(new Error('the database did not answer in time')),
      limit * questions.length + 1000,
    );
    try {
      const [begun, answered, ended] = [this.#expect(), this.#expect(), this.#expect()];
      for (const one of [answered, ended]) one.catch(() => {});
      const made = new Map<string, string>();
      const messages = questions.flatMap((question) => this.#messages(forServer(question, serverVersion), made));
      // one write: nothing that is asked here waits for what went before it
      socket.write(Buffer.concat([serialize.query(begin), ...messages, serialize.sync(), serialize.query('ROLLBACK')]));
      await begun;
      const answers = await answered;
      if (this.#upstream === opening) for (const [sql, name] of made) this.#prepared.set(sql, name);
      return answers;
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param made statements that the server has prepared when all of it went well */
  #messages({ sql, values, often }: Asked, made: Map<string, string>): Buffer[] {
    const keeps = often === true && this.#keepsPlans;
    const known = keeps ? (this.#prepared.get(sql) ?? made.get(sql)) : undefined;
    const name = known ?? (keeps ? `dbguard_${++this.#names}` : '');
    if (keeps) made.set(sql, name);
    return [
      ...(known === undefined ? [serialize.parse({ name, text: sql })] : []),
      serialize.bind({ statement: name, values: [...values] }),
      serialize.describe({ type: 'P' }),
      serialize.execute(),
    ];
  }

  #open(): Promise<Upstream> {
    if (this.#closed) return Promise.reject(new Error('the control connection is closed'));
    if (this.#upstream) return this.#upstream;
    const opening = this.#connect().then(
      (upstream) => {
        const { socket } = upstream;
        socket.unref();
        const lost = (error?: unknown): void => {
          if (this.#upstream === opening) this.#upstream = undefined;
          for (const answer of this.#answers.splice(0)) {
            answer.error ??= error instanceof Error ? error : new Error('the control connection was lost');
            answer.settle();
          }
        };
        socket.on('error', lost);
        socket.on('close', () => lost());
        socket.on('data', ({ length }) => {
          this.#bytes += length;
          if (this.#bytes <= answerBytesMost) return;
          socket.destroy(new Error(`the database sent more than ${answerBytesMost >> 20} MiB for one answer`));
        });
        this.#bytes = 0;
        this.#prepared.clear();
        if (upstream.rest.length > 0) socket.unshift(upstream.rest);
        parse(socket, (message) => this.#onMessage(message)).catch(lost);
        socket.resume();
        return upstream;
      },
      (error: unknown) => {
        this.#upstream = undefined;
        throw error;
      },
    );
    this.#upstream = opening;
    return opening;
  }

  /** The rows of each question up to the next ReadyForQuery. */
  #expect(): Promise<Row[][]> {
    return new Promise((resolve, reject) => {
      const answer: Answer = {
        results: [],
        error: undefined,
        settle: () => (answer.error ? reject(answer.error) : resolve(answer.results.map(({ rows }) => rows))),
      };
      this.#answers.push(answer);
    });
  }

  #onMessage(message: BackendMessage): void {
    const answer = this.#answers[0];
    if (answer === undefined) return;
    if (message.name === 'error') {
      answer.error ??= message as unknown as Error;
    } else if (message.name === 'rowDescription' && 'fields' in message) {
      answer.results.push({ columns: (message.fields as { name: string }[]).map((field) => field.name), rows: [] });
    } else if (message.name === 'dataRow' && 'fields' in message) {
      const fields = message.fields as (string | null)[];
      const result = answer.results.at(-1);
      result?.rows.push(rowOf(result.columns, fields));
    } else if (message.name === 'readyForQuery') {
      this.#answers.shift();
      this.#bytes = 0;
      answer.settle();
    }
  }
}

/** Field by field: all rows of an answer are objects of one shape, which take half the time and a third of the memory. */
function rowOf(columns: readonly string[], fields: readonly (string | null)[]): Row {
  const row: Record<string, string | null> = {};
  for (const [at, name] of columns.entries()) row[name] = fields[at] ?? null;
  return row;
}

/** A pooler that gives each transaction another server connection: what was prepared is elsewhere, or already there. */
function isOfPooler(error: { readonly code?: string }): boolean {
  return error.code === '26000' || error.code === '42P05';
}

/** PostgreSQL 13 has no bodies in SQL-standard form, nor the names that the questions about them need. */
function forServer(question: Asked, serverVersion: string): Asked {
  if (Number.parseInt(serverVersion, 10) >= 14) return question;
  const { sql } = question;
  return {
    ...question,
    sql: sql
      .replaceAll(/pg_get_function_sqlbody\((?:\w+\.)?oid\)/g, 'NULL::text')
      .replaceAll(/(?:\w+\.)?prosqlbody IS NOT NULL/g, 'false'),
  };
}

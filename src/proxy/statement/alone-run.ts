/**
 * A run as a role of what the server takes in no transaction (VACUUM, CREATE INDEX CONCURRENTLY and their kind): there is
 * none whose end could bring the role back. So the way back leaves in one write with the statement, and the server has it
 * before anything of the client's, whatever becomes of dbguard meanwhile:
 *
 *   who is the session, on which backend? -> take -> (bind anew) -> [the statement, back] -> is it back?
 *
 * What lives here: the order of these. What it must not know: who approved, policy, journal. Nothing is counted or undone.
 */
import { syncMessage } from '../../wire/extended-query.js';
import type { Candidate } from '../candidate.js';
import { clientCodeSql } from '../internal-queries/client-code.js';
import { type InternalQuery, PortalLost } from '../internal-queries/internal-queries.js';
import { type InternalAnswer, ServerRefusal } from '../internal-queries/internal-reply.js';
import type { HeldAnswer } from '../server/held-answer.js';
import { clientCodeWords } from './access-question.js';
import type { ConnectionState } from './connection-state.js';
import { failingMessage } from './denial.js';
import type { Answered, WatchEnd } from './watched-run.js';

/** What goes to the server behind the statement, in the same write. */
export interface Behind {
  /** The statement is in the outbox, and has not left. */
  push(): void;
  /** The server has answered it. */
  settled(): void;
}

export interface AloneRunParts {
  readonly state: ConnectionState;
  readonly internal: InternalQuery;
  readonly candidate: Candidate;
  readonly role: string;
  /** Sends the statement. Resolves when the server has answered it. */
  readonly forward: (behind: Behind) => Promise<Answered>;
}

const nowSql = `
  SELECT pg_catalog.current_setting('role'), pg_catalog.pg_backend_pid()`;
const switchSql = `SELECT pg_catalog.set_config('role', $1, false)`;
/** A cancel that was meant for the statement, or a time limit, may hit the way back. */
const attempts = 5;

export class AloneRun {
  readonly #parts: AloneRunParts;
  readonly #answer: HeldAnswer;
  #before = 'none';

  constructor(parts: AloneRunParts) {
    this.#parts = parts;
    this.#answer = parts.state.server.hold();
  }

  /** Rejects where the role may still be there: then the connection has to end. */
  async run(): Promise<WatchEnd> {
    const { server } = this.#parts.state;
    try {
      return await this.#run();
    } finally {
      server.inquire(false);
      server.letGo();
      this.#parts.state.flushClient();
    }
  }

  async #run(): Promise<WatchEnd> {
    const { state, internal, candidate } = this.#parts;
    state.server.inquire('kept');
    const obstacle = await this.#take();
    if (obstacle !== undefined) {
      this.#answer.drop();
      return { kind: 'kept-back', why: obstacle, told: false };
    }
    try {
      if (candidate.kind === 'execute') await internal.bindAgain();
    } catch (error) {
      if (!(error instanceof PortalLost)) throw error;
      await internal.sync();
      await this.#back(this.#switch(this.#before));
      if (candidate.kind === 'execute') await this.#discardAgain();
      this.#answer.drop();
      return { kind: 'kept-back', why: 'the server could not bind it as the role', told: true };
    }
    const { how, back } = await this.#statement();
    await this.#back(back);
    if (candidate.kind === 'execute' && how !== 'done') await this.#discardAgain();
    this.#answer.release(state.server.transactionStatus);
    return { kind: 'answered', how };
  }

  /** Undefined once the role is taken; else why it must not be. */
  async #take(): Promise<string | undefined> {
    const { state, internal, role } = this.#parts;
    try {
      // an implicit transaction in which nothing has run yet
      if (state.server.responses.pipeline !== 'none') await internal.sync();
      const [code] = (await internal.put({ sql: clientCodeSql })).rows;
      if (code) return clientCodeWords(code[0]);
      const [[before, pid] = []] = (await internal.put({ sql: nowSql })).rows;
      if (Number(pid) !== state.parts.backendPid) return pooled;
      this.#before = before ?? 'none';
      await this.#back(this.#switch(role), role);
      return undefined;
    } catch (error) {
      if (error instanceof ServerRefusal) return error.message;
      throw error;
    }
  }

  async #statement(): Promise<Answered & { readonly back: Promise<InternalAnswer> }> {
    const { state, candidate, forward } = this.#parts;
    const { server, outbox } = state;
    let back: Promise<InternalAnswer> | undefined;
    server.inquire(false);
    const answered = await forward({
      push: () => {
        if (candidate.kind === 'execute') {
          server.responses.expect({ kind: 'sync', sink: () => undefined });
          outbox.out.pushMessage(syncMessage);
        }
        back = this.#switch(this.#before);
        back.catch(() => undefined);
      },
      settled: () => server.inquire('kept'),
    });
    if (back === undefined) throw new Error('the way back was not sent');
    return { ...answered, back };
  }

  #switch(to: string): Promise<InternalAnswer> {
    const bound = { formats: [], values: [Buffer.from(to, 'utf8')], resultFormats: [] };
    return this.#parts.internal.put({ sql: switchSql, bound });
  }

  /** Rejects with ServerRefusal where the server says no again and again. */
  async #back(first: Promise<InternalAnswer>, to = this.#before): Promise<void> {
    let switching = first;
    for (let attempt = 1; ; attempt++) {
      try {
        const [row] = (await switching).rows;
        if (row?.[0] === to) return;
        throw new Error(`the session is not ${to}`);
      } catch (error) {
        if (!(error instanceof ServerRefusal) || error.sqlstate !== '57014' || attempt === attempts) throw error;
        switching = this.#switch(to);
      }
    }
  }

  /** As it would after the failed Execute: the server discards what its client has sent behind it, up to Sync. */
  #discardAgain(): Promise<void> {
    const { state } = this.#parts;
    const { server, outbox, parts } = state;
    return new Promise((resolve) => {
      server.responses.expect({ kind: 'execute', sink: () => undefined, settle: () => resolve() });
      outbox.out.pushMessage(failingMessage('execute', parts.missingPortalName));
      state.release();
    });
  }
}

const pooled = 'between dbguard and the server there is a connection pooler, which may let others have the role';

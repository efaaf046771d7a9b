/**
 * The real run of a statement that was let through for a number of rows: the planner may err, and code may do one thing
 * when it is tried and another when it counts. It runs where it can still be undone, its rows are counted, and only then does the
 * client hear that it is done.
 *
 *   in a transaction block:        SAVEPOINT ... RELEASE, or ROLLBACK TO SAVEPOINT
 *   a simple Query outside one:    BEGIN ... COMMIT, or ROLLBACK
 *   an Execute outside one:        the implicit transaction up to the client's Sync is scope enough
 *
 * What lives here: the scope, and which part of the answer the client gets when. What it must not know: policy, journal,
 * who is asked again.
 */

import { encodeClose, syncMessage } from '../../wire/extended-query.js';
import { backend } from '../../wire/messages.js';
import type { Candidate } from '../candidate.js';
import { changedByTable } from '../internal-queries/changed-by-table.js';
import { type InternalQuery, PortalLost } from '../internal-queries/internal-queries.js';
import { ServerRefusal } from '../internal-queries/internal-reply.js';
import { type RowsByTable, type RunRows, rowsBetween, rowsOfTags } from '../row-counts/shown-rows.js';
import type { AnswerMask } from '../server/answer-mask.js';
import type { HeldAnswer } from '../server/held-answer.js';
import type { Settled } from '../server/meter.js';
import type { PrivilegeRefusal } from '../server/privilege-refusal.js';
import type { ResponseSink } from '../server/responses.js';
import type { ConnectionState } from './connection-state.js';
import { failingMessage } from './denial.js';
import { RoleSwitch } from './role-switch.js';

/** What became of it. */
export type WatchEnd =
  | { readonly kind: 'answered'; readonly how: Settled; readonly sqlstate?: string; readonly real?: RunRows }
  /** `again`: the client has heard nothing, and everything is as it was before the statement. `begun`: it has seen some rows. */
  | { readonly kind: 'undone'; readonly real: RunRows; readonly again: boolean; readonly begun: boolean }
  /** The login lacks a privilege in the middle of it: undone, and the client has heard nothing. */
  | { readonly kind: 'refused'; readonly refusal: PrivilegeRefusal; readonly error: Buffer }
  /** It must not run as the role, and did not. `told`: the client knows that it failed, from the server. */
  | { readonly kind: 'kept-back'; readonly why: string; readonly told: boolean };

export interface Answered {
  readonly how: Settled;
  /** Command tags. */
  readonly tags: readonly string[];
  /** Where it failed by that. */
  readonly refusal?: PrivilegeRefusal | undefined;
}

export interface WatchedRunParts {
  readonly state: ConnectionState;
  readonly internal: InternalQuery;
  readonly candidate: Candidate;
  /** A portal that can be bound again. */
  readonly portalKnown: boolean;
  /** Rows are counted by table as well, which takes questions before and after. */
  readonly counts: boolean;
  /** So many may stay. @param tags command tags */
  readonly accepts: (real: RunRows, tags: readonly string[]) => boolean;
  /** Of errors and notices that come with COMMIT. */
  readonly mask: AnswerMask | undefined;
  /** It runs as this role. */
  readonly role: string | undefined;
  /** For want of a privilege it is undone, as if it had not been sent; it stands where it can be sent again. */
  readonly refusable: boolean;
  /** Sends the statement. Resolves when the server has answered it. */
  readonly forward: () => Promise<Answered>;
}

type Scope = 'savepoint' | 'block' | 'pipeline';

export class WatchedRun {
  readonly #parts: WatchedRunParts;
  readonly #scope: Scope;
  readonly #savepoint: string;
  readonly #answer: HeldAnswer;
  /** Nothing of the client's has run in the implicit transaction before. */
  readonly #alone: boolean;
  readonly #role: RoleSwitch | undefined;

  constructor(parts: WatchedRunParts) {
    const { server } = parts.state;
    this.#parts = parts;
    this.#savepoint = `"${parts.state.parts.missingPortalName}"`;
    this.#scope =
      server.transactionStatus !== 'I' ? 'savepoint' : parts.candidate.kind === 'query' ? 'block' : 'pipeline';
    this.#alone =
      server.responses.pipeline !== 'executed' && parts.state.registry.otherPortals(parts.candidate.portalName) === 0;
    this.#answer = server.hold();
    this.#answer.keepsRefusal = parts.refusable;
    this.#role =
      parts.role === undefined ? undefined : new RoleSwitch(parts.internal, parts.role, this.#scope === 'pipeline');
  }

  /** Rejects where nobody can tell any more what the server has done: then the connection has to end. */
  async run(): Promise<WatchEnd> {
    try {
      return await this.#run();
    } finally {
      this.#parts.state.server.letGo();
      this.#parts.state.flushClient();
    }
  }

  async #run(): Promise<WatchEnd> {
    const { state, accepts, forward } = this.#parts;
    const before = await this.#ask(async () => {
      await this.#open();
      return this.#parts.counts ? this.#changed() : undefined;
    });
    if (this.#role) {
      const keptBack = await this.#become(this.#role);
      if (keptBack) return keptBack;
    }
    const { how, tags, refusal } = await forward();
    const error = this.#answer.refusal;
    if (how === 'failed' && refusal && error) {
      await this.#undoFailed();
      return { kind: 'refused', refusal, error };
    }
    const cut = how === 'done' ? await this.#beOneself() : undefined;
    if (cut) {
      if (this.#scope === 'block') await this.#ask(() => this.#step('ROLLBACK'));
      this.#answer.release(state.server.transactionStatus);
      return { kind: 'answered', how: 'failed', sqlstate: cut.sqlstate };
    }
    // after an error the role is back already: it went with the transaction, or with the innermost savepoint
    if (how !== 'done') {
      if (this.#scope === 'block' && how === 'failed') await this.#ask(() => this.#step('ROLLBACK'));
      this.#answer.release(state.server.transactionStatus);
      return { kind: 'answered', how };
    }
    const real = await this.#count(before, tags);
    if (real !== undefined && accepts(real, tags)) return this.#keep(real);
    return this.#undo(real ?? { rows: rowsOfTags(tags), tables: undefined });
  }

  /** Undefined once the statement may go; it is bound anew, since policies of rows were planned in for who it was before. */
  async #become(role: RoleSwitch): Promise<WatchEnd | undefined> {
    const { candidate, internal } = this.#parts;
    let why: string | undefined;
    try {
      why = await this.#ask(async () => {
        const obstacle = await role.take();
        if (obstacle === undefined && candidate.kind === 'execute') await internal.bindOver();
        return obstacle;
      });
    } catch (error) {
      if (error instanceof PortalLost) return this.#keepBack('the server could not bind it as the role', true);
      if (!(error instanceof ServerRefusal)) throw error;
      why = error.message;
    }
    return why === undefined ? undefined : this.#keepBack(why, false);
  }

  async #keepBack(why: string, told: boolean): Promise<WatchEnd> {
    this.#answer.drop();
    if (this.#scope === 'block') await this.#ask(() => this.#step('ROLLBACK'));
    if (this.#scope === 'savepoint' && !told) {
      await this.#ask(async () => {
        await this.#step(`ROLLBACK TO SAVEPOINT ${this.#savepoint}`);
        await this.#step(`RELEASE SAVEPOINT ${this.#savepoint}`);
      });
    }
    return { kind: 'kept-back', why, told };
  }

  /** What the server said where it did not give the role back, and where the transaction failed by that. */
  async #beOneself(): Promise<ServerRefusal | undefined> {
    try {
      await this.#ask(async () => this.#role?.giveBack(this.#diagnostics));
      return undefined;
    } catch (error) {
      if (error instanceof ServerRefusal) return error;
      throw error;
    }
  }

  /** Undefined where the server would not say. */
  async #count(before: RowsByTable | undefined, tags: readonly string[]): Promise<RunRows | undefined> {
    if (before === undefined) return { rows: rowsOfTags(tags), tables: undefined };
    try {
      const after = await this.#ask(() => this.#changed());
      return { rows: rowsOfTags(tags), tables: rowsBetween(before, after) };
    } catch (error) {
      if (error instanceof ServerRefusal) return undefined;
      throw error;
    }
  }

  async #keep(real: RunRows): Promise<WatchEnd> {
    const { state } = this.#parts;
    if (this.#scope === 'savepoint') await this.#ask(() => this.#step(`RELEASE SAVEPOINT ${this.#savepoint}`));
    const refused = this.#scope === 'block' ? await this.#commit() : undefined;
    this.#answer.release(state.server.transactionStatus);
    if (refused === undefined) return { kind: 'answered', how: 'done', real };
    return { kind: 'answered', how: 'failed', sqlstate: refused.sqlstate };
  }

  /** What the client takes for part of its statement, though the server says it of something that follows. */
  readonly #diagnostics: ResponseSink = (type, bytes, start, end) => {
    const { mask } = this.#parts;
    if (type === backend.errorResponse) this.#answer.withoutEnd();
    if (mask) mask.pass(type, bytes, start, end, this.#answer.out);
    else this.#answer.out.push(bytes, start, end);
    this.#answer.beforeEnd();
  };

  /** Deferred constraints and triggers speak at COMMIT. */
  async #commit(): Promise<ServerRefusal | undefined> {
    const { internal } = this.#parts;
    try {
      await this.#ask(() => internal.put({ sql: 'COMMIT', diagnostics: this.#diagnostics }));
      return undefined;
    } catch (error) {
      if (error instanceof ServerRefusal) return error;
      throw error;
    }
  }

  async #undo(real: RunRows): Promise<WatchEnd> {
    const { state, candidate } = this.#parts;
    const { begun } = this.#answer;
    const ready = candidate.kind === 'query' || this.#parts.portalKnown;
    const again =
      ready && !begun && (this.#scope !== 'pipeline' || (this.#alone && !state.server.responses.discarding));
    this.#answer.drop();
    if (this.#scope === 'block') await this.#ask(() => this.#step('ROLLBACK'));
    if (this.#scope === 'savepoint') {
      await this.#ask(async () => {
        await this.#step(`ROLLBACK TO SAVEPOINT ${this.#savepoint}`);
        await this.#step(`RELEASE SAVEPOINT ${this.#savepoint}`);
        if (again && candidate.kind === 'execute') await this.#closePortal();
      });
    }
    if (again && candidate.kind === 'execute') {
      await this.#ask(async () => {
        if (this.#scope === 'pipeline') await this.#failPipeline();
        await this.#parts.internal.bindAgain();
      });
    }
    return { kind: 'undone', real, again, begun };
  }

  /** Everything is as it was before the statement, which the server has refused. */
  async #undoFailed(): Promise<void> {
    const { candidate, internal } = this.#parts;
    const extended = candidate.kind === 'execute';
    this.#answer.drop();
    await this.#ask(async () => {
      // the server discards what comes, up to that
      if (extended) await internal.sync();
      if (this.#scope === 'block') await this.#step('ROLLBACK');
      if (this.#scope === 'savepoint') {
        await this.#step(`ROLLBACK TO SAVEPOINT ${this.#savepoint}`);
        await this.#step(`RELEASE SAVEPOINT ${this.#savepoint}`);
        if (extended) await this.#closePortal();
      }
      if (extended) await internal.bindAgain();
    });
  }

  async #open(): Promise<void> {
    if (this.#scope === 'savepoint') await this.#step(`SAVEPOINT ${this.#savepoint}`);
    if (this.#scope !== 'block') return;
    // an implicit transaction in which nothing has run yet
    if (this.#parts.state.server.responses.pipeline !== 'none') await this.#parts.internal.sync();
    await this.#step('BEGIN');
  }

  async #step(sql: string): Promise<void> {
    await this.#parts.internal.ask(sql);
  }

  #changed(): Promise<RowsByTable> {
    return changedByTable(this.#parts.internal, this.#scope === 'pipeline' || undefined);
  }

  async #ask<T>(work: () => Promise<T>): Promise<T> {
    const { server } = this.#parts.state;
    server.inquire('kept');
    try {
      return await work();
    } finally {
      server.inquire(false);
    }
  }

  /** A named portal that has run would be in the way of a new one. */
  #closePortal(): Promise<void> {
    const { server, outbox } = this.#parts.state;
    return new Promise((resolve) => {
      server.responses.expect({ kind: 'close', sink: () => undefined, settle: () => resolve() });
      outbox.out.pushMessage(encodeClose('P', this.#parts.candidate.portalName ?? ''));
      server.responses.expect({ kind: 'sync', sink: () => undefined });
      outbox.out.pushMessage(syncMessage);
      this.#parts.state.release();
    });
  }

  #failPipeline(): Promise<void> {
    const { server, outbox, parts } = this.#parts.state;
    server.responses.expect({ kind: 'execute', sink: () => undefined });
    outbox.out.pushMessage(failingMessage('execute', parts.missingPortalName));
    return this.#parts.internal.sync();
  }
}

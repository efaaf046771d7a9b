/**
 * A Parse in a schema that its login may not look into: the server refuses it before there is anything to ask about. Where
 * an entry of `access` covers what the statement needs, it is parsed as that role, in a scope that can only read and is
 * undone; then it is asked about when it runs, as all others are.
 *
 *   which schemas does it name? -> may the login use them? -> is it covered? -> [take the role, Parse, undone]
 *
 * What lives here: the wait, and that one message. What it must not know: who is asked, how a statement runs as a role.
 */
import type { Facts } from '../../sql/facts.js';
import { flushMessage, syncMessage } from '../../wire/extended-query.js';
import { backend } from '../../wire/messages.js';
import { InternalQuery } from '../internal-queries/internal-queries.js';
import type { Prepared } from '../prepared/registry.js';
import { findAccess, privilegeHint } from './access-question.js';
import type { ConnectionState } from './connection-state.js';

export interface ParseMessage {
  readonly name: string;
  readonly prepared: Prepared;
  /** Of the socket, and so only good until reading goes on. */
  readonly bytes: Buffer;
  /** Judges it anew. @param hint goes with the server's error */
  readonly again: (hint?: string) => void;
}

interface ParseAsRoleParts {
  readonly closed: () => boolean;
  readonly draining: () => boolean;
  readonly resume: () => void;
  readonly failed: (error: unknown) => void;
  /** What its client has sent behind it is skipped, after this. @param error one ErrorResponse */
  readonly fail: (error: Buffer) => void;
}

type Found =
  | { readonly kind: 'own' }
  | { readonly kind: 'unchanged'; readonly hint?: string }
  | { readonly kind: 'parsed'; readonly answer: Buffer }
  | { readonly kind: 'rejected'; readonly error: Buffer };

const limits = { statementMs: 2000, lockMs: 500 };
const takeSql = `SELECT pg_catalog.set_config('role', $1, true) AS role`;
const closedSql = `
  SELECT n.nspname AS name FROM pg_catalog.pg_namespace n
   WHERE n.nspname OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[]) AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')`;

export class ParseAsRole {
  readonly #state: ConnectionState;
  readonly #parts: ParseAsRoleParts;
  /** Schemas that the login may use, as the server has said. */
  readonly #open = new Set<string>();
  readonly #schemas = new WeakMap<Facts, readonly string[]>();
  #waits = false;
  #whenQuiet: (() => void) | undefined;

  constructor(state: ConnectionState, parts: ParseAsRoleParts) {
    this.#state = state;
    this.#parts = parts;
  }

  /** Nothing of this client moves on. */
  get waits(): boolean {
    return this.#waits;
  }

  quiet(): void {
    this.#whenQuiet?.();
    this.#whenQuiet = undefined;
  }

  /** False where it waits; then it is parsed, or judged anew. */
  isDone(message: ParseMessage): boolean {
    const { facts } = message.prepared;
    if (this.#waits || this.#state.server.transactionStatus === 'E') return true;
    if (this.#schemasOf(facts).every((name) => this.#open.has(name))) return true;
    this.#waits = true;
    this.#state.release();
    this.#look(message)
      .then((found) => this.#after(found, message))
      .catch((error: unknown) => this.#parts.failed(error))
      .finally(() => {
        this.#waits = false;
        if (!this.#parts.closed()) this.#parts.resume();
      });
    return false;
  }

  /** That it names, where anybody may be asked to let it run as a role. */
  #schemasOf(facts: Facts): readonly string[] {
    let schemas = this.#schemas.get(facts);
    if (schemas === undefined) {
      const { journal, context } = this.#state.parts;
      const targets = facts.statements.flatMap(({ effects }) => effects.flatMap((effect) => effect.targets));
      const named = [...new Set(targets.flatMap(({ schema }) => schema ?? []))];
      schemas = named.length > 0 && journal.rulings.mayRunAsRole(facts, context) ? named : [];
      this.#schemas.set(facts, schemas);
    }
    return schemas;
  }

  async #look(message: ParseMessage): Promise<Found> {
    const { server, registry, encoding, outbox, parts } = this.#state;
    const { facts, sql } = message.prepared;
    const offer = parts.journal.rulings.accessOffer(facts, parts.context);
    if (offer === undefined) return { kind: 'unchanged' };
    if (!server.responses.idle) {
      outbox.out.pushMessage(flushMessage);
      const quiet = new Promise<void>((resolve) => {
        this.#whenQuiet = resolve;
      });
      this.#state.release();
      await quiet;
    }
    const isAscii = /^\p{ASCII}*$/u.test(sql);
    const obstacle =
      encoding !== 'UTF8' && !isAscii
        ? 'client_encoding is not UTF8'
        : InternalQuery.obstacle(server, registry.otherPortals(undefined));
    if (obstacle !== undefined) return { kind: 'unchanged', hint: privilegeHint(offer, obstacle) };
    const internal = new InternalQuery({
      server,
      out: outbox.out,
      release: () => this.#state.release(),
      toClient: (bytes) => this.#state.tellClient(bytes),
      cancel: () => parts.port.cancel(),
      name: parts.missingPortalName,
    });
    return internal.run(limits, async (session): Promise<Found> => {
      const closed = await session.ask(closedSql, [arrayOf(this.#schemasOf(facts))]);
      if (closed.length === 0) return { kind: 'own' };
      const candidate = { facts, sql, transactionStatus: server.transactionStatus };
      const found = await findAccess(session, candidate, { bound: undefined }, offer);
      if (found.kind === 'refused') return { kind: 'unchanged', hint: privilegeHint(offer, found.obstacle) };
      if (found.kind !== 'covered') return { kind: 'unchanged' };
      await session.ask(takeSql, [found.rule.role]);
      return this.#parse(message);
    });
  }

  /** The client's own message. */
  #parse({ name, prepared, bytes }: ParseMessage): Promise<Found> {
    const { server, outbox } = this.#state;
    const settle = this.#state.addStatement(name, prepared);
    return new Promise((resolve) => {
      let found: Found = { kind: 'unchanged' };
      server.responses.expect({
        kind: 'parse',
        settle,
        sink: (type, answer, start, end) => {
          const copy = Buffer.from(answer.subarray(start, end));
          if (type === backend.errorResponse) found = { kind: 'rejected', error: copy };
          else if (type === backend.parseComplete) found = { kind: 'parsed', answer: copy };
        },
      });
      outbox.out.pushMessage(bytes);
      server.responses.expect({
        kind: 'sync',
        sink: (type) => {
          if (type === backend.readyForQuery) resolve(found);
        },
      });
      outbox.out.pushMessage(syncMessage);
      this.#state.release();
    });
  }

  #after(found: Found, { prepared, again }: ParseMessage): void {
    if (this.#parts.closed() || this.#parts.draining()) return;
    if (found.kind === 'rejected') this.#parts.fail(found.error);
    else if (found.kind === 'parsed') {
      prepared.parsedAsRole = true;
      this.#state.tellClient(found.answer);
    } else {
      if (found.kind === 'own') for (const name of this.#schemasOf(prepared.facts)) this.#open.add(name);
      // an error that came meanwhile makes the server skip what follows, up to Sync
      if (!this.#state.server.responses.discarding) again(found.kind === 'own' ? undefined : found.hint);
    }
  }
}

function arrayOf(names: readonly string[]): string {
  return `{${names.map((name) => `"${name.replaceAll(/[\\"]/g, '\\$&')}"`).join(',')}}`;
}

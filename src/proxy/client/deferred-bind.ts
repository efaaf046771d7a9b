/**
 * A Bind that is kept back until its Execute: the server plans a query there and asks who may read, before anybody could be
 * asked to let it run as a role. What its client sends in between, to learn of the result, waits with it; anything else
 * lets it go first, as it came.
 *
 * What lives here: which Binds wait, what waits with them, and their one end. What it must not know: who is asked.
 *
 * Rejected: to bind as the role when the Bind comes. Planning runs functions, and nothing is tried before the verdict.
 */
import type { Facts } from '../../sql/facts.js';
import { decodeExecute, decodeNamed } from '../../wire/frontend.js';
import { frontend } from '../../wire/messages.js';
import { fresh } from '../prepared/prepared-facts.js';
import type { Prepared, Settle } from '../prepared/registry.js';
import type { ConnectionState } from '../statement/connection-state.js';
import type { Unbound } from '../statement/gated.js';

export class DeferredBind implements Unbound {
  readonly portal: string;
  readonly #settle: Settle;
  #sends: ((privilegeHint?: string) => void)[];

  /** @param send the Bind itself @param settle told where it never goes */
  constructor(portal: string, send: (privilegeHint?: string) => void, settle: Settle) {
    this.portal = portal;
    this.#sends = [send];
    this.#settle = settle;
  }

  get waits(): boolean {
    return this.#sends.length > 0;
  }

  /** It goes with the Bind, behind it. */
  add(send: () => void): void {
    this.#sends.push(send);
  }

  send(privilegeHint?: string): void {
    const sends = this.#sends;
    this.#sends = [];
    for (const send of sends) send(privilegeHint);
  }

  drop(): void {
    if (!this.waits) return;
    this.#sends = [];
    this.#settle('skipped');
  }
}

interface DeferredParts {
  /** What the server says of these may hold masked values. */
  readonly hides: (prepared: readonly Prepared[]) => boolean;
  /** A Describe is about to go. */
  readonly describe: (bytes: Buffer) => void;
}

/** Of one connection: at most one waits. */
export class DeferredBinds {
  readonly #state: ConnectionState;
  readonly #parts: DeferredParts;
  /** Whether queries of these facts may be asked about as a role. */
  readonly #mayReadAsRole = new WeakMap<Facts, boolean>();
  #waiting: DeferredBind | undefined;

  constructor(state: ConnectionState, parts: DeferredParts) {
    this.#state = state;
    this.#parts = parts;
  }

  /** The server says at Bind who may not read, and who may not look into a schema where it plans anew, when nobody could be asked any more. */
  mayNeedRole([only, ...others]: readonly Prepared[]): boolean {
    if (only === undefined || others.length > 0) return false;
    const { journal, catalog, context } = this.#state.parts;
    const { facts, sql, parsedAsRole } = fresh(only, catalog.analyser);
    let may = this.#mayReadAsRole.get(facts);
    if (may === undefined) {
      may = onlyReads(facts) && journal.rulings.mayRunAsRole(facts, context);
      this.#mayReadAsRole.set(facts, may);
    }
    return (may || parsedAsRole === true) && this.#state.masks?.plan(sql).kind !== 'deny';
  }

  /** @param bytes its own: those of the socket are used again */
  defer(portal: string, bytes: Buffer, prepared: readonly Prepared[], settle: Settle): void {
    const { server, outbox } = this.#state;
    const send = (privilegeHint?: string): void => {
      const hidesDiagnostics = this.#parts.hides(prepared);
      server.responses.expect({ kind: 'bind', hidesDiagnostics, privilegeHint, settle });
      outbox.out.pushMessage(bytes);
    };
    this.#waiting = new DeferredBind(portal, send, settle);
  }

  /** True for what waits with a Bind; before anything else, but for its Execute, it goes. */
  waitsWith(type: number, buffer: Buffer, start: number, end: number): boolean {
    const waiting = this.#waiting;
    if (waiting === undefined) return false;
    if (type === frontend.execute && decodeExecute(buffer, start, end).portal === waiting.portal) return false;
    if (type === frontend.describe) {
      const { kind, name } = decodeNamed(buffer, start, end);
      if (kind === 'P' && name === waiting.portal) {
        const bytes = Buffer.from(buffer.subarray(start, end));
        waiting.add(() => {
          this.#parts.describe(bytes);
          this.#state.outbox.out.pushMessage(bytes);
        });
        return true;
      }
    }
    this.letGo();
    return false;
  }

  take(): DeferredBind | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  /** An error that came meanwhile makes the server skip it. */
  letGo(): void {
    const waiting = this.take();
    if (this.#state.server.responses.discarding) waiting?.drop();
    else waiting?.send();
  }
}

/** Rows of tables, be it with locks on them: planning it runs nothing else, and the server plans it at Bind. */
function onlyReads({ statements }: Facts): boolean {
  return statements.every(
    ({ command, effects }) =>
      command === 'SELECT' && effects.every(({ kind, lockMode }) => kind === 'read' || lockMode?.startsWith('FOR ')),
  );
}

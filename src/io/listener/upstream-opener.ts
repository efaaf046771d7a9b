/**
 * From a client's startup packet to the upstream connection that is its own, or to the words it is refused with.
 *
 * What lives here: who may open what, the early dial, the connection's entry in the transcript. What it must not know:
 * the client's socket, the client's password, statements.
 */

import { setTimeout as after } from 'node:timers/promises';
import { DbguardError } from '../../errors.js';
import type { ConnectionContext, LoopbackUser } from '../../proxy/candidate.js';
import { type AdmissionRules, admit } from '../../proxy/client/startup-parameters.js';
import { type ClientProcess, processEntry } from '../../proxy/client-process.js';
import type { ConnectionOnRequest } from '../../proxy/statement/connection-on-request.js';
import type { DatabaseUse, SessionParts } from '../../proxy/statement/connection-state.js';
import { tooManyClients, unknownUser } from '../../proxy/statement/fatal.js';
import type { StatementJournal } from '../../proxy/statement/statement-journal.js';
import type { ErrorText } from '../../wire/backend.js';
import { newestProtocolMinor, type StartupPacket } from '../../wire/startup.js';
import type { Beginning } from '../catalog/catalogs.js';
import type { Upstream } from '../upstream/connect.js';
import { type EarlyDial, type EarlyDials, withGrace } from './early-dials.js';
import { upstreamFailure } from './upstream-refusal.js';

/** What a client asks the server for in its startup packet, as far as it may. */
export interface Wanted {
  readonly parameters: Map<string, string>;
  readonly protocolMinor: number;
}

export interface OpenerParts {
  readonly number: number;
  /** Where a client of another machine comes from. */
  readonly address?: string;
  /** True when there is no place for one more session: told after the password, as a server does. */
  readonly full: () => boolean;
  /** Undefined while the session may go on; else why no statement may run (login ended, journal broken). */
  readonly blocked: () => ErrorText | undefined;
  /** By the name that a client gives. */
  readonly users: ReadonlyMap<string, LoopbackUser>;
  readonly admission: (user: LoopbackUser) => AdmissionRules;
  readonly context: Omit<ConnectionContext, 'number' | 'database' | keyof LoopbackUser>;
  readonly journal: StatementJournal;
  /** What the statements of a client in that database are judged by. */
  readonly judgedBy: (database: string, startup: ReadonlyMap<string, string>) => Promise<Judged>;
  readonly databases: DatabaseUse;
  /** Undefined where clients are connected without being asked about. */
  readonly onRequest?: ConnectionOnRequest | undefined;
  readonly earlyDials: EarlyDials;
  /** Who is on the other end of the client's socket; never rejects. */
  readonly process: () => Promise<ClientProcess | undefined>;
  /** Opens the upstream connection; a failure carries the ErrorResponse for the client. */
  readonly connect: (user: LoopbackUser, wanted: Wanted, signal: AbortSignal) => Promise<Upstream>;
}

interface Judged extends Pick<SessionParts, 'masks' | 'catalog'> {
  readonly began?: Beginning | undefined;
}

export interface Opened extends Judged {
  readonly upstream: Upstream;
  readonly context: ConnectionContext;
  /** The protocol's minor version that both sides speak. */
  readonly minor: number;
  /** The time for which it was granted; undefined where it needed none. */
  readonly window?: number | undefined;
}

export class UpstreamOpener {
  readonly #parts: OpenerParts;
  readonly #signal: AbortSignal;
  #early: EarlyDial | undefined;
  #leave: (() => void) | undefined;
  #process: Promise<ClientProcess | undefined> | undefined;

  /** @param signal the client is gone: what is being opened is given up */
  constructor(parts: OpenerParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = withGrace(signal);
  }

  /** Of what the client says nothing is proven: who names another user, or would be refused, causes nothing. */
  dialEarly(startup: StartupPacket | undefined): void {
    const { full, blocked } = this.#parts;
    const user = startup && this.#userOf(startup);
    if (this.#early || startup === undefined || user === undefined) return;
    if (full() || blocked()) return;
    this.#process ??= this.#parts.process();
    if (this.#isClosed) return;
    const admission = admit(startup.parameters, this.#parts.admission(user));
    if (admission.kind === 'refused') return;
    const { database, parameters } = admission;
    this.#early = this.#parts.earlyDials.start(
      (signal) => {
        const wanted = { parameters, protocolMinor: minorOf(startup) };
        return this.#parts.connect(user, wanted, AbortSignal.any([signal, this.#signal]));
      },
      ({ backendKey }) => {
        const own = { event: 'own', database, user: user.login, backendPid: backendKey?.pid } as const;
        whereJournalTakesIt(() => this.#parts.journal.recordConnection({ k: 'connection', ...own }));
      },
    );
  }

  /** Resolves when a dial that nobody took is gone. */
  async dropEarly(): Promise<void> {
    await this.#early?.drop();
  }

  /** The client does not use its database any more. */
  leaveDatabase(): void {
    this.#leave?.();
  }

  /** Nobody has granted the connection. */
  get #isClosed(): boolean {
    const { onRequest } = this.#parts;
    return onRequest !== undefined && onRequest.open === undefined;
  }

  /**
   * Throws where the journal takes no entry of it; then nothing stays open. `refused`: the ErrorResponse or its text.
   * @param waits called where somebody is asked first
   */
  async open(
    startup: StartupPacket,
    waits: () => void = () => undefined,
  ): Promise<Opened | { readonly refused: ErrorText | Buffer }> {
    const { full, blocked: isBlocked, users, databases, number, onRequest } = this.#parts;
    if (full()) return { refused: tooManyClients };
    const blocked = isBlocked();
    if (blocked) return { refused: blocked };
    const user = this.#userOf(startup);
    if (!user) return { refused: unknownUser(nameOf(startup), [...users.keys()]) };
    const admission = admit(startup.parameters, this.#parts.admission(user));
    if (admission.kind === 'refused') return { refused: admission.error };
    const granted = await onRequest?.admit(number, this.#signal, waits);
    if (granted && 'refused' in granted) return granted;
    const window = granted?.window;
    const context = { ...this.#parts.context, ...user, number, database: admission.database };
    const minor = minorOf(startup);
    this.#leave = databases.use(admission.database);
    let opened: [Judged, Upstream];
    const wanted = { parameters: admission.parameters, protocolMinor: minor };
    const dialled = this.#early?.take() ?? this.#parts.connect(user, wanted, this.#signal);
    try {
      opened = await Promise.all([this.#parts.judgedBy(admission.database, startup.parameters), dialled]);
    } catch (error) {
      void dialled.then(
        ({ socket }) => socket.destroy(),
        () => {},
      );
      return { refused: upstreamFailure(error) };
    }
    const [{ began, ...judged }, upstream] = opened;
    const process = await this.#whoComes();
    this.#recordOpen(context, upstream, admission.applicationName, window, process);
    // what a login or a database was given as its default shows here, before any statement could change it
    const readsAndWrites = upstream.parameters.get('default_transaction_read_only') === 'off';
    const ownRole = context.role ?? (began?.login === context.login ? began.role : undefined);
    return { upstream, context: { ...context, readsAndWrites, ownRole }, minor, window, ...judged };
  }

  #recordOpen(
    context: ConnectionContext,
    upstream: Upstream,
    applicationName: string | undefined,
    window: number | undefined,
    process: ClientProcess | undefined,
  ): void {
    const { fields, disclosures } = process ? processEntry(process) : {};
    if (process) this.#parts.journal.intents?.connected(context.number, process);
    try {
      this.#parts.journal.recordConnection(
        {
          k: 'connection',
          event: 'open',
          conn: context.number,
          database: context.database,
          user: context.login,
          role: context.role,
          loopbackUser: context.user === context.login ? undefined : context.user,
          applicationName,
          backendPid: upstream.backendKey?.pid,
          window,
          address: this.#parts.address,
          ...fields,
        },
        disclosures,
      );
    } catch (error) {
      upstream.socket.destroy();
      throw error;
    }
  }

  /** The one on the other end, where that is known by now; else it has an entry of its own, as soon as it is. */
  async #whoComes(): Promise<ClientProcess | undefined> {
    this.#process ??= this.#parts.process();
    const known = this.#process;
    const heard = this.#parts.journal.intents?.heard;
    const found = await Promise.race([known, after(heard ? patienceWithClaimsMs : patienceMs, late)]);
    if (found !== late) return found;
    void known.then((process) => process && this.#recordProcess(process));
    return undefined;
  }

  #recordProcess(process: ClientProcess): void {
    if (this.#signal.aborted) return;
    this.#parts.journal.intents?.connected(this.#parts.number, process);
    const { fields, disclosures } = processEntry(process);
    const body = { k: 'connection', event: 'process', conn: this.#parts.number, ...fields } as const;
    whereJournalTakesIt(() => this.#parts.journal.recordConnection(body, disclosures));
  }

  #userOf(startup: StartupPacket): LoopbackUser | undefined {
    return this.#parts.users.get(nameOf(startup));
  }
}

/** No connection waits longer to be told from others, milliseconds; where an agent says what it does, a little. */
const patienceMs = 1;
const patienceWithClaimsMs = 50;
const late = Symbol('not found yet');

export function whereJournalTakesIt(record: () => void): void {
  try {
    record();
  } catch (error) {
    // it takes no more entries: whoever runs this was told when it failed
    if (!(error instanceof DbguardError)) throw error;
  }
}

function nameOf({ parameters }: StartupPacket): string {
  return parameters.get('user') ?? '';
}

function minorOf(startup: StartupPacket): number {
  return Math.min(startup.minor, newestProtocolMinor);
}

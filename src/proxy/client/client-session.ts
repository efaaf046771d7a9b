/**
 * One client connection after startup: what the client sends goes through the gate, what the server answers goes
 * back. Sans-IO: bytes in by `fromClient` and `fromServer`, bytes out through the port.
 *
 * What lives here: the order of everything between one client and one server. What it must not know: sockets, the
 * policy's rules, how a person is asked.
 */
import { type ErrorText, encodeError } from '../../wire/backend.js';
import { flushMessage } from '../../wire/extended-query.js';
import { Framer } from '../../wire/framer.js';
import { frontendRules } from '../../wire/frontend.js';
import { frontend, ProtocolViolation } from '../../wire/messages.js';
import { ConnectionState, type SessionParts } from '../statement/connection-state.js';
import { fatalFor, shuttingDown } from '../statement/fatal.js';
import { StatementGate } from '../statement/gate.js';
import { ClientMessages } from './client-messages.js';

/** `held`: waits for somebody's approval; `statement`: the server is at work; `transaction`: a client that leaves one open. */
export type Activity = 'idle' | 'transaction' | 'statement' | 'held';

export class ClientSession {
  readonly #parts: SessionParts;
  readonly #client: Framer;
  readonly #state: ConnectionState;
  readonly #gate: StatementGate;
  readonly #messages: ClientMessages;
  #draining = false;
  /** What the client hears when it has drained. */
  #last = shuttingDown;
  /** A statement came, or still waited for a person, while draining: nothing behind it counts. */
  #refused = false;
  /** Nothing more goes to either side; what the server still answers is recorded. */
  #closed = false;
  #serverBroken = false;
  #rounds = 0;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#client = new Framer(frontendRules(parts.maxMessage));
    this.#state = new ConnectionState(parts, (error) => this.#abort(error));
    const isClosed = () => this.#closed;
    this.#gate = new StatementGate(this.#state, {
      resume: () => {
        this.#settle();
        this.#pump();
        parts.port.balance();
      },
      failed: (error) => this.#abort(fatalFor(error, 'the wait for an approval broke')),
      abort: (error) => this.#abort(error),
      get closed() {
        return isClosed();
      },
    });
    this.#messages = new ClientMessages(this.#state, this.#gate);
  }

  /**
   * Client bytes that wait behind a held statement; the pump stops reading above its own limit. Bytes of a
   * message that is still coming in do not count: without the rest it would never end.
   */
  get clientBacklog(): number {
    return this.#waits || this.#refused ? this.#client.buffered : 0;
  }

  /** How often the server has come to rest: another number, another round of statements. */
  get rounds(): number {
    return this.#rounds;
  }

  get activity(): Activity {
    if (this.#gate.held) return 'held';
    if (!this.#state.quiet) return 'statement';
    return this.#state.server.transactionStatus === 'I' ? 'idle' : 'transaction';
  }

  /**
   * Nothing is under way on the server's connection, nothing open, and all that the client did there DISCARD ALL undoes. Of the
   * connection that is left then: ParameterStatus as of now.
   */
  get reusable(): ReadonlyMap<string, string> | undefined {
    const { server, leftovers, quiet } = this.#state;
    const { pipeline, discarding, copyIn } = server.responses;
    if (this.#closed || this.#serverBroken || this.#draining || this.#gate.held || this.#gate.watching)
      return undefined;
    if (!quiet || pipeline !== 'none' || discarding || copyIn || !server.atBoundary) return undefined;
    if (server.transactionStatus !== 'I' || leftovers === undefined || leftovers.possible) return undefined;
    return server.parameters;
  }

  /** Bytes of a message that has not come whole: whoever breaks off there has not left by itself. */
  get midMessage(): boolean {
    return this.#client.buffered > 0 || !this.#client.atBoundary;
  }

  /** Everything that may go to the server has gone. */
  get sentEverything(): boolean {
    return this.#closed || (!this.#waits && this.#state.outbox.empty);
  }

  /** Nothing of this client moves on; but what a COPY brings is part of the statement that is held. */
  get #waits(): boolean {
    return this.#gate.held && !this.#copiesIn;
  }

  get #copiesIn(): boolean {
    return this.#gate.watching && this.#state.server.responses.copyIn;
  }

  /** Takes ownership of the chunk. */
  fromClient(chunk: Buffer): void {
    if (this.#closed) return;
    this.#client.push(chunk);
    this.#pump();
  }

  /** Takes ownership of the chunk. */
  fromServer(chunk: Buffer): void {
    if (this.#serverBroken) return;
    const { server } = this.#state;
    try {
      server.receive(chunk);
    } catch (error) {
      this.#serverBroken = true;
      this.#abort(fatalFor(error, 'the server broke the protocol'));
      return;
    }
    this.#flushClient();
    this.#settle();
    const { idle, discarding, copyIn } = server.responses;
    if (idle) this.#rounds++;
    if (idle || discarding || copyIn) this.#gate.quiet(discarding);
    if (this.#copiesIn) {
      this.#pump();
      this.#parts.port.balance();
    }
    this.#endIfDrained();
  }

  /** Trackers and the registry learn where the transaction stands. */
  #settle(): void {
    const { server, outbox, registry, trackers } = this.#state;
    const { idle, pipeline } = server.responses;
    // without a Sync its implicit transaction is still open, and so are its portals
    const settled = idle && pipeline === 'none' && !server.inquiring && !this.#gate.watching;
    if (!settled) return;
    trackers.settled(server.transactionStatus);
    if (server.transactionStatus !== 'I') return;
    this.#gate.transactionOver();
    trackers.transactionOver();
    if (outbox.empty) registry.clearPortals();
  }

  /** A CancelRequest for this connection. True when it ended a wait for approval; else it is the server's. */
  cancel(): boolean {
    return this.#gate.interrupt('cancel');
  }

  /** The client is gone. What it sent before counts, as with a server; what waits for approval does not. */
  clientGone(): void {
    this.#gate.interrupt('disconnect');
  }

  /** What runs may finish; a statement that comes now, or that still waits for a person, is met by the end. */
  drain(last = shuttingDown): void {
    this.#draining = true;
    this.#last = last;
    this.#refused = this.#gate.held;
    this.#gate.drain();
    this.#endIfDrained();
  }

  /** Ends the connection as a server that shuts down does. */
  shutDown(): void {
    this.#abort(this.#last);
  }

  /** Both sides are gone: settle what is open, so that the transcript says so. Throws when it cannot be told any more. */
  dispose(): void {
    this.#closed = true;
    this.#serverBroken = true;
    this.#gate.interrupt('disconnect');
    this.#state.trackers.closed();
    this.#gate.abandon();
    this.#state.server.responses.abandon();
  }

  #pump(): void {
    try {
      while (!this.#closed && !this.#waits && !this.#refused && this.#client.next()) this.#onFrame();
      this.#state.release();
    } catch (error) {
      this.#abort(fatalFor(error, 'the client broke the protocol'));
      return;
    }
    this.#endIfDrained();
  }

  #endIfDrained(): void {
    if (this.#draining && !this.#gate.held && this.#state.quiet) this.shutDown();
  }

  #flushClient(): void {
    if (this.#closed) this.#state.dropForClient();
    else this.#state.flushClient();
  }

  #onFrame(): void {
    const { kind, type, buffer, start, end, last } = this.#client;
    const { server, outbox } = this.#state;
    if (kind === 'oversize' && !mayBeLong.has(type)) throw new ProtocolViolation('invalid message length');
    if (this.#copiesIn && !copyTypes.has(type))
      throw new ProtocolViolation('a statement in the middle of COPY FROM STDIN');
    if (kind === 'run') {
      outbox.out.push(buffer, start, end);
    } else if (server.responses.discarding && type !== frontend.sync && type !== frontend.terminate) {
      // the server would throw it away unread
    } else if (this.#draining && !belongsToPast(type)) {
      this.#refused = true;
    } else if (kind === 'message' && type === frontend.terminate && this.#parts.port.leave?.()) {
      this.#closed = true;
    } else if (kind === 'message') {
      this.#messages.onMessage(type, buffer, start, end);
      // the client's Sync waits for the answer, which the server would keep until then
      if (this.#gate.watching && copyEnds.has(type)) outbox.out.pushMessage(flushMessage);
    } else if (last) {
      this.#messages.onOversize(type);
    }
  }

  #abort(error: ErrorText): void {
    if (this.#closed) return;
    if (this.#state.server.atBoundary) this.#state.tellClient(encodeError(error));
    else this.#state.flushClient();
    this.#closed = true;
    this.#parts.port.close(error.message);
  }
}

/** What ends a statement that is under way, or draws out its answer; anything else begins a new one. */
function belongsToPast(type: number): boolean {
  return pastTypes.has(type);
}

const pastTypes: ReadonlySet<number> = new Set([
  frontend.sync,
  frontend.flush,
  frontend.copyDone,
  frontend.copyFail,
  frontend.terminate,
]);

const copyEnds: ReadonlySet<number> = new Set([frontend.copyDone, frontend.copyFail]);

/** What comes with COPY FROM STDIN, the Sync and Flush that the server ignores there included. */
const copyTypes: ReadonlySet<number> = new Set([...pastTypes, frontend.copyData]);

/** Of other types the server takes no more than PQ_SMALL_MESSAGE_LIMIT, and ends the connection (postgres.c, SocketBackend). */
const mayBeLong: ReadonlySet<number> = new Set([
  frontend.query,
  frontend.parse,
  frontend.bind,
  frontend.functionCall,
  frontend.copyData,
]);

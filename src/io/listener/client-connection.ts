/**
 * One client socket: handshake, then a session between it and an upstream connection of its own.
 *
 * What lives here: bytes between sockets and the sans-IO halves, back-pressure, who closes when. What it must not
 * know: what any message means.
 */
import { randomBytes, randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import { messageOf } from '../../errors.js';
import type { ConnectionContext } from '../../proxy/candidate.js';
import type { CancelMap } from '../../proxy/client/cancel-map.js';
import { type Activity, ClientSession } from '../../proxy/client/client-session.js';
import { Handshake, type HandshakeParts } from '../../proxy/client/handshake.js';
import type { ResultRecording } from '../../proxy/server/result-tap.js';
import type { Assessor } from '../../proxy/statement/assessor.js';
import type { SessionParts } from '../../proxy/statement/connection-state.js';
import { accessOver, awaitingGrant, fatalFor, handshakeTimedOut, shuttingDown } from '../../proxy/statement/fatal.js';
import { encodeAuthenticationOk } from '../../wire/authentication.js';
import {
  type ErrorText,
  encodeBackendKeyData,
  encodeError,
  encodeNotice,
  encodeParameterStatus,
  encodeReadyForQuery,
} from '../../wire/backend.js';
import type { StartupPacket } from '../../wire/startup.js';
import type { ClientProcesses } from '../peer/client-processes.js';
import type { Upstream } from '../upstream/connect.js';
import { type OpenerParts, UpstreamOpener, whereJournalTakesIt } from './upstream-opener.js';

/** How long a client may take, milliseconds. */
export interface ConnectionTimeouts {
  /** For its password; PostgreSQL's authentication_timeout is 60 s, a loopback client needs far less. */
  readonly handshakeMs: number;
  /** To read the last words and to hang up. */
  readonly lingerMs: number;
}

const usualTimeouts: ConnectionTimeouts = { handshakeMs: 20_000, lingerMs: 20_000 };

export interface ConnectionParts extends Omit<OpenerParts, 'process'> {
  readonly processes: ClientProcesses;
  /** See RunningProxy.adopt; undefined: this process's own. */
  readonly namespace: number | undefined;
  readonly handshake: HandshakeParts;
  readonly assessorFor: (upstream: Upstream, context: ConnectionContext) => Assessor;
  readonly maxMessage: number;
  readonly cancels: CancelMap<ProxyConnection>;
  readonly cancelUpstream: (upstream: Upstream) => Promise<void>;
  /**
   * Takes the server's connection, paused, from a client that has left it with nothing under way, for another one. Undefined
   * where it ends with its client.
   */
  readonly keep?: (upstream: Upstream, reported: ReadonlyMap<string, string>) => void;
  readonly timeouts?: ConnectionTimeouts;
  /** Of a client that has shown who it is before: no handshake. */
  readonly admitted?: StartupPacket;
  /** Undefined where results are not recorded. */
  readonly recording?: (ResultRecording & Drains) | undefined;
}

interface Drains {
  /** Returns how to hear of it no more. */
  onDrain(listener: () => void): () => void;
}

/** Bytes a client may send behind a held statement before it is no longer read. */
const heldLimit = 1 << 20;
/** Answers to a client that is gone, bytes: about what the buffers of a socket would have taken from the server. */
const undeliveredLimit = 1 << 20;
/** How long a server may take to end a cancelled statement before its connection is cut. */
const cancelPatienceMs = 2_000;

export class ProxyConnection {
  readonly #client: Socket;
  readonly #parts: ConnectionParts;
  readonly #timeouts: ConnectionTimeouts;
  readonly #handshake: Handshake;
  readonly #opener: UpstreamOpener;
  readonly #abort = new AbortController();
  readonly #timers = new Set<NodeJS.Timeout>();
  #opening: Promise<void> | undefined;
  #upstream: Upstream | undefined;
  #upstreamClosed: Promise<unknown> | undefined;
  /** Listeners on the server's socket are taken off. */
  #detach: () => void = () => undefined;
  /** A request to cancel may reach the server when the next client is on its connection. */
  #cancelled = false;
  /** What the client was told in BackendKeyData. */
  #pid = 0;
  #session: ClientSession | undefined;
  #clientEnded = false;
  /** The client was told that this is the end; what it still sends is thrown away. */
  #leaving = false;
  #undelivered = 0;
  #draining: ErrorText | undefined;
  #forgetWindow: () => void = () => undefined;
  #forgetRecording: () => void = () => undefined;
  #reason = 'client closed';
  #ended = false;
  /** Resolves when both sockets are gone and the transcript, where it still can, has the end of the connection. */
  readonly closed: Promise<void>;

  constructor(client: Socket, parts: ConnectionParts) {
    this.#client = client;
    this.#parts = parts;
    this.#timeouts = parts.timeouts ?? usualTimeouts;
    this.#handshake = new Handshake(parts.handshake);
    this.#opener = new UpstreamOpener(
      { ...parts, process: () => parts.processes.of(client, parts.namespace) },
      this.#abort.signal,
    );
    this.#after(this.#timeouts.handshakeMs, () => this.#refuse(handshakeTimedOut));
    client.setNoDelay(true);
    client.on('error', () => client.destroy());
    client.on('data', (chunk) => this.#onClientData(chunk));
    client.on('end', () => this.#onClientEnd());
    client.on('drain', () => this.#balance());
    this.closed = this.#untilClosed();
    if (parts.admitted) this.#admit(parts.admitted, encodeAuthenticationOk());
  }

  /** Past the password. */
  get authenticated(): boolean {
    return this.#opening !== undefined;
  }

  /** A CancelRequest that carried this connection's key. Resolves when the server has taken it. */
  async cancel(): Promise<void> {
    if (this.#session?.cancel() || !this.#upstream) return;
    await this.#cancelOn(this.#upstream).catch(() => {});
  }

  /** No new statement: ends now when nothing runs, else as soon as it has run. @param last what the client hears then */
  drain(last = shuttingDown): void {
    this.#draining = last;
    if (last !== shuttingDown && this.#reason === 'client closed') this.#reason = last.message;
    if (this.#session) this.#session.drain(last);
    else this.#refuse(last);
  }

  /** What goes on now; undefined before the client is connected. */
  get activity(): Activity | undefined {
    return this.#session?.activity;
  }

  get rounds(): number {
    return this.#session?.rounds ?? 0;
  }

  /** Has the server end the statement that runs, as a client could. */
  cancelStatement(): void {
    void this.cancel();
  }

  /** The time for which the connection was granted is over. */
  #overAccess(): void {
    if (this.#leaving) return;
    this.#reason = 'the time for which it was granted is over';
    this.#session?.drain(accessOver);
    const upstream = this.#upstream;
    if (this.#leaving || !upstream || this.#parts.onRequest?.atEnd === 'finish') return;
    this.#cancelOn(upstream).catch(() => {});
    this.#after(cancelPatienceMs, () => {
      this.#session?.shutDown();
      upstream.socket.destroy();
    });
  }

  /** Time is up: what still runs is cancelled, so that nothing happens on the server that no transcript tells. */
  destroy(reason: string): void {
    this.#reason = reason;
    this.#session?.shutDown();
    this.#client.destroy();
    const upstream = this.#upstream;
    if (!upstream) return;
    this.#cancelOn(upstream).catch(() => {});
    this.#after(cancelPatienceMs, () => upstream.socket.destroy());
  }

  #cancelOn(upstream: Upstream): Promise<void> {
    this.#cancelled = true;
    return this.#parts.cancelUpstream(upstream);
  }

  async #untilClosed(): Promise<void> {
    await closeOf(this.#client);
    this.#abort.abort();
    await this.#opener.dropEarly();
    await this.#opening;
    if (this.#upstream) {
      this.#parts.cancels.remove(this.#pid, this);
      this.#onClientEnd();
    }
    if (this.#upstream) {
      // nobody holds back the answers any more
      this.#upstream.socket.resume();
      await this.#upstreamClosed;
    }
    this.#clearTimers();
    this.#end();
  }

  /** Of the client on the server: once, and before anybody else is there in its place. */
  #end(): void {
    const session = this.#session;
    if (this.#ended) return;
    this.#ended = true;
    this.#forgetWindow();
    this.#forgetRecording();
    this.#opener.leaveDatabase();
    if (!session) return;
    whereJournalTakesIt(() => {
      session.dispose();
      this.#recordClose();
    });
  }

  /** True where the server's connection is somebody else's from now on. */
  #leave(): boolean {
    const upstream = this.#upstream;
    const reported = this.#session?.reusable;
    const { keep } = this.#parts;
    if (!keep || !upstream || !reported || this.#cancelled || this.#leaving) return false;
    if (upstream.socket.destroyed || upstream.socket.readableEnded || upstream.socket.writableLength > 0) return false;
    this.#clientEnded = true;
    this.#parts.cancels.remove(this.#pid, this);
    this.#upstream = undefined;
    this.#detach();
    this.#end();
    keep(upstream, reported);
    this.#lingeringClose();
    return true;
  }

  #recordClose(): void {
    this.#parts.journal.intents?.left(this.#parts.number);
    const body = { k: 'connection', event: 'close', conn: this.#parts.number, reason: this.#reason } as const;
    this.#parts.journal.recordConnection(body);
  }

  #onClientData(chunk: Buffer): void {
    if (this.#leaving) return;
    if (this.#session) {
      // where its time is over by any clock, that ends the connection first
      this.#parts.onRequest?.look();
      this.#session.fromClient(chunk);
      this.#balance();
      return;
    }
    for (let next: Buffer | undefined = chunk; ; next = undefined) {
      const step = this.#handshake.next(next);
      if (step.kind === 'wait') return;
      if (step.kind === 'reply') {
        this.#client.write(step.bytes);
        this.#opener.dialEarly(this.#handshake.startup);
        continue;
      }
      if (step.kind === 'cancel') {
        // a client that sees its request closed may send the next statement, which must not be hit
        const taken = this.#parts.cancels.find(step.pid, step.key)?.cancel() ?? Promise.resolve();
        void taken.then(() => this.#lingeringClose());
      } else if (step.kind === 'refuse') {
        this.#lingeringClose(step.bytes);
      } else {
        this.#admit(step.startup, step.bytes);
      }
      return;
    }
  }

  #admit(startup: StartupPacket, bytes: Buffer): void {
    this.#clearTimers();
    this.#client.pause();
    this.#client.write(bytes);
    this.#opening = Promise.resolve()
      .then(() => this.#open(startup))
      .catch((error: unknown) => this.#refuse(fatalFor(error, 'the startup broke')));
  }

  async #open(startup: StartupPacket): Promise<void> {
    const opened = await this.#opener.open(startup, () => this.#client.write(encodeNotice(awaitingGrant)));
    if ('refused' in opened) return this.#refuse(opened.refused);
    const { upstream, context, minor, masks, catalog, window } = opened;
    if (this.#client.destroyed || this.#leaving) {
      upstream.socket.destroy();
      return this.#recordClose();
    }
    this.#start(upstream, context, minor, { masks, catalog });
    if (window !== undefined)
      this.#forgetWindow = this.#parts.onRequest?.whenOver(window, () => this.#overAccess()) ?? this.#forgetWindow;
  }

  #start(
    upstream: Upstream,
    context: ConnectionContext,
    minor: number,
    judged: Pick<SessionParts, 'masks' | 'catalog'>,
  ): void {
    const { socket } = upstream;
    const session = new ClientSession({
      context,
      journal: this.#parts.journal,
      recording: this.#parts.recording,
      ...judged,
      assessor: this.#parts.assessorFor(upstream, context),
      port: {
        writeServer: (slices) => {
          writeAll(socket, slices);
          this.#balance();
        },
        writeClient: (slices) => writeAll(this.#client, slices),
        balance: () => this.#balance(),
        cancel: () => this.#cancelOn(upstream),
        ...(this.#parts.keep && { leave: () => this.#leave() }),
        close: (reason) => this.#close(reason),
      },
      parameters: upstream.parameters,
      backendPid: upstream.backendKey?.pid,
      databases: this.#parts.databases,
      maxMessage: this.#parts.maxMessage,
      missingPortalName: `dbguard-${randomBytes(16).toString('hex')}`,
    });
    this.#upstream = upstream;
    this.#session = session;
    this.#forgetRecording = this.#parts.recording?.onDrain(() => this.#balance()) ?? this.#forgetRecording;
    socket.setNoDelay(true);
    this.#upstreamClosed = closeOf(socket);
    const onData = (chunk: Buffer): void => {
      session.fromServer(chunk);
      this.#balance();
      if (this.#client.destroyed) this.#undelivered += chunk.length;
      if (this.#undelivered > undeliveredLimit) socket.destroy();
    };
    const onDrain = (): void => this.#balance();
    const onError = (error: Error): void => {
      this.#reason = `upstream: ${messageOf(error)}`;
    };
    const onClose = (): void => {
      if (!this.#clientEnded && this.#reason === 'client closed') this.#reason = 'server closed the connection';
      this.#lingeringClose();
    };
    socket.on('data', onData).on('drain', onDrain).on('error', onError).on('close', onClose);
    this.#detach = () => {
      socket.pause();
      socket.off('data', onData).off('drain', onDrain).off('error', onError).off('close', onClose);
    };
    this.#greet(upstream, minor);
    if (upstream.rest.length > 0) session.fromServer(upstream.rest);
    socket.resume();
    this.#client.resume();
    if (this.#clientEnded) this.#onClientEnd();
    if (this.#draining) session.drain(this.#draining);
  }

  /** What a server says between AuthenticationOk and the first ReadyForQuery; the cancel key is ours. */
  #greet(upstream: Upstream, minor: number): void {
    const key = randomBytes(minor >= 2 ? 32 : 4);
    this.#pid = upstream.backendKey?.pid ?? randomInt(1, 2 ** 31);
    this.#parts.cancels.add(this.#pid, key, this);
    writeAll(this.#client, [
      ...upstream.notices,
      ...[...upstream.parameters].map(([name, value]) => encodeParameterStatus(name, value)),
      encodeBackendKeyData(this.#pid, key),
      encodeReadyForQuery('I'),
    ]);
  }

  /** Back-pressure: each side is read only while the other takes what is written to it. */
  #balance(): void {
    const upstream = this.#upstream?.socket;
    const session = this.#session;
    if (!upstream || !session) return;
    const mayReadClient = this.#leaving || (!upstream.writableNeedDrain && session.clientBacklog < heldLimit);
    if (mayReadClient === this.#client.isPaused()) {
      if (mayReadClient) this.#client.resume();
      else this.#client.pause();
    }
    const mayReadServer = !this.#client.writableNeedDrain && !this.#parts.recording?.full;
    if (mayReadServer === upstream.isPaused()) {
      if (mayReadServer) upstream.resume();
      else upstream.pause();
    }
    if (this.#clientEnded) this.#endUpstreamWhenSent();
  }

  /** The client has sent its last byte. What came before still counts, as with a server. */
  #onClientEnd(): void {
    this.#clientEnded = true;
    if (!this.#session) {
      this.#abort.abort();
      this.#lingeringClose();
      return;
    }
    this.#session.clientGone();
    if (!this.#session.midMessage && this.#leave()) return;
    this.#endUpstreamWhenSent();
  }

  #endUpstreamWhenSent(): void {
    if (this.#session?.sentEverything) this.#upstream?.socket.end();
  }

  /** @param error a whole ErrorResponse message, or the text of one */
  #refuse(error: ErrorText | Buffer): void {
    this.#lingeringClose(Buffer.isBuffer(error) ? error : encodeError(error));
  }

  #close(reason: string): void {
    this.#reason = reason;
    this.#upstream?.socket.end();
    this.#lingeringClose();
  }

  /**
   * The last bytes for the client. Its own are read and thrown away until it hangs up: closing a socket with unread
   * bytes in it resets the connection, and the client would lose the error that explains everything.
   */
  #lingeringClose(bytes?: Buffer): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#clearTimers();
    if (bytes) this.#client.write(bytes);
    this.#client.end();
    this.#client.resume();
    this.#after(this.#timeouts.lingerMs, () => this.#client.destroy());
  }

  #after(milliseconds: number, act: () => void): void {
    this.#timers.add(setTimeout(act, milliseconds));
  }

  #clearTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}

/** One write for all: a corked socket sends its slices with a single writev. */
function writeAll(socket: Socket, slices: readonly Buffer[]): void {
  if (!socket.writable) return;
  if (slices.length === 1) {
    socket.write(slices[0] as Buffer);
    return;
  }
  socket.cork();
  for (const slice of slices) socket.write(slice);
  socket.uncork();
}

function closeOf(socket: Socket): Promise<unknown> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', resolve));
}

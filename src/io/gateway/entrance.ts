/**
 * One client of a gateway, from its TCP connection to the token that it shows: little of ours for whoever has not shown one
 * yet, and not for long.
 *
 * What lives here: bytes between the socket, TLS and the handshake, the time that it may take. What it must not know: what
 * a token says, what comes behind it.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import {
  GatewayHandshake,
  type GatewayHandshakeParts,
  type GatewayStep,
} from '../../proxy/client/gateway-handshake.js';
import { type ErrorText, encodeError } from '../../wire/backend.js';
import type { StartupPacket } from '../../wire/startup.js';
import type { GatewayCertificate } from './certificate.js';

export interface EntranceParts {
  readonly handshake: GatewayHandshakeParts;
  readonly certificate: GatewayCertificate | undefined;
  /** Milliseconds; asked for each client. */
  readonly timeoutMs: () => number;
  readonly cancel: (pid: number, key: Buffer) => Promise<void>;
  /** Undefined where the token lets them in: then the socket is theirs who judged it. Never rejects. */
  readonly judge: (shown: ShownToken) => Promise<ErrorText | undefined>;
  /** Was refused, gave up, or broke the protocol; in words for a log. */
  readonly onTurnedAway: (reason: string) => void;
}

export interface ShownToken {
  readonly token: string;
  readonly startup: StartupPacket;
  /** With TLS where there is any; paused, nothing of it read. */
  readonly socket: Socket;
}

/** To read why, and to hang up. */
const lingerMs = 3_000;

/** PostgreSQL 17 and later; RFC 7301. Named so in IANA's registry. */
const alpn = 'postgresql';
/** As TLS writes it. */
const alpnProtocols = Buffer.from(`\x0a${alpn}`, 'latin1');

export class Entrance {
  readonly #parts: EntranceParts;
  readonly #handshake: GatewayHandshake;
  #socket: Socket;
  #timer: NodeJS.Timeout;
  #over = false;
  readonly #onData = (chunk: Buffer): void => this.#take(chunk);
  readonly #onEnd = (): void => void this.#socket.destroy();

  constructor(socket: Socket, parts: EntranceParts) {
    this.#parts = parts;
    this.#socket = socket;
    this.#handshake = new GatewayHandshake(parts.handshake);
    this.#timer = setTimeout(() => this.#refuse(encodeError(timedOut), 'it took too long'), parts.timeoutMs());
    socket.setNoDelay(true);
    this.#listen(socket);
  }

  /** The gateway is at its end. */
  end(error: ErrorText): void {
    this.#refuse(encodeError(error), error.message);
  }

  #listen(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#gone());
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
  }

  #ignore(socket: Socket): void {
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.pause();
  }

  #gone(): void {
    clearTimeout(this.#timer);
    if (this.#over) return;
    this.#over = true;
    this.#parts.onTurnedAway('it hung up');
  }

  #take(chunk: Buffer): void {
    if (this.#over) return;
    for (let next: Buffer | undefined = chunk; ; next = undefined) {
      const step = this.#handshake.next(next);
      if (!this.#act(step, next)) return;
    }
  }

  /** True where there may be more. */
  #act(step: GatewayStep, chunk: Buffer | undefined): boolean {
    switch (step.kind) {
      case 'wait':
        return false;
      case 'reply':
        this.#socket.write(step.bytes);
        return true;
      case 'encrypt':
        this.#encrypt(step.reply, step.direct ? chunk : undefined);
        return false;
      case 'cancel':
        this.#over = true;
        // a client that sees its request closed may send the next statement, which must not be hit
        void this.#parts.cancel(step.pid, step.key).then(() => this.#leave());
        return false;
      case 'refuse':
        this.#refuse(step.bytes, step.reason);
        return false;
      case 'token':
        void this.#judge(step.token, step.startup);
        return false;
    }
  }

  /** @param first bytes of the client's hello that were read already */
  #encrypt(reply: Buffer, first: Buffer | undefined): void {
    const { certificate } = this.#parts;
    const plain = this.#socket;
    if (!certificate) throw new TypeError('a gateway that speaks TLS has a certificate');
    this.#ignore(plain);
    if (reply.length > 0) plain.write(reply);
    if (first) plain.unshift(first);
    const direct = first !== undefined;
    const encrypted = new TLSSocket(plain, {
      isServer: true,
      secureContext: certificate.context,
      ALPNProtocols: alpnProtocols,
    });
    encrypted.once('secure', () => {
      // sslnegotiation=direct: without it another protocol's bytes could be taken for ours (ALPACA)
      if (direct && encrypted.alpnProtocol !== alpn) encrypted.destroy();
    });
    this.#socket = encrypted;
    this.#listen(encrypted);
    encrypted.once('close', () => plain.destroy());
  }

  async #judge(token: string, startup: StartupPacket): Promise<void> {
    const socket = this.#socket;
    this.#ignore(socket);
    const refusal = await this.#parts.judge({ token, startup, socket });
    if (this.#over) return;
    if (refusal === undefined) {
      this.#over = true;
      clearTimeout(this.#timer);
      return;
    }
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    this.#act(this.#handshake.refused(refusal), undefined);
    socket.resume();
  }

  #refuse(bytes: Buffer, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#parts.onTurnedAway(reason);
    this.#leave(bytes);
  }

  /** What the client still sends is read and thrown away: a reset would take the error from it that explains everything. */
  #leave(bytes?: Buffer): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    if (bytes && bytes.length > 0) socket.write(bytes);
    socket.end();
    socket.resume();
    this.#timer = setTimeout(() => socket.destroy(), lingerMs);
    this.#timer.unref();
  }
}

const timedOut: ErrorText = {
  severity: 'FATAL',
  code: '08P01',
  message: 'canceling authentication due to timeout',
};

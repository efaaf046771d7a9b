/**
 * The client's half of a connection before its session: encryption requests, the startup packet, SCRAM, or a cancel
 * request instead. Sans-IO: bytes in, steps out.
 *
 * What lives here: the order of these messages. What it must not know: sockets, the upstream server, what the
 * startup parameters mean.
 */

import {
  decodeSaslInitialResponse,
  decodeSaslResponse,
  encodeAuthenticationOk,
  encodeAuthenticationSasl,
  encodeAuthenticationSaslContinue,
  encodeAuthenticationSaslFinal,
} from '../../wire/authentication.js';
import { type ErrorText, encodeError } from '../../wire/backend.js';
import { Framer } from '../../wire/framer.js';
import { frontendRules } from '../../wire/frontend.js';
import { frontend, ProtocolViolation, smallMessageLimit } from '../../wire/messages.js';
import type { ScramServer } from '../../wire/scram-server.js';
import type { StartupPacket } from '../../wire/startup.js';
import { negotiation, OpeningPackets } from './opening-packets.js';

export type HandshakeStep =
  | { readonly kind: 'wait' }
  | { readonly kind: 'reply'; readonly bytes: Buffer }
  /** A CancelRequest: act on it, then close without a word, as the server does. */
  | { readonly kind: 'cancel'; readonly pid: number; readonly key: Buffer }
  | { readonly kind: 'refuse'; readonly bytes: Buffer; readonly reason: string }
  /** `bytes` is the end of SCRAM and AuthenticationOk; the rest of the startup comes from the upstream server. */
  | { readonly kind: 'authenticated'; readonly bytes: Buffer; readonly startup: StartupPacket };

export interface HandshakeParts {
  /** A fresh exchange for the user that the packet names, whether there is one or not. */
  scramFor(user: string): ScramServer;
}

const notEncrypted = Buffer.from('N', 'latin1');

export class Handshake {
  readonly #parts: HandshakeParts;
  #phase: 'startup' | 'sasl-initial' | 'sasl-response' | 'over' = 'startup';
  readonly #opening = new OpeningPackets();
  #framer = new Framer(frontendRules(smallMessageLimit));
  #scram: ScramServer | undefined;
  #startup: StartupPacket | undefined;

  constructor(parts: HandshakeParts) {
    this.#parts = parts;
  }

  /** Call with each chunk, then again without one until it says `wait`, or anything that ends the handshake. */
  next(chunk?: Buffer): HandshakeStep {
    try {
      return this.#phase === 'startup' ? this.#onFirstPacket(chunk) : this.#onPassword(chunk);
    } catch (error) {
      if (error instanceof ProtocolViolation) return this.#refuse('08P01', error.message);
      throw error;
    }
  }

  #onFirstPacket(chunk: Buffer | undefined): HandshakeStep {
    const packet = this.#opening.next(chunk);
    switch (packet.kind) {
      case 'wait':
        return packet;
      case 'broken':
        if (!packet.silent) return this.#refuse(packet.code, packet.message);
        this.#phase = 'over';
        return { kind: 'refuse', bytes: Buffer.alloc(0), reason: packet.message };
      case 'tls':
        return this.#refuse('08P01', 'the loopback listener speaks no TLS: set sslmode=disable');
      case 'ssl':
      case 'gss':
        return { kind: 'reply', bytes: notEncrypted };
      case 'cancel':
        this.#phase = 'over';
        return packet;
      case 'startup':
        return this.#onStartup(packet);
    }
  }

  /** Known before the password is: nothing in it is proven. */
  get startup(): StartupPacket | undefined {
    return this.#startup;
  }

  #onStartup(packet: StartupPacket): HandshakeStep {
    this.#startup = packet;
    this.#scram = this.#parts.scramFor(packet.parameters.get('user') ?? '');
    this.#phase = 'sasl-initial';
    const asked = encodeAuthenticationSasl(this.#scram.mechanisms);
    return { kind: 'reply', bytes: Buffer.concat([negotiation(packet), asked]) };
  }

  #onPassword(chunk: Buffer | undefined): HandshakeStep {
    const framer = this.#framer;
    const scram = this.#scram;
    const startup = this.#startup;
    if (chunk) framer.push(chunk);
    if (!framer.next()) return { kind: 'wait' };
    if (!scram || !startup || framer.kind !== 'message' || framer.type !== frontend.password) {
      return this.#refuse('08P01', 'expected a SASL response');
    }
    const { buffer, start, end } = framer;
    if (this.#phase === 'sasl-initial') {
      const initial = decodeSaslInitialResponse(buffer, start, end);
      const challenge = scram.start(initial.mechanism, initial.data);
      if (challenge.kind === 'failure') return this.#refuse('08P01', challenge.message);
      this.#phase = 'sasl-response';
      return { kind: 'reply', bytes: encodeAuthenticationSaslContinue(challenge.data) };
    }
    const outcome = scram.finish(decodeSaslResponse(buffer, start, end));
    if (outcome.kind === 'failure') {
      if (outcome.reason === 'malformed') return this.#refuse('08P01', outcome.message);
      const user = startup.parameters.get('user') ?? '';
      return this.#refuse(
        '28P01',
        `password authentication failed for user "${user}"`,
        'Only the program that dbguard started knows the password; it stands in PGPASSWORD and DATABASE_URL there.',
      );
    }
    if (framer.buffered > 0) return this.#refuse('08P01', 'data before authentication was complete');
    this.#phase = 'over';
    return {
      kind: 'authenticated',
      bytes: Buffer.concat([encodeAuthenticationSaslFinal(outcome.data), encodeAuthenticationOk()]),
      startup,
    };
  }

  #refuse(code: string, message: string, hint?: string): HandshakeStep {
    this.#phase = 'over';
    const text: ErrorText = { severity: 'FATAL', code, message, ...(hint ? { hint } : {}) };
    return { kind: 'refuse', bytes: encodeError(text), reason: message };
  }
}

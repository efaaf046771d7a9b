/**
 * The client's half of a connection to a gateway, up to the token: encryption, the startup packet, then a password message
 * (AuthenticationCleartextPassword, which is asked for inside TLS only) or SASL OAUTHBEARER (RFC 7628). Sans-IO: bytes in,
 * steps out.
 *
 * What lives here: the order of these messages. What it must not know: sockets, certificates, what a token says.
 */
import {
  decodePassword,
  decodeSaslInitialResponse,
  decodeSaslResponse,
  encodeAuthenticationCleartext,
  encodeAuthenticationSasl,
  encodeAuthenticationSaslContinue,
} from '../../wire/authentication.js';
import { type ErrorText, encodeError } from '../../wire/backend.js';
import { Framer } from '../../wire/framer.js';
import { frontendRules } from '../../wire/frontend.js';
import { frontend, ProtocolViolation } from '../../wire/messages.js';
import { bearerIn, kvsep, oauthBearer } from '../../wire/oauthbearer.js';
import type { StartupPacket } from '../../wire/startup.js';
import { negotiation, OpeningPackets } from './opening-packets.js';

export type GatewayStep =
  | { readonly kind: 'wait' }
  | { readonly kind: 'reply'; readonly bytes: Buffer }
  /** The socket speaks TLS from here on: after these bytes, and with those that came. */
  | { readonly kind: 'encrypt'; readonly reply: Buffer; readonly direct: boolean }
  | { readonly kind: 'cancel'; readonly pid: number; readonly key: Buffer }
  | { readonly kind: 'refuse'; readonly bytes: Buffer; readonly reason: string }
  /** To be judged; then `refused` or nothing more of this. */
  | { readonly kind: 'token'; readonly token: string; readonly startup: StartupPacket };

export interface GatewayHandshakeParts {
  readonly method: 'password' | 'oauth';
  /** Where nothing is encrypted and the configuration says so. */
  readonly clearText: boolean;
  /** What an OAuth client without a token is told: JSON of RFC 7628 section 3.2.2. */
  readonly discovery: string;
}

/** PG_MAX_AUTH_TOKEN_LENGTH (auth.c), without the NUL. */
const maxTokenMessage = 65_535;

export class GatewayHandshake {
  readonly #parts: GatewayHandshakeParts;
  #phase: 'startup' | 'token' | 'judged' | 'farewell' | 'over' = 'startup';
  #encrypted = false;
  readonly #opening = new OpeningPackets();
  readonly #framer = new Framer(frontendRules(maxTokenMessage));
  #startup: StartupPacket | undefined;
  #refusal: ErrorText | undefined;

  constructor(parts: GatewayHandshakeParts) {
    this.#parts = parts;
  }

  /** Call with each chunk, then again without one until it says `wait` or something that ends it. */
  next(chunk?: Buffer): GatewayStep {
    try {
      if (this.#phase === 'startup') return this.#onFirstPacket(chunk);
      return this.#onMessage(chunk);
    } catch (error) {
      if (error instanceof ProtocolViolation) return this.#refuse({ ...violated, message: error.message });
      throw error;
    }
  }

  /** The token was not taken. What goes to the client now; over SASL it answers once more before it hears why. */
  refused(error: ErrorText): GatewayStep {
    if (this.#parts.method === 'password') return this.#refuse(error);
    this.#phase = 'farewell';
    this.#refusal = error;
    return { kind: 'reply', bytes: encodeAuthenticationSaslContinue(Buffer.from(this.#parts.discovery)) };
  }

  #onFirstPacket(chunk: Buffer | undefined): GatewayStep {
    const packet = this.#opening.next(chunk);
    const { clearText } = this.#parts;
    switch (packet.kind) {
      case 'wait':
        return packet;
      case 'broken':
        if (!packet.silent) return this.#refuse({ severity: 'FATAL', code: packet.code, message: packet.message });
        this.#phase = 'over';
        return { kind: 'refuse', bytes: Buffer.alloc(0), reason: packet.message };
      case 'tls':
        if (this.#encrypted || clearText || this.#opening.askedForEncryption)
          throw new ProtocolViolation('TLS in the middle');
        return this.#encrypt(Buffer.alloc(0), true);
      case 'ssl':
      case 'gss':
        if (this.#encrypted) throw new ProtocolViolation('encryption was asked for twice');
        if (packet.kind === 'ssl' && !clearText) return this.#encrypt(Buffer.from('S', 'latin1'), false);
        return { kind: 'reply', bytes: Buffer.from('N', 'latin1') };
      case 'cancel':
        this.#phase = 'over';
        return packet;
      case 'startup':
        return this.#onStartup(packet);
    }
  }

  #encrypt(reply: Buffer, direct: boolean): GatewayStep {
    this.#encrypted = true;
    this.#opening.encrypted();
    return { kind: 'encrypt', reply, direct };
  }

  #onStartup(packet: StartupPacket): GatewayStep {
    if (!this.#encrypted && !this.#parts.clearText) return this.#refuse(clearText);
    this.#startup = packet;
    this.#phase = 'token';
    const { method } = this.#parts;
    const asked = method === 'oauth' ? encodeAuthenticationSasl([oauthBearer]) : encodeAuthenticationCleartext();
    return { kind: 'reply', bytes: Buffer.concat([negotiation(packet), asked]) };
  }

  #onMessage(chunk: Buffer | undefined): GatewayStep {
    const framer = this.#framer;
    if (chunk) framer.push(chunk);
    if (!framer.next()) return { kind: 'wait' };
    if (this.#phase === 'over') return { kind: 'wait' };
    if (framer.kind !== 'message' || framer.type !== frontend.password) throw new ProtocolViolation('expected a token');
    if (framer.buffered > 0) throw new ProtocolViolation('data before authentication was complete');
    const { buffer, start, end } = framer;
    if (this.#phase === 'farewell') {
      if (!decodeSaslResponse(buffer, start, end).equals(kvsep))
        throw new ProtocolViolation('malformed OAUTHBEARER message');
      return this.#refuse(this.#refusal ?? violated);
    }
    const startup = this.#startup;
    if (this.#phase !== 'token' || !startup) throw new ProtocolViolation('a second token');
    this.#phase = 'judged';
    if (this.#parts.method === 'password') return { kind: 'token', token: decodePassword(buffer, start, end), startup };
    const { mechanism, data } = decodeSaslInitialResponse(buffer, start, end);
    if (mechanism !== oauthBearer || !data) throw new ProtocolViolation('client selected an invalid SASL mechanism');
    const token = bearerIn(data);
    return token === '' ? this.refused(noToken) : { kind: 'token', token, startup };
  }

  #refuse(error: ErrorText): GatewayStep {
    this.#phase = 'over';
    return { kind: 'refuse', bytes: encodeError(error), reason: error.message };
  }
}

const violated: ErrorText = { severity: 'FATAL', code: '08P01', message: 'the protocol was broken' };

const noToken: ErrorText = {
  severity: 'FATAL',
  code: '28000',
  message: 'dbguard: a token is needed',
};

const clearText: ErrorText = {
  severity: 'FATAL',
  code: '28000',
  message: 'dbguard: this gateway takes encrypted connections only',
  hint: 'Connect with sslmode=verify-full.',
};

/**
 * The client's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677), without I/O.
 *
 * What lives here: one exchange with one server. What it must not know: sockets, TLS, where the password comes from.
 */
import { timingSafeEqual } from 'node:crypto';
import { ProtocolViolation } from './messages.js';
import { hmac, type ScramKeys, scramKeyLength, storedKeyOf, xor } from './scram-keys.js';
import { AttributeReader, decodeText, scramSha256, scramSha256Plus } from './scram-messages.js';

/** The server may make us work this hard and no harder: at about 0.4 us each, four seconds of one thread. */
const maxIterations = 10_000_000;

/**
 * - `none`: no TLS, or channel binding switched off.
 * - `not-offered`: we could, the server did not offer it. A server that did offer it sees from this that
 *   somebody took its offer out on the way, and refuses (RFC 5802 section 6).
 * - `tls-server-end-point`: hash of the server's certificate (RFC 5929 section 4).
 */
export type ChannelBinding =
  | { readonly kind: 'none' | 'not-offered' }
  | { readonly kind: 'tls-server-end-point'; readonly certificateHash: Buffer };

/** Gives the keys for a salt: from a password, or kept from before. */
export type ScramKeySource = (salt: Buffer, iterations: number) => Promise<ScramKeys>;

export interface ScramClientOptions {
  readonly channelBinding: ChannelBinding;
  /** 18 fresh random bytes. */
  readonly randomNonce: Uint8Array;
  readonly keys: ScramKeySource;
  /** A server that asks for fewer is refused: a false one would choose 1 to make guessing from our proof cheap. */
  readonly minIterations: number;
}

export class ScramClient {
  readonly mechanism: string;
  readonly #options: ScramClientOptions;
  readonly #gs2Header: string;
  readonly #firstBare: string;
  readonly #clientNonce: string;
  #serverSignature: Buffer | undefined;

  constructor(options: ScramClientOptions) {
    this.#options = options;
    const { kind } = options.channelBinding;
    this.mechanism = kind === 'tls-server-end-point' ? scramSha256Plus : scramSha256;
    this.#gs2Header = { none: 'n,,', 'not-offered': 'y,,', 'tls-server-end-point': 'p=tls-server-end-point,,' }[kind];
    this.#clientNonce = Buffer.from(options.randomNonce).toString('base64');
    // The name stays empty: the server takes the user from the startup packet (PostgreSQL manual, "SASL Authentication").
    this.#firstBare = `n=,r=${this.#clientNonce}`;
  }

  /** client-first-message. */
  first(): Buffer {
    return Buffer.from(this.#gs2Header + this.#firstBare, 'latin1');
  }

  /** Takes server-first-message, returns client-final-message. Throws ProtocolViolation. */
  async respond(serverFirst: Buffer): Promise<Buffer> {
    const text = decodeText(serverFirst);
    const attributes = new AttributeReader(text);
    const nonce = attributes.takeNonce();
    const salt = attributes.takeBase64('s');
    const iterations = attributes.take('i');
    attributes.skipExtensions();
    if (!nonce.startsWith(this.#clientNonce) || nonce.length === this.#clientNonce.length) {
      throw new ProtocolViolation('SCRAM: the server did not extend our nonce');
    }
    const keys = await this.#options.keys(salt, this.#checkIterations(iterations));

    const withoutProof = `c=${this.#bindingData().toString('base64')},r=${nonce}`;
    const authMessage = `${this.#firstBare},${text},${withoutProof}`;
    const proof = xor(keys.clientKey, hmac(storedKeyOf(keys.clientKey), authMessage));
    this.#serverSignature = hmac(keys.serverKey, authMessage);
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`, 'latin1');
  }

  /** Takes server-final-message. Throws ProtocolViolation where the server does not prove that it knows the password. */
  verify(serverFinal: Buffer): void {
    const text = decodeText(serverFinal);
    if (text.startsWith('e=')) throw new ProtocolViolation('SCRAM: the server reports an error in its final message');
    const attributes = new AttributeReader(text);
    const signature = attributes.takeBase64('v', scramKeyLength);
    attributes.skipExtensions();
    if (!this.#serverSignature || !timingSafeEqual(signature, this.#serverSignature)) {
      throw new ProtocolViolation('SCRAM: the server could not prove that it knows the password');
    }
  }

  #checkIterations(text: string): number {
    const iterations = /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : 0;
    if (iterations < 1 || iterations > maxIterations) {
      throw new ProtocolViolation('SCRAM: the server asks for an impossible number of iterations');
    }
    if (iterations < this.#options.minIterations) {
      throw new ProtocolViolation(
        `SCRAM: the server asks for ${iterations} iterations only, at least ${this.#options.minIterations} are expected`,
      );
    }
    return iterations;
  }

  #bindingData(): Buffer {
    const { channelBinding } = this.#options;
    const header = Buffer.from(this.#gs2Header, 'latin1');
    if (channelBinding.kind !== 'tls-server-end-point') return header;
    return Buffer.concat([header, channelBinding.certificateHash]);
  }
}

/**
 * The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without I/O.
 *
 * What lives here: one exchange with one client. What it must not know: sockets, users, where the verifier comes from.
 */
import { timingSafeEqual } from 'node:crypto';
import { ProtocolViolation } from './messages.js';
import { hmac, type ScramVerifier, scramKeyLength, storedKeyOf, xor } from './scram-keys.js';
import { AttributeReader, decodeText, scramSha256 } from './scram-messages.js';

export type ScramChallenge = { readonly kind: 'challenge'; readonly data: Buffer } | ScramFailure;
export type ScramOutcome = { readonly kind: 'final'; readonly data: Buffer } | ScramFailure;

export interface ScramFailure {
  readonly kind: 'failure';
  /** `refused`: wrong password; `malformed`: the client breaks the protocol. */
  readonly reason: 'refused' | 'malformed';
  /** For a log; holds nothing that the client sent. */
  readonly message: string;
}

export type ScramVerifiers = readonly [ScramVerifier, ...ScramVerifier[]];

export class ScramServer {
  /** Without -PLUS: the loopback listener speaks no TLS, so there is no channel to bind to. */
  readonly mechanisms: readonly string[] = [scramSha256];
  readonly #verifiers: ScramVerifiers;
  readonly #serverNonce: string;
  #state: 'start' | 'finish' | 'over' = 'start';
  #gs2Header = '';
  #clientFirstBare = '';
  #serverFirst = '';
  #nonce = '';

  /**
   * @param verifiers each opens; all with the same salt and iterations, which the client is told before it shows its proof
   * @param randomNonce 18 fresh random bytes
   */
  constructor(verifiers: ScramVerifiers, randomNonce: Uint8Array) {
    this.#verifiers = verifiers;
    this.#serverNonce = Buffer.from(randomNonce).toString('base64');
  }

  /** SASLInitialResponse: the mechanism and client-first-message. */
  start(mechanism: string, initial: Buffer | undefined): ScramChallenge {
    return this.#step('start', 'finish', () => {
      if (mechanism !== scramSha256) throw new ProtocolViolation('client selected an invalid SASL mechanism');
      if (!initial) throw new ProtocolViolation('client sent no initial SCRAM message');
      const text = decodeText(initial);
      this.#readGs2Header(text);
      this.#clientFirstBare = text.slice(this.#gs2Header.length);
      const attributes = new AttributeReader(this.#clientFirstBare);
      attributes.take('n'); // ignored, as PostgreSQL does: the user is the startup packet's
      const clientNonce = attributes.takeNonce();
      attributes.skipExtensions();
      this.#nonce = clientNonce + this.#serverNonce;
      const [{ salt, iterations }] = this.#verifiers;
      this.#serverFirst = `r=${this.#nonce},s=${salt.toString('base64')},i=${iterations}`;
      return { kind: 'challenge', data: Buffer.from(this.#serverFirst, 'latin1') };
    });
  }

  /** SASLResponse: client-final-message. */
  finish(response: Buffer): ScramOutcome {
    return this.#step('finish', 'over', () => {
      const text = decodeText(response);
      const attributes = new AttributeReader(text);
      const channelBinding = attributes.takeBase64('c').toString('latin1');
      if (channelBinding !== this.#gs2Header) throw new ProtocolViolation('SCRAM channel binding check failed');
      if (attributes.takeNonce() !== this.#nonce) throw new ProtocolViolation('SCRAM nonce does not match');
      const withoutProof = text.slice(0, text.lastIndexOf(',p='));
      while (!attributes.done) {
        const attribute = attributes.takeAny();
        if (!attribute.startsWith('p=')) continue;
        if (!attributes.done) throw new ProtocolViolation('SCRAM proof is not the last attribute');
        const proof = new AttributeReader(attribute).takeBase64('p', scramKeyLength);
        return this.#check(withoutProof, proof);
      }
      throw new ProtocolViolation('SCRAM proof is missing');
    });
  }

  /** RFC 5802 section 3: StoredKey is recovered from the proof and compared in constant time. */
  #check(withoutProof: string, proof: Buffer): ScramOutcome {
    const authMessage = `${this.#clientFirstBare},${this.#serverFirst},${withoutProof}`;
    let signature: Buffer | undefined;
    for (const { storedKey, serverKey } of this.#verifiers) {
      const clientKey = xor(proof, hmac(storedKey, authMessage));
      if (timingSafeEqual(storedKeyOf(clientKey), storedKey)) signature = hmac(serverKey, authMessage);
    }
    if (!signature) return { kind: 'failure', reason: 'refused', message: 'wrong password' };
    return { kind: 'final', data: Buffer.from(`v=${signature.toString('base64')}`, 'latin1') };
  }

  /** RFC 5802 section 6: `n` and `y` are fine, since -PLUS was not offered; `p` cannot be. */
  #readGs2Header(text: string): void {
    const header = /^([nyp])[^,]*,([^,]*),/.exec(text);
    if (!header) throw new ProtocolViolation('malformed SCRAM message');
    if (header[1] === 'p') throw new ProtocolViolation('client requires SCRAM channel binding, which was not offered');
    if (header[2] !== '') throw new ProtocolViolation('SCRAM authorization identities are not supported');
    this.#gs2Header = header[0];
    if (!/^[ny],,$/.test(this.#gs2Header)) throw new ProtocolViolation('malformed SCRAM message');
  }

  #step<T>(from: 'start' | 'finish', to: 'finish' | 'over', run: () => T): T | ScramFailure {
    if (this.#state !== from) return { kind: 'failure', reason: 'malformed', message: 'SCRAM message out of order' };
    this.#state = 'over';
    try {
      const result = run();
      this.#state = to;
      return result;
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      return { kind: 'failure', reason: 'malformed', message: error.message };
    }
  }
}

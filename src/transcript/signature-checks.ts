/**
 * Signature lines held against the session's key, some at a time on the thread pool: Ed25519 is most of what
 * verification costs.
 *
 * What lives here: which checks are still running. What it must not know: chains, findings.
 */
import { checkSignature, isSignature, type VerifyingKey } from '../ed25519.js';
import { type SignatureLine, signedBytes } from './line.js';

type Signed = Pick<SignatureLine, 'size' | 'head' | 'signature'>;

export async function isSignedBy(
  sessionKey: VerifyingKey,
  sid: string,
  { size, head, signature }: Signed,
): Promise<boolean> {
  return isSignature(sessionKey, signedBytes(sid, size, head), Buffer.from(signature, 'base64url'));
}

/** Checked at the same time. */
const IN_FLIGHT = 64;

/**
 * `thread-pool`: beside the reading of the lines, which is fast for one session. `inline`: in this thread, which costs a
 * quarter less where other threads verify other sessions.
 */
export type SignaturesWhere = 'thread-pool' | 'inline';

export class SignatureChecks {
  readonly #where: SignaturesWhere;
  #running = 0;
  #onDone: (() => void) | undefined;

  constructor(where: SignaturesWhere) {
    this.#where = where;
  }

  /** Calls `failed`, maybe later, where the signature does not hold. A promise is there to be awaited. */
  check(sessionKey: VerifyingKey, sid: string, signed: Signed, failed: () => void): Promise<void> | undefined {
    const bytes = signedBytes(sid, signed.size, signed.head);
    const signature = Buffer.from(signed.signature, 'base64url');
    if (this.#where === 'inline') {
      const holds = isSignature(sessionKey, bytes, signature);
      if (holds === true) return undefined;
      if (holds === false) failed();
      else return holds.then((later) => (later ? undefined : failed()));
      return undefined;
    }
    this.#running++;
    checkSignature(sessionKey, bytes, signature, (holds) => {
      if (!holds) failed();
      this.#running--;
      this.#onDone?.();
    });
    return this.#running >= IN_FLIGHT ? this.#fewerThan(IN_FLIGHT) : undefined;
  }

  /** Every one has been heard. */
  end(): Promise<void> {
    return this.#fewerThan(1);
  }

  async #fewerThan(limit: number): Promise<void> {
    while (this.#running >= limit) {
      await new Promise<void>((resolve) => {
        this.#onDone = resolve;
      });
    }
  }
}

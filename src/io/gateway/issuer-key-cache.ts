/**
 * The keys of the issuers whose tokens a gateway takes: asked for anew every few minutes and when a token names one that is
 * not known, kept for a while where an issuer is away.
 */
import { DbguardError, messageOf } from '../../errors.js';
import { type ClientSettings, fetchIssuerKeys } from '../../identity/issuer.js';
import type { JsonWebKeySet } from '../../identity/signed-claims.js';
import { connectIssuer } from '../login/oidc-login-source.js';

/** Keys that an issuer has put away count no longer than this. */
const freshMs = 10 * 60_000;
/** A token with a key that nobody knows must not make the issuer be asked by each of its copies. */
const againMs = 10_000;

interface Known {
  keys: JsonWebKeySet;
  fetchedAt: number;
}

export class IssuerKeyCache {
  readonly #settings: ClientSettings;
  readonly #keepMs: () => number;
  readonly #onTrouble: (error: DbguardError) => void;
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<void>>();
  readonly #askedAt = new Map<string, number>();

  /** @param keepMs how long keys count that cannot be asked for anew, milliseconds */
  constructor(settings: ClientSettings, keepMs: () => number, onTrouble: (error: DbguardError) => void) {
    this.#settings = settings;
    this.#keepMs = keepMs;
    this.#onTrouble = onTrouble;
  }

  /** Rejects with `login-failed` where the issuer is away and what is known is too old. */
  async keysOf(issuer: string): Promise<JsonWebKeySet> {
    const age = this.#age(issuer);
    if (age > freshMs) {
      const asked = this.#ask(issuer);
      // only who has nothing to go by waits
      if (age > this.#keepMs()) await asked;
    }
    const known = this.#known.get(issuer);
    if (known && Date.now() - known.fetchedAt <= this.#keepMs()) return known.keys;
    throw new DbguardError('login-failed', `the keys of ${issuer} are not at hand`, {
      hint: 'The identity provider cannot be reached from the gateway.',
    });
  }

  /** A token names a key that is not among them. False where the issuer was asked a moment ago. */
  async renew(issuer: string): Promise<boolean> {
    if (Date.now() - (this.#askedAt.get(issuer) ?? 0) < againMs) return false;
    await this.#ask(issuer);
    return true;
  }

  /** Milliseconds since its keys were fetched. */
  #age(issuer: string): number {
    return Date.now() - (this.#known.get(issuer)?.fetchedAt ?? Number.NEGATIVE_INFINITY);
  }

  #ask(issuer: string): Promise<void> {
    const running = this.#asking.get(issuer);
    if (running) return running;
    if (Date.now() - (this.#askedAt.get(issuer) ?? 0) < againMs) return Promise.resolve();
    this.#askedAt.set(issuer, Date.now());
    const asking = this.#fetch(issuer).finally(() => this.#asking.delete(issuer));
    this.#asking.set(issuer, asking);
    return asking;
  }

  async #fetch(issuer: string): Promise<void> {
    try {
      const connected = await connectIssuer({ ...this.#settings, issuer }, AbortSignal.timeout(15_000));
      this.#known.set(issuer, { keys: await fetchIssuerKeys(connected), fetchedAt: Date.now() });
    } catch (error) {
      const message = `the keys of ${issuer} could not be fetched: ${messageOf(error)}`;
      this.#onTrouble(new DbguardError('login-failed', message));
    }
  }
}

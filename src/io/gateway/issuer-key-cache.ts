/**
 * The keys of the issuers whose tokens a gateway takes: asked for anew when a token comes and they are some minutes old, or it
 * names one that is not known; kept for a while where an issuer is away.
 */
import { DbguardError, messageOf } from '../../errors.js';
import { type ClientSettings, fetchIssuerKeys } from '../../identity/issuer.js';
import type { JsonWebKeySet } from '../../identity/signed-claims.js';
import { connectIssuer } from '../login/oidc-login-source.js';

/** Keys that an issuer has put away count no longer than this, as long as it answers. */
const freshMs = 10 * 60_000;
/** An issuer that says nothing for so long is away; who waits for it has little time to come in. */
const patienceMs = 5_000;
/** A token with a key that nobody knows must not make the issuer be asked by each of its copies. */
const againMs = 10_000;

interface Known {
  keys: JsonWebKeySet;
  fetchedAt: number;
}

export class IssuerKeyCache {
  readonly #settings: ClientSettings;
  readonly #keepMs: () => number;
  readonly #now: () => number;
  readonly #onTrouble: (error: DbguardError) => void;
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<void>>();
  readonly #askedAt = new Map<string, number>();

  /** @param keepMs how long keys count that cannot be asked for anew, milliseconds @param now the same, since 1970 UTC */
  constructor(
    settings: ClientSettings,
    keepMs: () => number,
    onTrouble: (error: DbguardError) => void,
    now: () => number = Date.now,
  ) {
    this.#now = now;
    this.#settings = settings;
    this.#keepMs = keepMs;
    this.#onTrouble = onTrouble;
  }

  /** Undefined where the issuer is away and what is known is too old. Never rejects. */
  async keysOf(issuer: string): Promise<JsonWebKeySet | undefined> {
    if (this.#age(issuer) > freshMs) await this.#ask(issuer);
    return this.#age(issuer) <= this.#keepMs() ? this.#known.get(issuer)?.keys : undefined;
  }

  /** A token names a key that is not among them. False where the issuer was asked a moment ago. */
  async renew(issuer: string): Promise<boolean> {
    if (this.#now() - (this.#askedAt.get(issuer) ?? 0) < againMs) return false;
    await this.#ask(issuer);
    return true;
  }

  /** Milliseconds since its keys were fetched. */
  #age(issuer: string): number {
    return this.#now() - (this.#known.get(issuer)?.fetchedAt ?? Number.NEGATIVE_INFINITY);
  }

  #ask(issuer: string): Promise<void> {
    const running = this.#asking.get(issuer);
    if (running) return running;
    if (this.#now() - (this.#askedAt.get(issuer) ?? 0) < againMs) return Promise.resolve();
    this.#askedAt.set(issuer, this.#now());
    const asking = this.#fetch(issuer).finally(() => this.#asking.delete(issuer));
    this.#asking.set(issuer, asking);
    return asking;
  }

  async #fetch(issuer: string): Promise<void> {
    try {
      const connected = await connectIssuer({ ...this.#settings, issuer }, AbortSignal.timeout(patienceMs));
      this.#known.set(issuer, { keys: await fetchIssuerKeys(connected), fetchedAt: this.#now() });
    } catch (error) {
      const message = `the keys of ${issuer} could not be fetched: ${messageOf(error)}`;
      this.#onTrouble(new DbguardError('login-failed', message));
    }
  }
}

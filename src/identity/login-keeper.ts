/**
 * Keeps the login of a running session alive.
 *
 * Here lives: the current login, why it is not usable, when to try again. Must not know: statements, terminals, files.
 */
import { DbguardError } from '../errors.js';
import { accessTokenFor, isFresh, type TokenRequest } from './access-token.js';
import type { Login } from './identity.js';
import { checkDemands, type LoginDemands, type LoginSource, loginEnded, loginRequired } from './login-source.js';

/** How soon a `dbguard login` or `logout` in another terminal is noticed. One stat(2) each. */
const WATCH_MS = 1_000;
const RETRY_MS = 5_000;
const MAX_RETRY_MS = 60_000;

export interface LoginKeeper {
  /** The newest login of the same subject. */
  readonly login: Login;
  /** The access token for a server that asks for OAuth, renewed where its time is over. Rejects with `login-failed`, `login-expired`. */
  accessToken(request: TokenRequest): Promise<string>;
  /** True, or the error to answer statements with. `now` in milliseconds since 1970 UTC. Cheap enough for every statement. */
  valid(now: number): true | DbguardError;
  stop(): void;
}

export interface KeeperOptions extends LoginDemands {
  readonly source: LoginSource;
  readonly login: Login;
  /** Called when validity changes: `true`, or the error that statements get from now on. */
  readonly onChange?: (state: true | DbguardError) => void;
  /** How often to look for a login or logout in another terminal; default 1 second. */
  readonly watchMs?: number;
}

/** Starts refreshing in the background. Timers do not keep the process alive. */
export function startLoginKeeper(options: KeeperOptions): LoginKeeper {
  const keeper = new Keeper(options);
  keeper.start();
  return keeper;
}

class Keeper implements LoginKeeper {
  readonly #options: KeeperOptions;
  #login: Login;
  /** Set by logout, revocation, another subject's login or one too weak: unusable although the time is not over. */
  #refused: DbguardError | undefined;
  /** The last refresh that failed. */
  #failure: unknown;
  #version: string | undefined;
  #renewAt: number;
  #retryMs = RETRY_MS;
  #busy = false;
  #renewing: Promise<Login> | undefined;
  #reported: true | DbguardError = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#login = options.login;
    this.#version = options.source.version();
    this.#renewAt = renewTime(options.login, options.source.now());
  }

  get login(): Login {
    return this.#login;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#tick(), this.#options.watchMs ?? WATCH_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  valid(now: number): true | DbguardError {
    if (this.#refused) return this.#refused;
    if (now < this.#login.expiresAt) return true;
    return loginEnded(this.#login, this.#failure ?? 'its time is over');
  }

  async accessToken(request: TokenRequest): Promise<string> {
    const token = accessTokenFor(this.#login, request);
    if (isFresh(token, this.#options.source.now())) return token.value;
    // Issuers give some access tokens less time than ID tokens. One renewal for all connections that wait.
    this.#renewing ??= this.#options.source.renew(this.#login).finally(() => {
      this.#renewing = undefined;
    });
    this.#adopt(await this.#renewing);
    this.#version = this.#options.source.version();
    return accessTokenFor(this.#login, request).value;
  }

  async #tick(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const { source } = this.#options;
      const version = source.version();
      if (version !== this.#version) {
        this.#version = version;
        this.#adopt(await source.load());
      } else if (source.now() >= this.#renewAt && !this.#refused && source.renewable(this.#login)) {
        this.#renewAt = source.now() + this.#retryMs; // stands if this try fails
        this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
        this.#adopt(await source.renew(this.#login));
        this.#version = source.version();
      }
    } catch (error) {
      this.#failure = error;
      // The issuer's last word: no use in asking again, and nothing runs for somebody whose access has been revoked.
      if (error instanceof DbguardError && error.code === 'login-expired')
        this.#refused = loginEnded(this.#login, error);
    } finally {
      this.#busy = false;
    }
    this.#report();
  }

  /** Takes a login from the store, if it is one that this session may go on with. */
  #adopt(login: Login | undefined): void {
    this.#refused = this.#judge(login);
    if (!login || this.#refused) return;
    this.#login = login;
    this.#failure = undefined;
    this.#retryMs = RETRY_MS;
    this.#renewAt = renewTime(login, this.#options.source.now());
  }

  #judge(login: Login | undefined): DbguardError | undefined {
    if (!login) return loginRequired();
    const { iss, sub } = this.#login.subject;
    if (login.subject.iss !== iss || login.subject.sub !== sub) {
      return new DbguardError(
        'login-required',
        'somebody else has logged in; this session belongs to another subject',
        {
          hint: 'End this session and start a new one, or log in again as before.',
        },
      );
    }
    try {
      checkDemands(login, this.#options, this.#options.source.now());
      return undefined;
    } catch (error) {
      if (error instanceof DbguardError) return error;
      throw error;
    }
  }

  #report(): void {
    const state = this.valid(this.#options.source.now());
    if ((state === true) === (this.#reported === true)) return;
    this.#reported = state;
    this.#options.onChange?.(state);
  }
}

/** At three quarters of what is left: early enough for an issuer that is away for a while. */
function renewTime(login: Login, now: number): number {
  return now + Math.max(WATCH_MS, (login.expiresAt - now) * 0.75);
}

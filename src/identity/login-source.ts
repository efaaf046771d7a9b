/**
 * A valid login for a command, whatever it takes: read, renew when it is near its end, or say what to do.
 */

import { DbguardError, messageOf } from '../errors.js';
import { printable } from '../untrusted-text.js';
import { levelSatisfies } from './binding.js';
import type { EvidenceLevel, Login, TokenStore } from './identity.js';
import { subjectName } from './subject-name.js';

/** Where logins come from; put together by `src/io/login/oidc-login-source.ts`. */
export interface LoginSource {
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  /** What there is now; undefined when nobody is logged in. */
  load(): Promise<Login | undefined>;
  /** Changes when another process logs in, out or refreshes. */
  version(): string | undefined;
  /** False for a login that ends when its time is over, whatever one does. */
  renewable(login: Login): boolean;
  /** The same login with a new life span. Rejects with `login-expired` (for good) or `login-failed` (perhaps later). */
  renew(login: Login): Promise<Login>;
}

/** Where no policy says otherwise: a login key is not one for ever, nor does a reader believe one that old. */
export const DEFAULT_MAX_LOGIN_AGE_MS = 30 * 24 * 3_600_000;

export interface LoginDemands {
  /** The weakest evidence that the policy accepts. */
  readonly minimumLevel?: EvidenceLevel;
  /** How long ago the person may have logged in, in milliseconds; default `DEFAULT_MAX_LOGIN_AGE_MS`. */
  readonly maxAgeMs?: number;
}

/** A login with less time left than this is renewed before anything starts with it. */
const FRESH_MS = 60_000;
const LOGIN_HINT = 'Run: dbguard login';
/** Nobody logs in for a machine. */
export const FRESH_TOKEN_HINT =
  'The platform has to give a fresh token: a file (DBGUARD_ID_TOKEN_FILE) is read again each time, a variable lives as long as its token.';

/** The login to start with. Rejects with `login-required`, `login-expired`, `identity-insufficient` or `token-store`. */
export async function loadLogin(source: LoginSource, demands: LoginDemands = {}): Promise<Login> {
  const login = await source.load();
  if (!login) throw loginRequired();
  checkDemands(login, demands, source.now());
  const left = login.expiresAt - source.now();
  if (left > FRESH_MS) return login;
  try {
    return await source.renew(login);
  } catch (error) {
    if (left > 0) return login; // the issuer is away for a moment; the keeper tries again
    throw loginEnded(login, error);
  }
}

/** Throws `identity-insufficient` or `login-expired` when the login is too weak or too old for the policy. */
export function checkDemands(login: Login, demands: LoginDemands, now: number): void {
  const { minimumLevel, maxAgeMs = DEFAULT_MAX_LOGIN_AGE_MS } = demands;
  if (minimumLevel !== undefined && !levelSatisfies(login.level, minimumLevel)) {
    throw new DbguardError(
      'identity-insufficient',
      `this login reached the evidence level ${login.level}, the policy demands ${minimumLevel}`,
      {
        hint: strongerHint(login, minimumLevel),
      },
    );
  }
  // nobody logs in with a local key: its age says nothing
  if (login.level !== 'local' && now - login.loggedInAt > maxAgeMs) {
    const most =
      demands.maxAgeMs === undefined ? '30 days, which identity.max_login_age may change' : 'the policy allows';
    throw new DbguardError('login-expired', `the login is older than ${most}`, {
      hint: login.method === 'workload' ? FRESH_TOKEN_HINT : LOGIN_HINT,
    });
  }
}

function strongerHint(login: Login, minimum: EvidenceLevel): string {
  if (login.method === 'workload')
    return 'Only a platform that signs an audience of the job’s choice names the key (Actions).';
  return minimum === 'nonce' || minimum === 'dpop'
    ? 'Run: dbguard login --browser'
    : 'Run dbguard login again after the provider has been set up for it.';
}

export function loginRequired(): DbguardError {
  return new DbguardError('login-required', 'nobody is logged in', { hint: LOGIN_HINT });
}

export function loginEnded(login: Login, cause: unknown): DbguardError {
  const who = printable(subjectName(login.subject), 80);
  return new DbguardError('login-expired', `the login of ${who} has ended: ${messageOf(cause)}`, {
    hint:
      login.method === 'workload'
        ? FRESH_TOKEN_HINT
        : `${LOGIN_HINT} (in another terminal if a session is running: it goes on by itself)`,
  });
}

/** A source over the token store. `refresh` talks to the issuer; one process at a time does, the others take its result. */
export function storedLogins(options: {
  readonly store: TokenStore;
  readonly profile: string;
  readonly now: () => number;
  readonly refresh: (login: Login) => Promise<Login>;
}): LoginSource {
  const { store, profile, now, refresh } = options;
  return {
    now,
    load: () => store.get(profile),
    version: () => store.version(profile),
    renewable: (login) => login.refreshToken !== undefined,
    async renew(login) {
      const renewed = await store.update(profile, async (current) => {
        if (!current) throw loginRequired();
        const already = current.expiresAt > login.expiresAt && current.expiresAt > now() + FRESH_MS;
        return already ? undefined : refresh(current);
      });
      if (!renewed) throw loginRequired();
      return renewed;
    },
  };
}

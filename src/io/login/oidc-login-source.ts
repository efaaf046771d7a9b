/**
 * Puts a LoginSource together from the real store, clock and network. Everything that talks to an issuer is imported on
 * first use: a command whose login is fresh never loads it.
 */
import { randomBytes } from 'node:crypto';
import { DbguardError } from '../../errors.js';
import type { Login } from '../../identity/identity.js';
import type { ClientSettings, Issuer } from '../../identity/issuer.js';
import { type LoginSource, storedLogins } from '../../identity/login-source.js';
import type { WorkloadTokenSource } from '../../identity/workload-login.js';
import { printable } from '../../untrusted-text.js';
import { workloadTokenSource } from './oidc-workload-token.js';
import { openTokenStore } from './token-store.js';
import { missingWorkloadToken } from './workload-platforms.js';

export interface LoginSourceSettings extends ClientSettings {
  /** Default: issuer and client id. */
  readonly profile?: string;
}

/** One login per issuer and client, unless `--profile` keeps several apart. */
export function profileName(settings: LoginSourceSettings): string {
  return settings.profile ?? `${settings.issuer} ${settings.clientId}`;
}

/** The environment's token (CI) when there is one, else what `dbguard login` stored. */
export function openLoginSource(env: NodeJS.ProcessEnv, settings: LoginSourceSettings): LoginSource {
  const workload = workloadTokenSource(env);
  if (workload) return workloadLogins(settings, workload);
  return orMissingToken(env, settings, storedLoginSource(env, settings));
}

/** In a job nobody can run `dbguard login`: what is missing there is a variable. */
function orMissingToken(env: NodeJS.ProcessEnv, settings: LoginSourceSettings, source: LoginSource): LoginSource {
  const missing = missingWorkloadToken(env, settings.audience ?? settings.clientId);
  if (missing === undefined) return source;
  return {
    ...source,
    load: async () => {
      const login = await source.load();
      if (login === undefined) throw missing;
      return login;
    },
  };
}

function storedLoginSource(env: NodeJS.ProcessEnv, settings: LoginSourceSettings): LoginSource {
  return storedLogins({
    store: openTokenStore(env),
    profile: profileName(settings),
    now: Date.now,
    refresh: async (login) => {
      // a profile may be named by hand: its refresh token goes to the issuer that gave it, whoever configures another
      if (login.subject.iss !== settings.issuer) throw ofAnotherIssuer(login, settings.issuer);
      const { refreshLogin } = await import('../../identity/refresh-login.js');
      return refreshLogin(await connectIssuer({ ...settings, clientId: login.clientId }), login);
    },
  });
}

function ofAnotherIssuer({ subject }: Login, issuer: string): DbguardError {
  const hint = 'Log in there with: dbguard login, or name the login of this issuer with --profile.';
  return new DbguardError(
    'login-failed',
    `the stored login is of ${printable(subject.iss)}, not of ${printable(issuer)}`,
    {
      hint,
    },
  );
}

/** Discovery over the guarded fetch and the system clock. */
export async function connectIssuer(settings: ClientSettings, signal?: AbortSignal): Promise<Issuer> {
  const [{ discoverIssuer }, { issuerFetch }] = await Promise.all([
    import('../../identity/issuer.js'),
    import('./oidc-fetch.js'),
  ]);
  return discoverIssuer(settings, { fetch: issuerFetch, now: Date.now, ...(signal ? { signal } : {}) });
}

/** A machine's login. One configuration may name people's issuer and the platforms': the token says which one made it. */
export async function loginWithToken(
  settings: ClientSettings,
  source: WorkloadTokenSource,
  previous?: Login,
): Promise<Login> {
  const [{ issuerOfToken, workloadLogin }, { bindingNonce }, { newBinding }] = await Promise.all([
    import('../../identity/workload-login.js'),
    import('../../identity/binding.js'),
    import('../../identity/complete-login.js'),
  ]);
  const { loginKey, salt } = previous ?? newBinding(randomBytes);
  const binding = { loginKey, salt, nonce: bindingNonce(loginKey, salt) };
  const token = await source(`${settings.audience ?? settings.clientId}:${binding.nonce}`);
  const issuer = await connectIssuer({ ...settings, issuer: issuerOfToken(token, settings) });
  return workloadLogin(issuer, async () => token, binding);
}

function workloadLogins(settings: ClientSettings, source: WorkloadTokenSource): LoginSource {
  return {
    now: Date.now,
    load: () => loginWithToken(settings, source),
    version: () => 'environment',
    renewable: () => true,
    // Not for good: the platform may put a fresh token into the file in a moment.
    renew: (previous) =>
      loginWithToken(settings, source, previous).catch((error: unknown) => {
        if (!(error instanceof DbguardError) || error.code !== 'login-expired') throw error;
        throw new DbguardError('login-failed', error.message, error.hint === undefined ? {} : { hint: error.hint });
      }),
  };
}

/**
 * Puts a LoginSource together from the real store, clock and network. Everything that talks to an issuer is imported on
 * first use: a command whose login is fresh never loads it.
 */
import { DbguardError } from '../../errors.js';
import type { Login } from '../../identity/identity.js';
import type { ClientSettings, Issuer } from '../../identity/issuer.js';
import { type LoginSource, storedLogins } from '../../identity/login-source.js';
import { printable } from '../../identity/printable.js';
import type { WorkloadTokenSource } from '../../identity/workload-login.js';
import { workloadTokenSource } from './oidc-workload-token.js';
import { openTokenStore } from './token-store.js';

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
  const workload = workloadTokenSource(env, settings.issuer);
  if (workload) return workloadLogins(settings, workload);
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

function workloadLogins(settings: ClientSettings, source: WorkloadTokenSource): LoginSource {
  const make = async (previous?: Login) => {
    const { workloadLogin } = await import('../../identity/workload-login.js');
    const { bindingNonce } = await import('../../identity/binding.js');
    const binding = previous && {
      loginKey: previous.loginKey,
      salt: previous.salt,
      nonce: bindingNonce(previous.loginKey, previous.salt),
    };
    return workloadLogin(await connectIssuer(settings), source, binding);
  };
  return { now: Date.now, load: () => make(), version: () => 'environment', renewable: () => true, renew: make };
}

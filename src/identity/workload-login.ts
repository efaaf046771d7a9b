/**
 * Logins of machines: a CI system or platform hands out a token, nobody confirms anything. Where the job may choose the
 * token's audience, the audience carries the binding nonce and proves as much as a person's login does.
 */
import { randomBytes } from 'node:crypto';
import { assembleLogin, newBinding, type PendingBinding } from './complete-login.js';
import { verifyIdToken } from './id-token.js';
import type { Login } from './identity.js';
import { CLOCK_SKEW, fetchIssuerKeys, type Issuer } from './issuer.js';

/** Gives a token, for `audience` if it can choose; a source that cannot (a file) returns what it has. */
export type WorkloadTokenSource = (audience: string) => Promise<string>;

/**
 * Rejects with `login-failed` or `login-expired`. Instead of being refreshed a workload login is made anew, with the
 * `binding` of the one before so that its key stays.
 */
export async function workloadLogin(
  issuer: Issuer,
  source: WorkloadTokenSource,
  binding: PendingBinding = newBinding(randomBytes),
): Promise<Login> {
  const audience = issuer.settings.audience ?? issuer.settings.clientId;
  const idToken = (await source(`${audience}:${binding.nonce}`)).trim();
  const verified = await verifyIdToken(idToken, await fetchIssuerKeys(issuer), {
    issuer: issuer.metadata.issuer,
    audience,
    now: issuer.access.now(),
    clockSkew: CLOCK_SKEW,
    nonce: binding.nonce,
    workload: true,
  });
  const login = assembleLogin(issuer, verified, binding, 'workload', { idToken });
  return audience === login.clientId ? login : { ...login, audience };
}

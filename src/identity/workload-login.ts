/**
 * Logins of machines: a CI system or platform hands out a token, nobody confirms anything. Where the job may choose the
 * token's audience, the audience carries the binding nonce and proves as much as a person's login does.
 */
import { randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { DbguardError } from '../errors.js';
import { singleLine } from '../untrusted-text.js';
import { assembleLogin, newBinding, type PendingBinding } from './complete-login.js';
import { verifyIdToken } from './id-token.js';
import type { Login } from './identity.js';
import { CLOCK_SKEW, type ClientSettings, fetchIssuerKeys, type Issuer } from './issuer.js';
import { FRESH_TOKEN_HINT } from './login-source.js';

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
  const expected = {
    issuer: issuer.metadata.issuer,
    audience,
    now: issuer.access.now(),
    clockSkew: CLOCK_SKEW,
    nonce: binding.nonce,
    workload: true, // by this job's own word; readers go by theirs
  };
  const verified = await verifyIdToken(idToken, await fetchIssuerKeys(issuer), expected).catch((error: unknown) => {
    throw isExpired(error) ? new DbguardError('login-expired', error.message, { hint: FRESH_TOKEN_HINT }) : error;
  });
  const login = assembleLogin(issuer, verified, binding, 'workload', { idToken });
  return audience === login.clientId ? login : { ...login, audience };
}

/**
 * Which of the configured issuers this token says that it comes from; people's and platforms' may stand side by side.
 * Only where to ask for keys: whether it is true is checked with them. Throws `login-failed` for any other issuer.
 */
export function issuerOfToken(token: string, { issuer, workloadIssuers = [] }: ClientSettings): string {
  const named = [...workloadIssuers, issuer];
  const claimed = claimedIssuer(token.trim());
  // Without a readable issuer the checks say what it is instead of a token.
  if (claimed === undefined || named.includes(claimed)) return claimed ?? issuer;
  const expected = [...new Set(named)].map((one) => singleLine(one)).join(' or ');
  throw new DbguardError('login-failed', `the token comes from issuer ${singleLine(claimed)}, expected ${expected}`, {
    hint: 'If that is your platform, name it in identity.workload_issuers in dbguard.yaml, or as --issuer.',
  });
}

function claimedIssuer(token: string): string | undefined {
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}

function isExpired(error: unknown): error is DbguardError {
  return error instanceof DbguardError && error.code === 'login-expired';
}

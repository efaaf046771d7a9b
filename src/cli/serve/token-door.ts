/** From what a client shows in the place of a password to who that is. */
import { DbguardError } from '../../errors.js';
import { type BearerToken, verifyBearerToken } from '../../identity/bearer-token.js';
import { CLOCK_SKEW } from '../../identity/issuer.js';
import type { JsonWebKeySet } from '../../identity/signed-claims.js';
import { groupsIn } from '../../identity/subject.js';
import { subjectName } from '../../identity/subject-name.js';
import { issuerOfToken } from '../../identity/workload-login.js';
import type { IssuerKeyCache } from '../../io/gateway/issuer-key-cache.js';
import { isRevoked, type Guest as Rights } from '../../policy/serve-rights.js';
import { sha256 } from '../../sha256.js';
import type { GatewaySettings } from './settings.js';

export interface Guest {
  readonly token: BearerToken;
  readonly rights: Rights;
  /** As shown. */
  readonly name: string;
  /** Tells tokens apart; nobody can log in with it. */
  readonly digest: string;
  /** Milliseconds since 1970 UTC. */
  readonly shownAt: number;
}

/**
 * Rejects with a DbguardError whose words are for the gateway's log, never for whoever showed the token. Undefined where the keys
 * of its issuer are not at hand.
 */
export async function guestWith(
  shown: string,
  { identity, gateway, serve }: GatewaySettings,
  keys: IssuerKeyCache,
): Promise<Guest | undefined> {
  const issuer = issuerOfToken(shown, identity);
  const service = identity.workloadIssuers?.includes(issuer) ?? false;
  const now = Date.now();
  const check = (set: JsonWebKeySet): Promise<BearerToken> =>
    verifyBearerToken(shown, set, {
      issuer,
      audience: gateway.audience,
      clients: service ? 'any' : gateway.clients,
      now,
      clockSkew: CLOCK_SKEW,
    });
  const known = await keys.keysOf(issuer);
  if (known === undefined) return undefined;
  const token = await check(known).catch(async (error: unknown) => {
    const unknown = error instanceof DbguardError && error.code === 'issuer-key-unknown';
    if (!unknown || !(await keys.renew(issuer))) throw error;
    return check((await keys.keysOf(issuer)) ?? known);
  });
  const { subject, claims, issuedAt } = token;
  const rights: Rights = {
    ...{ issuer, sub: subject.sub, email: subject.email, groups: groupsIn(claims) ?? [], service, issuedAt },
    person: issuer === identity.issuer,
    tokenId: typeof claims.jti === 'string' ? claims.jti : undefined,
  };
  if (isRevoked(rights, serve.revoked)) throw new DbguardError('login-failed', 'the token is revoked');
  if (now > issuedAt + serve.limits.sessionMs) {
    throw new DbguardError('login-expired', 'the token was issued longer ago than serve.limits.session');
  }
  return { token, rights, name: subjectName(subject), digest: sha256(shown, 'base64url'), shownAt: now };
}

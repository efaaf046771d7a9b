/**
 * Refreshing (OpenID Connect Core 12) and ending (RFC 7009) a login at its issuer.
 */
import * as oidc from 'openid-client';
import { DbguardError } from '../errors.js';
import { accessTokenIn } from './access-token.js';
import { bindingNonce } from './binding.js';
import { verifyIdToken } from './id-token.js';
import type { Login } from './identity.js';
import { CLOCK_SKEW, dpopHandle, fetchIssuerKeys, type Issuer } from './issuer.js';
import { explainOidcError } from './oidc-errors.js';

/**
 * The same login with a new life span; its key, level and binding tokens stay. Rejects with `login-expired` when the
 * issuer has ended it for good, `login-failed` when a later try may work or the answer cannot be trusted.
 */
export async function refreshLogin(issuer: Issuer, login: Login): Promise<Login> {
  if (login.refreshToken === undefined) {
    throw new DbguardError('login-expired', 'this login cannot be renewed: the issuer gave no refresh token', {
      hint: 'Run: dbguard login (the scope offline_access usually brings one)',
    });
  }
  try {
    const dpop = await dpopHandle(issuer, login.loginKey);
    const tokens = await oidc.refreshTokenGrant(issuer.config, login.refreshToken, {}, dpop ? { DPoP: dpop } : {});
    const now = issuer.access.now();
    const renewed = {
      ...login,
      refreshToken: tokens.refresh_token ?? login.refreshToken,
      // RFC 6749 section 6: without a word about scopes they are the ones of before.
      accessToken: accessTokenIn(tokens, now, login.accessToken?.scopes ?? issuer.scopes),
    };
    if (tokens.id_token === undefined) {
      // Core 12.2: an answer may lack the ID token. What was proven stays, the access token says how long.
      return { ...renewed, expiresAt: issuer.access.now() + (tokens.expires_in ?? 0) * 1000 };
    }
    const verified = await verifyIdToken(tokens.id_token, await fetchIssuerKeys(issuer), {
      issuer: issuer.metadata.issuer,
      audience: login.clientId,
      now: issuer.access.now(),
      clockSkew: CLOCK_SKEW,
      nonce: bindingNonce(login.loginKey, login.salt),
    });
    if (verified.subject.iss !== login.subject.iss || verified.subject.sub !== login.subject.sub) {
      throw new DbguardError('login-failed', 'the issuer renewed the login for another subject', {
        hint: 'Run: dbguard login',
      });
    }
    return { ...renewed, idToken: tokens.id_token, expiresAt: verified.expiresAt };
  } catch (error) {
    throw explainOidcError(error, { ...issuer.settings, step: 'refresh' });
  }
}

/** Asks the issuer to forget the refresh token. False where it offers no revocation or there is nothing to revoke. */
export async function revokeLogin(issuer: Issuer, login: Login): Promise<boolean> {
  if (login.refreshToken === undefined || issuer.metadata.revocation_endpoint === undefined) return false;
  try {
    await oidc.tokenRevocation(issuer.config, login.refreshToken, { token_type_hint: 'refresh_token' });
    return true;
  } catch (error) {
    throw explainOidcError(error, { ...issuer.settings, step: 'revocation' });
  }
}

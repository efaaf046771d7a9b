/**
 * Authorization code grant with PKCE on a loopback redirect (RFC 8252, RFC 7636). Stronger than a device code: nearly
 * every issuer returns the nonce here, and nobody can be talked into confirming somebody else's code.
 */
import { randomBytes } from 'node:crypto';
import * as oidc from 'openid-client';
import { completeLogin, newBinding } from './complete-login.js';
import type { Login } from './identity.js';
import { dpopHandle, type Issuer } from './issuer.js';
import { parseWebPage } from './issuer-url.js';
import { explainOidcError } from './oidc-errors.js';

/** Where the browser comes back to; `src/io/login/oidc-redirect.ts` listens. */
export interface RedirectListener {
  readonly redirectUri: string;
  /** The full URL of the one request that carries `state`; requests with another state are turned away. */
  waitFor(state: string, signal?: AbortSignal): Promise<URL>;
  close(): Promise<void>;
}

/** Resolves once the browser has come back. `open` is given the page to open. The caller closes the listener. */
export async function browserLogin(
  issuer: Issuer,
  redirect: RedirectListener,
  open: (page: URL) => void,
): Promise<Login> {
  const binding = newBinding(randomBytes);
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  try {
    const page = oidc.buildAuthorizationUrl(issuer.config, {
      redirect_uri: redirect.redirectUri,
      scope: issuer.scopes.join(' '),
      state,
      nonce: binding.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      // OpenID Connect Core 11: without consent an issuer may leave out the refresh token.
      ...(issuer.scopes.includes('offline_access') ? { prompt: 'consent' } : {}),
    });
    const answer = redirect.waitFor(state, issuer.access.signal);
    open(parseWebPage(page.href, issuer.url));
    const dpop = await dpopHandle(issuer, binding.loginKey);
    const tokens = await oidc.authorizationCodeGrant(
      issuer.config,
      await answer,
      { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: binding.nonce, idTokenExpected: true },
      {},
      dpop ? { DPoP: dpop } : {},
    );
    return await completeLogin(issuer, tokens, binding, 'browser');
  } catch (error) {
    throw explainOidcError(error, { ...issuer.settings, step: 'code' });
  }
}

/**
 * From the issuer's token answer to a login: every flow ends here, so that no flow can forget a check.
 */
import type { TokenEndpointResponse } from 'openid-client';
import { DbguardError } from '../errors.js';
import { accessTokenIn } from './access-token.js';
import { bindingNonce, generateLoginKey, SALT_BYTES, thumbprint } from './binding.js';
import { type VerifiedToken, verifyBoundAccessToken, verifyIdToken } from './id-token.js';
import type { JsonWebKeyPrivate, Login, LoginMethod } from './identity.js';
import { CLOCK_SKEW, fetchIssuerKeys, type Issuer } from './issuer.js';

/** A key and what the issuer is asked to sign about it. */
export interface PendingBinding {
  readonly loginKey: JsonWebKeyPrivate;
  readonly salt: string;
  readonly nonce: string;
}

export function newBinding(random: (bytes: number) => Uint8Array): PendingBinding {
  const loginKey = generateLoginKey();
  const salt = Buffer.from(random(SALT_BYTES)).toString('base64url');
  return { loginKey, salt, nonce: bindingNonce(loginKey, salt) };
}

/**
 * Verifies the ID token ourselves and offline, as a reader of the transcript will, whatever the library did before;
 * probes the evidence levels best first. Rejects with `login-failed` or `login-expired`.
 */
export async function completeLogin(
  issuer: Issuer,
  tokens: TokenEndpointResponse,
  binding: PendingBinding,
  method: 'device' | 'browser',
): Promise<Login> {
  const { id_token: idToken, access_token: accessToken, refresh_token: refreshToken } = tokens;
  if (idToken === undefined) {
    throw new DbguardError('login-failed', 'the issuer sent no ID token', {
      hint: 'The scope openid must be asked for and allowed for this client.',
    });
  }
  const keys = await fetchIssuerKeys(issuer);
  const expected = {
    issuer: issuer.metadata.issuer,
    audience: issuer.settings.clientId,
    now: issuer.access.now(),
    clockSkew: CLOCK_SKEW,
  };
  const verified = await verifyIdToken(idToken, keys, { ...expected, nonce: binding.nonce });
  const bound =
    verified.level !== 'nonce' &&
    opensNothing(tokens, issuer) &&
    (await verifyBoundAccessToken(accessToken, keys, {
      ...expected,
      subject: verified.subject.sub,
      thumbprint: thumbprint(binding.loginKey),
    }).then(
      () => true,
      () => false, // opaque or plain bearer: it proves nothing, which is no error
    ));
  return assembleLogin(issuer, verified, binding, method, {
    idToken,
    accessToken: accessTokenIn(tokens, issuer.access.now(), issuer.scopes),
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(bound ? { bindingAccessToken: accessToken } : {}),
  });
}

/** Scopes that open nothing but what the ID token says anyway. */
const identityScopes: ReadonlySet<string> = new Set(['openid', 'email', 'profile', 'offline_access']);

/**
 * An access token that is evidence is read by everybody who reads transcripts. It is bound to the login key; a server that
 * does not check that would still take it, so it must be one that no server gives anything for.
 */
function opensNothing(tokens: TokenEndpointResponse, issuer: Issuer): boolean {
  return accessTokenIn(tokens, 0, issuer.scopes).scopes.every((scope) => identityScopes.has(scope));
}

/** `tokens` have been verified by now. */
export function assembleLogin(
  issuer: Issuer,
  verified: VerifiedToken,
  binding: PendingBinding,
  method: LoginMethod,
  tokens: Pick<Login, 'idToken' | 'accessToken' | 'refreshToken' | 'bindingAccessToken'>,
): Login {
  return {
    ...tokens,
    subject: verified.subject,
    level: tokens.bindingAccessToken === undefined ? verified.level : 'dpop',
    clientId: issuer.settings.clientId,
    bindingIdToken: tokens.idToken,
    expiresAt: verified.expiresAt,
    loggedInAt: issuer.access.now(),
    loginKey: binding.loginKey,
    salt: binding.salt,
    issuerKeys: [verified.key],
    method,
  };
}

/** People with logins from an issuer of our own: real keys, real tokens, no network. */

import { type KeyObject, randomBytes } from 'node:crypto';
import { exportJWK, SignJWT } from 'jose';
import { bindingNonce, generateLoginKey } from '../../src/identity/binding.js';
import type { EvidenceLevel, IssuerKey, Login } from '../../src/identity/identity.js';
import type { JsonWebKeySet } from '../../src/identity/signed-claims.js';
import { newKeyPair } from '../helpers/keys.js';

export const issuerUrl = 'https://issuer.example';
export const clientId = 'dbguard';

export interface TestIssuer {
  readonly url: string;
  readonly keys: JsonWebKeySet;
  /** @param at milliseconds since 1970 UTC */
  login(sub: string, options?: LoginOptions): Promise<Login>;
}

export interface LoginOptions {
  readonly at?: number;
  readonly level?: EvidenceLevel;
  /** Default: `<sub>@example.test`. */
  readonly email?: string;
  /** For whom the token is made; default: dbguard. */
  readonly client?: string;
  /** The token goes to this login's key but carries another's nonce. */
  readonly token?: string;
}

export async function testIssuer(url = issuerUrl, kid = 'k1', alg: 'ES256' | 'EdDSA' = 'ES256'): Promise<TestIssuer> {
  const { privateKey, publicKey } = alg === 'EdDSA' ? newKeyPair('ed25519') : newKeyPair('ec');
  const jwk = { ...(await exportJWK(publicKey)), kid, use: 'sig' } as IssuerKey;
  return {
    url,
    keys: { keys: [jwk] },
    login: (sub, options = {}) => login(url, privateKey, { alg, kid }, sub, options),
  };
}

async function login(
  iss: string,
  key: KeyObject,
  header: { readonly alg: string; readonly kid: string },
  sub: string,
  options: LoginOptions,
): Promise<Login> {
  const at = options.at ?? Date.now();
  const loginKey = generateLoginKey();
  const salt = randomBytes(16).toString('base64url');
  const { level = 'nonce', client = clientId } = options;
  const email = options.email ?? `${sub}@example.test`;
  const claims = { email, ...(level === 'nonce' ? { nonce: bindingNonce(loginKey, salt) } : {}) };
  const idToken =
    options.token ??
    (await new SignJWT(claims)
      .setProtectedHeader(header)
      .setIssuer(iss)
      .setSubject(sub)
      .setAudience(client)
      .setIssuedAt(Math.floor(at / 1000))
      .setExpirationTime(Math.floor(at / 1000) + 3600)
      .sign(key));
  return {
    subject: { iss, sub, email },
    level,
    clientId: client,
    idToken,
    bindingIdToken: idToken,
    expiresAt: at + 3_600_000,
    loggedInAt: at,
    loginKey,
    salt,
  };
}

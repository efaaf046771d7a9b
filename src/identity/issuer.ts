/**
 * One issuer as its discovery document describes it, with this client's settings: what each kind of login starts from.
 */
import * as oidc from 'openid-client';
import { DbguardError } from '../errors.js';
import { privateKeyObject, publicKeyObject } from './binding.js';
import type { IssuerKey, JsonWebKeyPrivate } from './identity.js';
import { type Fetch, withoutQuirks } from './issuer-quirks.js';
import { parseIssuerUrl } from './issuer-url.js';
import { explainOidcError } from './oidc-errors.js';
import type { JsonWebKeySet } from './signed-claims.js';

/** Seconds by which the issuer's clock and ours may differ. */
export const CLOCK_SKEW = 30;

export interface ClientSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** Only where a provider insists on one for installed programs (Google); then it is not a secret. */
  readonly clientSecret?: string;
  /** Default: openid, and email and offline_access where the issuer knows them. */
  readonly scopes?: readonly string[];
  /** What workload tokens are issued for, where that is not the client id. */
  readonly audience?: string;
  /** Issuers of workload tokens, beside `issuer` or the same. */
  readonly workloadIssuers?: readonly string[];
}

/** What every conversation with an issuer needs from outside. */
export interface IssuerAccess {
  readonly fetch: Fetch;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  readonly signal?: AbortSignal;
}

export interface Issuer {
  readonly url: URL;
  readonly settings: ClientSettings;
  readonly access: IssuerAccess;
  readonly config: oidc.Configuration;
  readonly metadata: Readonly<oidc.ServerMetadata>;
  readonly scopes: readonly string[];
}

/** OpenID Connect Discovery. Rejects with `login-failed` (unreachable, not an issuer) or `config-invalid`. */
export async function discoverIssuer(settings: ClientSettings, access: IssuerAccess): Promise<Issuer> {
  const url = parseIssuerUrl(settings.issuer);
  const fetch = withoutQuirks(access.fetch);
  const execute = [oidc.enableNonRepudiationChecks]; // without it an ID token changed in transit is accepted
  if (url.protocol === 'http:') execute.push(oidc.allowInsecureRequests); // loopback only: parseIssuerUrl
  try {
    const config = await oidc.discovery(
      url,
      settings.clientId,
      { [oidc.clockTolerance]: CLOCK_SKEW },
      settings.clientSecret === undefined ? oidc.None() : oidc.ClientSecretPost(settings.clientSecret),
      { [oidc.customFetch]: (link, options) => fetch(link, options as RequestInit), execute, timeout: 15 },
    );
    const metadata = config.serverMetadata();
    return { url, settings, access, config, metadata, scopes: settings.scopes ?? defaultScopes(metadata) };
  } catch (error) {
    throw explainOidcError(error, { ...settings, step: 'discovery' });
  }
}

/** Asking for a scope that an issuer does not know is an error at some (Google has no offline_access). */
function defaultScopes(metadata: Readonly<oidc.ServerMetadata>): string[] {
  const known = metadata.scopes_supported;
  return ['openid', ...['email', 'offline_access'].filter((scope) => !known || known.includes(scope))];
}

/** The issuer's current keys: only public parameters of keys that sign. */
export async function fetchIssuerKeys(issuer: Issuer): Promise<JsonWebKeySet> {
  const { jwks_uri: uri } = issuer.metadata;
  if (uri === undefined) throw new DbguardError('login-failed', `${issuer.url.origin} publishes no keys (jwks_uri)`);
  try {
    const response = await issuer.access.fetch(uri, { signal: AbortSignal.timeout(15_000) });
    const body: unknown = await response.json();
    const keys = typeof body === 'object' && body !== null && 'keys' in body ? body.keys : undefined;
    if (response.status !== 200 || !Array.isArray(keys)) throw new TypeError('no key set');
    return { keys: keys.filter(isPublicKey) };
  } catch (error) {
    throw explainOidcError(error, { ...issuer.settings, step: 'keys' });
  }
}

function isPublicKey(key: unknown): key is IssuerKey {
  if (typeof key !== 'object' || key === null || !('kty' in key) || typeof key.kty !== 'string') return false;
  return key.kty !== 'oct' && !('d' in key);
}

/**
 * DPoP with the login key, where the issuer accepts Ed25519 proofs: then a stolen refresh token is useless without the
 * key, and a JWT access token names the key (RFC 9449). Undefined where it does not.
 */
export async function dpopHandle(issuer: Issuer, loginKey: JsonWebKeyPrivate): Promise<oidc.DPoPHandle | undefined> {
  const supported = issuer.metadata.dpop_signing_alg_values_supported ?? [];
  const alg = ['Ed25519', 'EdDSA'].find((name) => supported.includes(name)); // RFC 9864 name, then RFC 8037's
  if (!alg) return undefined;
  const pkcs8 = privateKeyObject(loginKey).export({ format: 'der', type: 'pkcs8' });
  const spki = publicKeyObject(loginKey).export({ format: 'der', type: 'spki' });
  const keyPair = {
    privateKey: await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign']),
    publicKey: await crypto.subtle.importKey('spki', spki, 'Ed25519', true, ['verify']),
  };
  return oidc.getDPoPHandle(issuer.config, keyPair, {
    [oidc.modifyAssertion](header) {
      header.alg = alg;
    },
  });
}

import type { KeyObject } from 'node:crypto';

/**
 * How strongly the issuer itself vouches that this subject holds the signing key. Best first. `gateway`: it is the key of a
 * gateway, which the subject has shown a token; `local`: there is no issuer.
 */
export const evidenceLevels = ['nonce', 'dpop', 'audience', 'gateway', 'asserted', 'local'] as const;
export type EvidenceLevel = (typeof evidenceLevels)[number];

export interface Subject {
  readonly iss: string;
  readonly sub: string;
  readonly email?: string;
}

/** A login as it is kept in the token store. */
export interface Login {
  readonly subject: Subject;
  readonly level: EvidenceLevel;
  readonly clientId: string;
  readonly idToken: string;
  /** The ID token that carried the nonce; refreshed tokens may not. */
  readonly bindingIdToken: string;
  readonly refreshToken?: string;
  /** Milliseconds since 1970 UTC. */
  readonly expiresAt: number;
  readonly loggedInAt: number;
  /** Login key: private JWK (Ed25519), and the salt of the nonce, base64url. */
  readonly loginKey: JsonWebKeyPrivate;
  readonly salt: string;
  /** For servers that take OAuth. The newest one; never in a transcript. */
  readonly accessToken?: AccessToken;
  /** Level `dpop` only: the JWT access token whose `cnf.jkt` names the login key (RFC 9449 section 6.1). */
  readonly bindingAccessToken?: string;
  /** The issuer's public keys that signed the binding tokens. A convenience for readers, never evidence by itself. */
  readonly issuerKeys?: readonly IssuerKey[];
  readonly method?: LoginMethod;
  /** Words that the person chose for every prompt; see approval/prompt-mark.ts. In no transcript, on no command line. */
  readonly mark?: string;
  /** What a workload token was issued for, where that is not the client id. */
  readonly audience?: string;
}

export interface AccessToken {
  readonly value: string;
  readonly scopes: readonly string[];
  /** Milliseconds since 1970 UTC; absent where the issuer does not say. */
  readonly expiresAt?: number;
}

/** `workload`: a token that a CI system or platform put into the environment or a file. */
export type LoginMethod = 'device' | 'browser' | 'workload';

/** A public JWK as the issuer publishes it (RFC 7517). */
export interface IssuerKey {
  readonly kty: string;
  readonly kid?: string;
  readonly [parameter: string]: unknown;
}

/** Public half of a login or session key (RFC 8037). */
export interface Ed25519Jwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
}

export interface JsonWebKeyPrivate {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly d: string;
}

/** What one `dbguard run` signs with. */
export interface SessionCredential {
  readonly sid: string;
  readonly login: Login;
  readonly sessionKey: KeyObject;
  /** Public JWK of the session key. */
  readonly sessionJwk: Ed25519Jwk;
  /** DSSE envelope by the login key over {sessionKey, sid, notBefore, notAfter}: JSON text. */
  readonly certificate: string;
  /** In a gateway, whose login `login` is: for whom it signs. */
  readonly guest?: Guest;
}

/** Somebody whom a gateway let in. */
export interface Guest {
  readonly subject: Subject;
  /** The client that asked for the token, or else its audience. */
  readonly clientId: string;
  readonly audience: string;
  /** See BearerToken. */
  readonly shown: string;
  readonly proof?: string;
  /** When the token was shown, milliseconds since 1970 UTC. */
  readonly shownAt: number;
}

/** Where logins rest: an encrypted 0600 file whose key is in the OS keychain, or in another 0600 file. */
export interface TokenStore {
  /** Where things are, for `whoami`: names the file, and the keychain or the key file. */
  readonly description: string;
  get(profile: string): Promise<Login | undefined>;
  set(profile: string, login: Login): Promise<void>;
  delete(profile: string): Promise<boolean>;
  /**
   * Read, change and write as one step among all processes of this user: a refresh token that rotates may be used once
   * only. `change` gives the login to write, or undefined to leave things as they are. Resolves to what is stored then.
   */
  update(
    profile: string,
    change: (current: Login | undefined) => Promise<Login | undefined>,
  ): Promise<Login | undefined>;
  /** Changes whenever the stored login does; undefined while there is none. Cheap: no decryption, no keychain. */
  version(profile: string): string | undefined;
}

/**
 * What a transcript's opening entry says about who signs it: issuer -> subject and login key -> session key. Checked by
 * `verify-evidence.ts`, which a run never loads.
 */
import { publicHalf } from './binding.js';
import type { Ed25519Jwk, EvidenceLevel, LoginMethod, SessionCredential, Subject } from './identity.js';

/** As it stands in the `open` entry. The ID token stays usable until it expires: readers are leads. */
export interface IdentityEvidence {
  readonly subject: Subject;
  readonly level: EvidenceLevel;
  readonly method: LoginMethod;
  /** Client id, or what a workload token was requested for. */
  readonly audience: string;
  /** Milliseconds since 1970 UTC. */
  readonly loggedInAt: number;
  readonly loginKey: Ed25519Jwk;
  /** base64url, 16 bytes. */
  readonly salt: string;
  readonly idToken: string;
  /** Level `dpop` only. */
  readonly accessToken?: string;
  /** Key id at the issuer, where the token names one. */
  readonly issuerKeyId?: string;
  /** DSSE envelope by the login key; the session key is in it. */
  readonly certificate: string;
}

export function identityEvidence(session: SessionCredential): IdentityEvidence {
  const { login, certificate } = session;
  const issuerKeyId = login.issuerKeys?.[0]?.kid;
  return {
    subject: login.subject,
    level: login.level,
    method: login.method ?? 'device',
    audience: login.audience ?? login.clientId,
    loggedInAt: login.loggedInAt,
    loginKey: publicHalf(login.loginKey),
    salt: login.salt,
    idToken: login.bindingIdToken,
    ...(login.bindingAccessToken === undefined ? {} : { accessToken: login.bindingAccessToken }),
    ...(issuerKeyId === undefined ? {} : { issuerKeyId }),
    certificate,
  };
}

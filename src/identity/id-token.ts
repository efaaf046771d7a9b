/**
 * Offline checks of what an issuer signed: ID tokens (OpenID Connect Core 3.1.3.7), workload tokens, and JWT access
 * tokens that name a key (RFC 9449 section 6.1). Used at login and, years later, on a transcript: nothing here reads a
 * clock or a network, and every claim is attacker-controlled until its check has passed.
 *
 * No error carries the token or has jose's error as its cause: that one holds the claims.
 */
import { errors, importJWK, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { DbguardError } from '../errors.js';
import { bindingLevel, bindingNonce, thumbprint } from './binding.js';
import type { Ed25519Jwk, EvidenceLevel, IssuerKey, Subject } from './identity.js';
import { printable } from './printable.js';

/** Asymmetric signatures only: with an HMAC the "issuer's key" is a secret that any client may hold. */
const keyTypes: Readonly<Record<string, string>> = {
  RS256: 'RSA',
  RS384: 'RSA',
  RS512: 'RSA',
  PS256: 'RSA',
  PS384: 'RSA',
  PS512: 'RSA',
  ES256: 'EC',
  ES384: 'EC',
  ES512: 'EC',
  EdDSA: 'OKP',
  Ed25519: 'OKP',
};
const MAX_TOKEN = 64 * 1024;

/** RFC 7517 section 5. */
export interface JsonWebKeySet {
  readonly keys: readonly IssuerKey[];
}

export interface TokenExpectations {
  readonly issuer: string;
  /** The client id; for a workload token the audience that it was requested for. */
  readonly audience: string;
  /** The moment that the token must have been valid at, milliseconds since 1970 UTC: the login, not today. */
  readonly now: number;
  /** Tolerance for clocks, in seconds. */
  readonly clockSkew?: number;
}

export interface IdTokenExpectations extends TokenExpectations {
  /** The binding nonce. A token with another nonce is refused; one without proves less. */
  readonly nonce?: string;
  /** A CI or platform token: `azp` means something else there, and the audience may carry the binding nonce. */
  readonly workload?: boolean;
}

export interface VerifiedToken {
  readonly subject: Subject;
  readonly level: EvidenceLevel;
  /** The issuer's key that made the signature. */
  readonly key: IssuerKey;
  /** Milliseconds since 1970 UTC. */
  readonly expiresAt: number;
  readonly issuedAt: number;
  readonly claims: Readonly<JWTPayload>;
}

/**
 * Signature, issuer, audience and authorized party, life span, nonce; in this order. Rejects with DbguardError
 * `login-expired` for a token whose time is over, `login-failed` for everything else.
 */
export async function verifyIdToken(
  token: string,
  keys: JsonWebKeySet,
  expected: IdTokenExpectations,
): Promise<VerifiedToken> {
  const audiences = [expected.audience];
  // A CI system lets the job choose the audience but no nonce: `<audience>:<nonce>` binds the key just as well.
  if (expected.workload && expected.nonce) audiences.push(`${expected.audience}:${expected.nonce}`);
  const { claims, key } = await verifySignedClaims('ID token', token, keys, { ...expected, audiences });
  if (!expected.workload) checkAuthorizedParty(claims, expected.audience);
  const nonce = expected.workload
    ? expected.nonce !== undefined && hasAudience(claims, `${expected.audience}:${expected.nonce}`)
    : checkNonce(claims, expected.nonce);
  return {
    subject: subjectOf(claims),
    level: bindingLevel({ nonce, confirmation: false, audience: expected.workload === true }),
    key,
    expiresAt: seconds(claims.exp),
    issuedAt: seconds(claims.iat),
    claims,
  };
}

/**
 * A JWT access token that names the login key: same issuer and subject, made for this client, `cnf.jkt` is the
 * thumbprint. Rejects with DbguardError `login-failed` when it proves nothing.
 */
export async function verifyBoundAccessToken(
  token: string,
  keys: JsonWebKeySet,
  expected: TokenExpectations & { readonly subject: string; readonly thumbprint: string },
): Promise<void> {
  const { claims } = await verifySignedClaims('access token', token, keys, expected);
  if (claims.sub !== expected.subject) throw refused('the access token belongs to another subject');
  // RFC 9068 calls it client_id, Keycloak and others azp; the audience is the API's and says nothing about us.
  const client = claims.client_id ?? claims.azp;
  if (client !== expected.audience) throw refused('the access token was issued to another client');
  const cnf = claims.cnf;
  const jkt = typeof cnf === 'object' && cnf !== null && 'jkt' in cnf ? cnf.jkt : undefined;
  if (jkt !== expected.thumbprint) throw refused('the access token is not bound to the login key');
}

/** Everything that a login or a transcript says about who holds the login key. */
export interface BindingClaim {
  readonly idToken: string;
  readonly accessToken?: string;
  readonly loginKey: Ed25519Jwk;
  /** base64url, 16 bytes. */
  readonly salt: string;
  readonly workload?: boolean;
}

/** The subject and the best level that the tokens really prove, under the issuer's `keys`. */
export async function verifyBinding(
  claim: BindingClaim,
  keys: JsonWebKeySet,
  expected: TokenExpectations,
): Promise<VerifiedToken> {
  const verified = await verifyIdToken(claim.idToken, keys, {
    ...expected,
    nonce: bindingNonce(claim.loginKey, claim.salt),
    workload: claim.workload === true,
  });
  if (verified.level === 'nonce' || claim.accessToken === undefined) return verified;
  await verifyBoundAccessToken(claim.accessToken, keys, {
    ...expected,
    subject: verified.subject.sub,
    thumbprint: thumbprint(claim.loginKey),
  });
  return { ...verified, level: 'dpop' };
}

async function verifySignedClaims(
  what: string,
  token: string,
  keys: JsonWebKeySet,
  expected: TokenExpectations & { readonly audiences?: string[] },
): Promise<{ claims: JWTPayload; key: IssuerKey }> {
  const header = readHeader(what, token);
  const keyType = keyTypes[header.alg];
  if (!keyType) throw refused(`the ${what} is signed with ${printable(header.alg, 20)}, which proves nothing here`);
  const candidates = keys.keys.filter(
    (key) =>
      key.kty === keyType &&
      key.use !== 'enc' &&
      (key.kid === undefined || header.kid === undefined || key.kid === header.kid),
  );
  const options: JWTVerifyOptions = {
    algorithms: [header.alg],
    issuer: expected.issuer,
    currentDate: new Date(expected.now),
    clockTolerance: expected.clockSkew ?? 0,
    requiredClaims: ['sub', 'iat', 'exp'],
    ...(expected.audiences ? { audience: expected.audiences } : {}),
  };
  for (const key of candidates) {
    try {
      const { payload } = await jwtVerify(token, await importJWK({ ...key }, header.alg), options);
      if (seconds(payload.iat) > expected.now + (expected.clockSkew ?? 0) * 1000) {
        throw refused(`the ${what} was issued in the future`, 'Check the clock of this machine.');
      }
      return { claims: payload, key };
    } catch (error) {
      // Not this key: a set may hold several without a kid, or one that this runtime cannot import.
      if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) {
        throw explain(what, error, expected);
      }
      if (error instanceof DbguardError) throw error;
    }
  }
  const kid = header.kid === undefined ? '' : ` (kid ${printable(header.kid, 60)})`;
  throw refused(`the signature of the ${what} does not fit any key of ${printable(expected.issuer)}${kid}`);
}

function readHeader(what: string, token: string): { alg: string; kid: string | undefined } {
  if (token.length > MAX_TOKEN) throw refused(`the ${what} is too long`);
  const parts = token.split('.');
  try {
    const header: unknown = JSON.parse(Buffer.from(parts[0] ?? '', 'base64url').toString('utf8'));
    if (parts.length === 3 && typeof header === 'object' && header !== null && 'alg' in header) {
      const kid = 'kid' in header && typeof header.kid === 'string' ? header.kid : undefined;
      return { alg: String(header.alg), kid };
    }
  } catch {
    // falls through: the parser's message would quote the token
  }
  throw refused(`the ${what} is not a signed JWT`);
}

/** OpenID Connect Core 3.1.3.7, steps 4 and 5. */
function checkAuthorizedParty(claims: JWTPayload, clientId: string): void {
  const azp = claims.azp;
  if (Array.isArray(claims.aud) && claims.aud.length > 1 && azp === undefined) {
    throw refused('the ID token has several audiences and names no authorized party');
  }
  if (azp !== undefined && azp !== clientId) throw refused('the ID token was issued to another client');
}

function checkNonce(claims: JWTPayload, expected: string | undefined): boolean {
  const nonce = claims.nonce;
  if (nonce === undefined || expected === undefined) return false;
  if (nonce !== expected) {
    throw refused('the ID token carries the nonce of another login', 'It was replayed, or its key was swapped.');
  }
  return true;
}

function hasAudience(claims: JWTPayload, audience: string): boolean {
  return Array.isArray(claims.aud) ? claims.aud.includes(audience) : claims.aud === audience;
}

function subjectOf(claims: JWTPayload): Subject {
  const { iss, sub, email } = claims;
  if (typeof iss !== 'string' || typeof sub !== 'string' || sub === '') throw refused('the ID token names no subject');
  // An address that nobody has confirmed would let a stranger look like a colleague in a transcript.
  const verified = typeof email === 'string' && claims.email_verified !== false;
  return verified ? { iss, sub, email } : { iss, sub };
}

function explain(
  what: string,
  error: errors.JWTExpired | errors.JWTClaimValidationFailed,
  expected: TokenExpectations,
): DbguardError {
  if (error instanceof errors.JWTExpired) {
    return new DbguardError('login-expired', `the ${what} has expired`, { hint: 'Run: dbguard login' });
  }
  const found = printable(JSON.stringify(error.payload[error.claim]) ?? 'nothing', 100);
  switch (error.claim) {
    case 'iss':
      return refused(`the ${what} comes from issuer ${found}, expected ${printable(expected.issuer)}`);
    case 'aud':
      return refused(
        `the ${what} is for audience ${found}, expected ${printable(expected.audience)}`,
        'Check identity.client_id in dbguard.yaml.',
      );
    case 'nbf':
      return refused(`the ${what} is not valid yet`, 'Check the clock of this machine.');
    default:
      return refused(`the ${what} has no usable claim ${printable(error.claim, 30)}`);
  }
}

function seconds(value: number | undefined): number {
  return (value ?? 0) * 1000;
}

function refused(message: string, hint?: string): DbguardError {
  return new DbguardError('login-failed', message, hint === undefined ? {} : { hint });
}

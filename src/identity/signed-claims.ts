/**
 * A JWT that an issuer signed, held against its keys: the algorithms that count, which key is meant, the claims that every
 * token has. What kind of token it is, and what it says of whom, is for id-token.ts and bearer-token.ts.
 *
 * No error carries the token or has jose's error as its cause: that one holds the claims.
 */
import { errors, importJWK, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { DbguardError } from '../errors.js';
import { printable } from '../untrusted-text.js';
import type { IssuerKey } from './identity.js';
import { issuerKeyFault } from './key-checks.js';

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
  /** The client id; at an issuer of workloads the audience that its tokens are requested for. */
  readonly audience: string;
  /** The moment that the token must have been valid at, milliseconds since 1970 UTC: the login, not today. */
  readonly now: number;
  /** Tolerance for clocks, in seconds. */
  readonly clockSkew?: number;
}

/** `audiences`: one of them has to be in the token's. */
export type ClaimExpectations = TokenExpectations & { readonly audiences?: string[] };

export interface SignedClaims {
  readonly claims: JWTPayload;
  readonly key: IssuerKey;
  readonly header: JwtHeader;
}

/** Signature, issuer, life span, and the audience where one is named. Rejects as `verifyIdToken` does. */
export async function verifySignedClaims(
  what: string,
  token: string,
  keys: JsonWebKeySet,
  expected: ClaimExpectations,
): Promise<SignedClaims> {
  const header = readHeader(what, token);
  const options = { algorithms: [header.alg], ...claimOptions(expected) };
  for (const key of candidatesFor(what, header, keys, expected.issuer)) {
    try {
      const { payload } = await jwtVerify(token, await importJWK({ ...key }, header.alg), options);
      checkIssuedAt(what, payload, expected);
      return { claims: payload, key, header };
    } catch (error) {
      // Not this key: a set may hold several without a kid, or one that this runtime cannot import.
      if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) {
        throw explain(what, error, expected);
      }
      if (error instanceof DbguardError) throw error;
    }
  }
  const message = `the signature of the ${what} does not fit any key of ${printable(expected.issuer)}`;
  // Without a kid the key may be one that the issuer has put away: that proves nothing, neither way.
  if (header.kid === undefined) throw keyUnknown(message);
  throw refused(`${message} (kid ${printable(header.kid, 60)})`);
}

/** What jose holds claims against; the same with and without a signature. */
export function claimOptions(expected: ClaimExpectations): JWTVerifyOptions {
  return {
    issuer: expected.issuer,
    currentDate: new Date(expected.now),
    clockTolerance: expected.clockSkew ?? 0,
    requiredClaims: ['sub', 'iat', 'exp'],
    ...(expected.audiences ? { audience: expected.audiences } : {}),
  };
}

export function checkIssuedAt(what: string, { iat }: JWTPayload, expected: ClaimExpectations): void {
  if (seconds(iat) <= expected.now + (expected.clockSkew ?? 0) * 1000) return;
  throw refused(`the ${what} was issued in the future`, 'Check the clock of this machine.');
}

/** The keys that this token may be signed with. Throws when there are none: then nothing can be said about the token. */
export function candidatesFor(
  what: string,
  header: JwtHeader,
  keys: JsonWebKeySet,
  issuer: string,
): readonly IssuerKey[] {
  const keyType = keyTypes[header.alg];
  if (!keyType) throw refused(`the ${what} is signed with ${printable(header.alg, 20)}, which proves nothing here`);
  const named = keys.keys.filter((key) => key.kid === undefined || header.kid === undefined || key.kid === header.kid);
  const fitting = named.filter((key) => key.kty === keyType && isForSignatures(key, header.alg));
  const sound = fitting.filter((key) => issuerKeyFault(key) === undefined);
  if (sound.length > 0) return sound;
  const [weak] = fitting;
  const kid = header.kid === undefined ? '' : ` (kid ${printable(header.kid, 60)})`;
  if (weak) throw refused(`the key of ${printable(issuer)}${kid} proves nothing: ${issuerKeyFault(weak)}`);
  if (named.length > 0 && header.kid !== undefined) {
    throw refused(`the key of ${printable(issuer)}${kid} is not one for ${printable(header.alg, 20)} signatures`);
  }
  throw keyUnknown(`the key that signed the ${what} is none of those at hand for ${printable(issuer)}${kid}`);
}

/** RFC 7517 sections 4.2 to 4.4: what the issuer says the key is for. */
function isForSignatures({ use, key_ops: operations, alg }: IssuerKey, wanted: string): boolean {
  const edwards = ['EdDSA', 'Ed25519']; // RFC 8037's name and RFC 9864's
  return (
    (use === undefined || use === 'sig') &&
    (!Array.isArray(operations) || operations.includes('verify')) &&
    (alg === undefined || alg === wanted || (edwards.includes(wanted) && edwards.includes(String(alg))))
  );
}

export interface JwtHeader {
  readonly alg: string;
  readonly kid: string | undefined;
  readonly typ: string | undefined;
}

/** RFC 7515 section 7.1, whatever keys there are: what is no signed JWT was signed by nobody. */
export function readHeader(what: string, token: string): JwtHeader {
  if (token.length > MAX_TOKEN) throw refused(`the ${what} is too long`);
  const parts = token.split('.');
  const [header, claims] = parts.map(objectIn);
  if (parts.length === 3 && parts.every(isBase64url) && header !== undefined && claims !== undefined) {
    const { alg, kid, typ } = header;
    // RFC 7515 section 4.1.11: none is understood here
    if ('crit' in header) throw refused(`the ${what} demands what dbguard does not know (crit)`);
    if (typeof alg === 'string' && isTextOrAbsent(kid) && isTextOrAbsent(typ)) return { alg, kid, typ };
  }
  throw refused(`the ${what} is not a signed JWT`);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function objectIn(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(Buffer.from(part, 'base64url')));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined; // the parser's message would quote the token
  }
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

/** As an encoder spells it: a decoder takes several spellings for one signature. */
function isBase64url(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part;
}

export function explain(
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

export function seconds(value: number | undefined): number {
  return (value ?? 0) * 1000;
}

export function refused(message: string, hint?: string): DbguardError {
  return new DbguardError('login-failed', message, hint === undefined ? {} : { hint });
}

export function keyUnknown(message: string): DbguardError {
  return new DbguardError('issuer-key-unknown', message, { hint: 'Issuers rotate their keys; see archive-keys.' });
}

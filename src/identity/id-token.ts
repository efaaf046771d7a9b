/**
 * Offline checks of what an issuer signed: ID tokens (OpenID Connect Core 3.1.3.7), workload tokens, and JWT access
 * tokens that name a key (RFC 9449 section 6.1). Used at login and, years later, on a transcript: nothing here reads a
 * clock or a network, and every claim is attacker-controlled until its check has passed.
 *
 * No error carries the token or has jose's error as its cause: that one holds the claims.
 */
import { errors, importJWK, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { DbguardError } from '../errors.js';
import { printable } from '../untrusted-text.js';
import { bindingLevel, bindingNonce, thumbprint } from './binding.js';
import type { Ed25519Jwk, EvidenceLevel, IssuerKey, Subject } from './identity.js';
import { issuerKeyFault } from './key-checks.js';
import { subjectOf } from './subject.js';

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

export interface IdTokenExpectations extends TokenExpectations {
  /** The binding nonce. A token with another nonce is refused; one without proves less. */
  readonly nonce?: string;
  /**
   * Whoever checks has named this issuer as one whose tokens belong to CI jobs and services. Never the token's or a
   * transcript's own word: it makes `azp` mean nothing and lets a token without nonce reach level `audience`.
   */
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
 * Signature, issuer, kind of token, audience, nonce, authorized party, life span. Rejects with DbguardError
 * `login-expired` for a token whose time is over, `issuer-key-unknown` where its signature cannot be judged by these
 * keys, `login-failed` for everything else.
 */
export async function verifyIdToken(
  token: string,
  keys: JsonWebKeySet,
  expected: IdTokenExpectations,
): Promise<VerifiedToken> {
  const { audience, nonce, workload = false } = expected;
  // A CI system lets the job choose the audience but no nonce: `<audience>:<nonce>` binds the key just as well.
  const audiences = nonce === undefined ? [audience] : [audience, `${audience}:${nonce}`];
  const { claims, key, type } = await verifySignedClaims('ID token', token, keys, { ...expected, audiences });
  if (!workload) checkKind(claims, type);
  const bound = [carriesNonce(claims, nonce), namesKeyInAudience(claims, audience, nonce)].includes(true);
  if (!workload && audiencesOf(claims).includes(audience)) checkAuthorizedParty(claims, audience);
  return {
    subject: subjectOf(claims),
    level: bindingLevel({ nonce: bound, confirmation: false, audience: workload }),
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
}

/**
 * The subject and the best level that the tokens really prove, under the issuer's `keys`. Nothing in `claim` chooses how
 * it is checked: that is the reader's, in `expected`.
 */
export async function verifyBinding(
  claim: BindingClaim,
  keys: JsonWebKeySet,
  expected: TokenExpectations & Pick<IdTokenExpectations, 'workload'>,
): Promise<VerifiedToken> {
  const nonce = bindingNonce(claim.loginKey, claim.salt);
  const verified = await verifyIdToken(claim.idToken, keys, { ...expected, nonce });
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
): Promise<{ claims: JWTPayload; key: IssuerKey; type: string | undefined }> {
  const header = readHeader(what, token);
  const options: JWTVerifyOptions = {
    algorithms: [header.alg],
    issuer: expected.issuer,
    currentDate: new Date(expected.now),
    clockTolerance: expected.clockSkew ?? 0,
    requiredClaims: ['sub', 'iat', 'exp'],
    ...(expected.audiences ? { audience: expected.audiences } : {}),
  };
  for (const key of candidatesFor(what, header, keys, expected.issuer)) {
    try {
      const { payload } = await jwtVerify(token, await importJWK({ ...key }, header.alg), options);
      if (seconds(payload.iat) > expected.now + (expected.clockSkew ?? 0) * 1000) {
        throw refused(`the ${what} was issued in the future`, 'Check the clock of this machine.');
      }
      return { claims: payload, key, type: header.typ };
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

/** The keys that this token may be signed with. Throws when there are none: then nothing can be said about the token. */
function candidatesFor(what: string, header: Header, keys: JsonWebKeySet, issuer: string): readonly IssuerKey[] {
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

interface Header {
  readonly alg: string;
  readonly kid: string | undefined;
  readonly typ: string | undefined;
}

/** RFC 7515 section 7.1, whatever keys there are: what is no signed JWT was signed by nobody. */
function readHeader(what: string, token: string): Header {
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

/** Values of Keycloak's `typ` claim; it signs all of these with the key and for the client of the ID token. */
const otherKinds: ReadonlySet<unknown> = new Set(['Bearer', 'DPoP', 'Refresh', 'Offline', 'Logout', 'Serialized-ID']);

/**
 * An issuer signs other things for the same client with the same key: access tokens (RFC 9068: `at+jwt`), logout tokens
 * (`logout+jwt`, `events`). Whoever has seen one of those must not pass for the person in it.
 */
function checkKind(claims: JWTPayload, type: string | undefined): void {
  const kinds = [
    /\+jwt$/i.test(type ?? '') && type,
    otherKinds.has(claims.typ) && claims.typ,
    claims.events && 'events',
  ];
  const other = kinds.find(Boolean);
  if (other) throw refused(`this is no ID token but another token of the issuer (${printable(other, 40)})`);
}

/** OpenID Connect Core 3.1.3.7, steps 4 and 5. */
function checkAuthorizedParty(claims: JWTPayload, clientId: string): void {
  const azp = claims.azp;
  if (audiencesOf(claims).length > 1 && azp === undefined) {
    throw refused('the ID token has several audiences and names no authorized party');
  }
  if (azp !== undefined && azp !== clientId) throw refused('the ID token was issued to another client');
}

/** False without a nonce. Another one than ours belongs to another login, whosever token this is said to be. */
function carriesNonce(claims: JWTPayload, expected: string | undefined): boolean {
  if (claims.nonce === undefined) return false;
  if (expected === undefined || claims.nonce !== expected) throw anotherLogin('nonce');
  return true;
}

/** As `carriesNonce`, for `<audience>:<nonce>`. */
function namesKeyInAudience(claims: JWTPayload, audience: string, expected: string | undefined): boolean {
  const carried = audiencesOf(claims).filter((entry) => nonceIn(entry, audience) !== undefined);
  if (carried.some((entry) => nonceIn(entry, audience) !== expected)) throw anotherLogin('audience');
  return carried.length > 0;
}

function nonceIn(entry: string, audience: string): string | undefined {
  const rest = entry.startsWith(`${audience}:`) ? entry.slice(audience.length + 1) : '';
  return /^[\w-]{43}$/.test(rest) ? rest : undefined;
}

function audiencesOf({ aud }: JWTPayload): readonly string[] {
  return [aud].flat().filter((entry) => typeof entry === 'string');
}

function anotherLogin(where: 'nonce' | 'audience'): DbguardError {
  return refused(`the ID token carries the ${where} of another login`, 'It was replayed, or its key was swapped.');
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

function keyUnknown(message: string): DbguardError {
  return new DbguardError('issuer-key-unknown', message, { hint: 'Issuers rotate their keys; see archive-keys.' });
}

/**
 * Offline checks of what an issuer signed: ID tokens (OpenID Connect Core 3.1.3.7), workload tokens, and JWT access
 * tokens that name a key (RFC 9449 section 6.1). Used at login and, years later, on a transcript: nothing here reads a
 * clock or a network, and every claim is attacker-controlled until its check has passed.
 */
import type { JWTPayload } from 'jose';
import type { DbguardError } from '../errors.js';
import { printable } from '../untrusted-text.js';
import { bindingLevel, bindingNonce, thumbprint } from './binding.js';
import type { Ed25519Jwk, EvidenceLevel, IssuerKey, Subject } from './identity.js';
import { type JsonWebKeySet, refused, seconds, type TokenExpectations, verifySignedClaims } from './signed-claims.js';
import { subjectOf } from './subject.js';

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
  const { claims, key, header } = await verifySignedClaims('ID token', token, keys, { ...expected, audiences });
  if (!workload) checkKind(claims, header.typ);
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

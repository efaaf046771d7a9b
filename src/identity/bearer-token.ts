/**
 * A token that somebody shows a gateway in the place of a password: made for the gateway, by an issuer that it knows, at
 * the asking of a client that it knows. And the same years later, from a transcript that has the token without its
 * signature (token-proof.ts).
 *
 * Times, signatures and the issuer's keys are judged as at a login (signed-claims.ts). Other than there a token of either
 * kind counts, since a driver may have an ID token or an access token (RFC 9068); and no nonce is asked for.
 */
import { errors, type JWTPayload, UnsecuredJWT } from 'jose';
import type { IssuerKey, Subject } from './identity.js';
import {
  candidatesFor,
  checkIssuedAt,
  claimOptions,
  explain,
  type JsonWebKeySet,
  type JwtHeader,
  keyUnknown,
  readHeader,
  refused,
  seconds,
  type TokenExpectations,
  verifySignedClaims,
} from './signed-claims.js';
import { subjectOf } from './subject.js';
import { canBeProven, proveSignature, provesSignature } from './token-proof.js';

export interface BearerExpectations extends TokenExpectations {
  /** Clients of the issuer that may have asked for the token; of workloads there is none. */
  readonly clients: readonly string[] | 'any';
}

export interface BearerToken {
  readonly subject: Subject;
  readonly claims: Readonly<JWTPayload>;
  /** The client that asked for it, as it says itself. */
  readonly client: string | undefined;
  /** Milliseconds since 1970 UTC. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly key: IssuerKey;
  /** The token without its signature: nobody can log in with it. */
  readonly shown: string;
  /** Undefined where nothing can be shown without the signature. @param session see SignedText */
  prove(session: string, random: (bytes: number) => Uint8Array): string | undefined;
}

const what = 'token';

/** Rejects as `verifyIdToken` does. */
export async function verifyBearerToken(
  token: string,
  keys: JsonWebKeySet,
  expected: BearerExpectations,
): Promise<BearerToken> {
  const audiences = [expected.audience];
  const { claims, key, header } = await verifySignedClaims(what, token, keys, { ...expected, audiences });
  checkBearer(claims, header, expected);
  const [head = '', body = '', signature = ''] = token.split('.');
  const signingInput = `${head}.${body}`;
  return {
    subject: subjectOf(claims),
    claims,
    client: clientOf(claims),
    issuedAt: seconds(claims.iat),
    expiresAt: seconds(claims.exp),
    key,
    shown: `${signingInput}.`,
    prove: (session, random) =>
      canBeProven(header.alg, key)
        ? proveSignature({ signingInput, key, session }, Buffer.from(signature, 'base64url'), random)
        : undefined,
  };
}

export interface ShownToken {
  readonly subject: Subject;
  readonly claims: Readonly<JWTPayload>;
  /** False where only whoever wrote the transcript says that the issuer signed it. */
  readonly proven: boolean;
}

/**
 * @param shown `BearerToken.shown`, attacker-controlled @param proof of the signature, likewise
 * @param session the key that the proof is bound to
 * Throws as `verifyIdToken` rejects: also where the proof does not hold.
 */
export function verifyShownToken(
  { shown, proof, session }: { readonly shown: string; readonly proof: string | undefined; readonly session: string },
  keys: JsonWebKeySet,
  expected: BearerExpectations,
): ShownToken {
  const header = readHeader(what, shown);
  const [head = '', body = '', signature] = shown.split('.');
  if (signature !== '') throw refused('the token stands there with its signature');
  const candidates = candidatesFor(what, header, keys, expected.issuer);
  const claims = claimsIn(body, expected);
  checkBearer(claims, header, expected);
  const provable = candidates.filter((key) => canBeProven(header.alg, key));
  const signed = { signingInput: `${head}.${body}`, session };
  const holds = proof !== undefined && provable.some((key) => provesSignature({ ...signed, key }, proof));
  if (!holds && (proof !== undefined || provable.length > 0)) {
    const message = 'nothing proves the issuer’s signature over the token';
    // without a kid the key may be one that the issuer has put away
    throw header.kid === undefined ? keyUnknown(message) : refused(message);
  }
  return { subject: subjectOf(claims), claims, proven: holds };
}

/** jose has its checks of claims without those of a signature for unsecured tokens only. */
function claimsIn(body: string, expected: TokenExpectations): JWTPayload {
  const unsecured = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`;
  const wanted = { ...expected, audiences: [expected.audience] };
  try {
    const { payload } = UnsecuredJWT.decode(unsecured, claimOptions(wanted));
    checkIssuedAt(what, payload, wanted);
    return payload;
  } catch (error) {
    if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) {
      throw explain(what, error, expected);
    }
    if (error instanceof errors.JOSEError) throw refused('the token is no JWT');
    throw error;
  }
}

/** Of Keycloak's words for what it signs with the same key, those that open nothing by themselves. */
const noBearer: ReadonlySet<unknown> = new Set(['Refresh', 'Offline', 'Logout', 'Serialized-ID']);

function checkBearer(claims: JWTPayload, { typ }: JwtHeader, { clients }: BearerExpectations): void {
  if (claims.events !== undefined || noBearer.has(claims.typ) || /^(?:logout|secevent)\+jwt$/i.test(typ ?? '')) {
    throw refused('this is no token to log in with, but another one of the issuer');
  }
  // RFC 9449 section 7.2, RFC 8705 section 3: whoever shows it has to prove a key, which a password cannot
  if (claims.cnf !== undefined) throw refused('the token is bound to a key, and counts only with a proof of that key');
  if (clients === 'any') return;
  const client = clientOf(claims);
  if (client === undefined && [claims.aud].flat().length > 1) {
    throw refused('the token has several audiences and names no client that asked for it');
  }
  if (client !== undefined && !clients.includes(client)) throw refused('the token was issued to another client');
}

/** OpenID Connect's authorized party; RFC 9068's client_id; Entra's appid, of its older tokens. */
function clientOf({ azp, client_id: clientId, appid }: JWTPayload): string | undefined {
  const named = [azp, clientId, appid].filter((one) => one !== undefined);
  if (named.some((one) => typeof one !== 'string') || new Set(named).size > 1) {
    throw refused('the token names more than one client that asked for it');
  }
  return named[0] as string | undefined;
}

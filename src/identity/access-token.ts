/**
 * The access token of a login, for a server that takes OAuth instead of a password (RFC 7628). It goes to servers, so it
 * never goes into a transcript; the ID token goes into transcripts, so it never goes to a server.
 */
import type { TokenEndpointResponse } from 'openid-client';
import { DbguardError } from '../errors.js';
import { singleLine } from '../untrusted-text.js';
import type { AccessToken, Login } from './identity.js';

/** Less time left than this is too little for a server that asks the issuer. */
const FRESH_MS = 30_000;

/** What the connection string says; never what the server does. */
export interface TokenRequest {
  /** libpq's oauth_issuer: the issuer, or the address of its discovery document. */
  readonly issuer?: string | undefined;
  /** libpq's oauth_scope: separated by blanks. */
  readonly scope?: string | undefined;
}

/** @param now milliseconds since 1970 UTC @param asked the scopes of the request: what was granted where the answer names none (RFC 6749 section 5.1) */
export function accessTokenIn(tokens: TokenEndpointResponse, now: number, asked: readonly string[]): AccessToken {
  const { access_token: value, expires_in: lifetime, scope } = tokens;
  const scopes = scope?.split(' ').filter((name) => name !== '') ?? asked;
  return { value, scopes, ...(lifetime === undefined ? {} : { expiresAt: now + lifetime * 1000 }) };
}

/** False where it has to be renewed first. */
export function isFresh(token: AccessToken, now: number): boolean {
  return token.expiresAt === undefined || token.expiresAt > now + FRESH_MS;
}

/** The login's token, if it is one for this request. Throws `login-failed` with what to do. */
export function accessTokenFor(login: Login, request: TokenRequest): AccessToken {
  const { accessToken, subject } = login;
  if (accessToken === undefined) {
    throw refused(
      'this login has no access token',
      login.method === 'workload'
        ? 'A job’s token is an ID token, which goes to no server: use another way to log in to this database in CI.'
        : 'Log in again: dbguard login',
    );
  }
  const wanted = request.issuer?.replace(/\/\.well-known\/.*$/, '');
  if (wanted !== undefined && wanted !== subject.iss && `${wanted}/` !== subject.iss) {
    throw refused(
      `the connection wants a token of ${singleLine(wanted)}, the login is at ${singleLine(subject.iss)}`,
      'oauth_issuer of the connection and identity.issuer have to be the same.',
    );
  }
  const missing = (request.scope ?? '').split(' ').filter((name) => name !== '' && !accessToken.scopes.includes(name));
  if (missing.length === 0) return accessToken;
  throw refused(
    `the login’s access token does not have the scope ${singleLine(missing.join(' '))} of the connection`,
    `Add it to identity.scopes in dbguard.yaml, have the issuer allow it for dbguard’s client, and log in again.`,
  );
}

function refused(message: string, hint: string): DbguardError {
  return new DbguardError('login-failed', message, { hint });
}

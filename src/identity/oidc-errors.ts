/**
 * What went wrong between us and an issuer, in words and with a next step. Foreign errors end here: openid-client's carry
 * response bodies and claims in their causes, and those hold tokens.
 */
import { AuthorizationResponseError, ClientError, ResponseBodyError } from 'openid-client';
import { DbguardError } from '../errors.js';
import { socketWords } from '../socket-words.js';
import { printable } from '../untrusted-text.js';

export interface OidcContext {
  readonly issuer: string;
  readonly clientId: string;
  readonly step: 'discovery' | 'keys' | 'device-code' | 'device' | 'code' | 'refresh' | 'revocation';
}

/** RFC 9110 and RFC 6585: request timeout, too early, too many requests. */
const laterStatus: readonly number[] = [408, 425, 429];

/** The connection failed or the issuer is overloaded: the same request may work later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ClientError && error.code === 'OAUTH_TIMEOUT') return true;
  const status = answerOf(error)?.status;
  if (status !== undefined) return status >= 500 || laterStatus.includes(status);
  if (error instanceof ClientError) return false;
  // undici: TypeError "fetch failed" with the socket's error as cause; "terminated" when the body was cut off.
  return error instanceof TypeError && (error.message === 'fetch failed' || error.message === 'terminated');
}

/** Something in between answered, not the issuer: a web page of a proxy, a captive portal, a firewall. */
export function isForeignAnswer(error: unknown): boolean {
  return error instanceof ClientError && error.cause instanceof Response;
}

/** Longer than any device code lives. A timer of Node overflows at 25 days and fires at once. */
const MAX_WAIT = 24 * 3600;

/** How long the answer asks to wait (RFC 9110 section 10.2.3), in seconds; 0 where it does not say. */
export function retryAfter(error: unknown, now: number): number {
  const header = answerOf(error)?.headers.get('retry-after')?.trim() ?? '';
  const wait = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isFinite(wait) ? Math.min(Math.max(0, wait), MAX_WAIT) : 0;
}

function answerOf(error: unknown): Response | undefined {
  if (error instanceof ResponseBodyError) return error.response;
  return error instanceof ClientError && error.cause instanceof Response ? error.cause : undefined;
}

/** One clause for a person who waits. */
export function troubleOf(error: unknown): string {
  const status = answerOf(error)?.status;
  return status === undefined ? 'the issuer cannot be reached' : `the issuer answers HTTP ${status}`;
}

export function explainOidcError(error: unknown, context: OidcContext): DbguardError {
  if (error instanceof DbguardError) return error;
  if (error instanceof ClientError && error.cause instanceof DbguardError) return error.cause; // from our own fetch
  if (answerOf(error)?.status === 429) {
    return failed('the issuer has had too many requests (HTTP 429)', 'Wait a minute and try again.');
  }
  if (error instanceof ResponseBodyError || error instanceof AuthorizationResponseError) {
    return explainCode(error.error, error.error_description, context);
  }
  const issuer = printable(context.issuer);
  if (isTransient(error)) {
    const reason = socketReason(error);
    if (/CERT|SELF_SIGNED|ISSUER|ALTNAME|VERIFY/.test(reason)) {
      return failed(
        `the TLS certificate of ${issuer} is not trusted: ${reason}`,
        'If your organisation signs its own certificates, name its CA file in NODE_EXTRA_CA_CERTS.',
      );
    }
    return failed(
      `the issuer ${issuer} cannot be reached${reason ? `: ${reason}` : ''}`,
      'Check the network, VPN or proxy, and identity.issuer in dbguard.yaml.',
    );
  }
  if (error instanceof ClientError && error.code === 'OAUTH_ABORT') return failed('the login was given up');
  if (context.step === 'discovery') {
    const detail = error instanceof ClientError ? ` (${printable(error.message)})` : '';
    return failed(
      `${issuer} does not answer as an OpenID Connect issuer${detail}`,
      `Check identity.issuer; ${issuer.replace(/\/$/, '')}/.well-known/openid-configuration must exist and name it exactly.`,
    );
  }
  const answer = answerOf(error);
  if (isForeignAnswer(error) && answer) {
    return failed(
      `${issuer} answered HTTP ${answer.status} with something that is no answer of an issuer`,
      'A proxy, a firewall or a sign-in page of the network may be in between; open the issuer’s address in a browser.',
    );
  }
  if (error instanceof ClientError) return explainClientError(error, context);
  return failed(
    `the issuer ${issuer} sent an answer that makes no sense`,
    'Try again; if it stays, tell its operator.',
  );
}

export function deviceCodeExpired(): DbguardError {
  return new DbguardError('login-expired', 'the code expired before it was confirmed', { hint: 'Run: dbguard login' });
}

/** RFC 6749 section 5.2, RFC 8628 section 3.5, RFC 9449 section 5. */
function explainCode(code: string, description: string | undefined, context: OidcContext): DbguardError {
  const client = printable(context.clientId, 80);
  const words = description ? `: ${printable(description)}` : '';
  switch (code) {
    case 'access_denied':
      return failed('the login was denied in the browser', 'Run dbguard login again if that was not meant.');
    case 'expired_token':
      return deviceCodeExpired();
    case 'invalid_client':
      return failed(
        `the issuer does not know the client id ${client}`,
        'Check identity.client_id. The client must be public, or its secret given by DBGUARD_CLIENT_SECRET.',
      );
    case 'unauthorized_client':
    case 'unsupported_grant_type':
      return grantNotAllowed(context, words);
    case 'invalid_scope':
      return failed(`the issuer refuses a scope${words}`, 'Set identity.scopes in dbguard.yaml; openid is needed.');
    case 'invalid_grant':
      if (context.step === 'device-code') return grantNotAllowed(context, words); // Keycloak
      return new DbguardError(
        'login-expired',
        context.step === 'refresh'
          ? 'the issuer has ended this login'
          : `the issuer no longer accepts this login${words}`,
        { hint: 'Run: dbguard login' },
      );
    case 'invalid_request':
      if (context.step === 'device-code') return grantNotAllowed(context, words); // oidc-provider
      return failed(`the issuer refused the request${words}`);
    case 'not_allowed': // Keycloak
      return failed(
        `the issuer refuses a login that lasts${words}`,
        'Give whoever logs in the role offline_access, or set identity.scopes in dbguard.yaml to [openid, email].',
      );
    default:
      return failed(`the issuer refused: ${printable(code, 60)}${words}`);
  }
}

function grantNotAllowed(context: OidcContext, words: string): DbguardError {
  const browser = context.step === 'code';
  return failed(
    `the issuer does not allow ${browser ? 'this' : 'the device code'} login for client ${printable(context.clientId, 80)}${words}`,
    browser
      ? 'Allow the authorization code grant with PKCE for this client.'
      : 'Allow the device authorization grant for this client, or use: dbguard login --browser',
  );
}

function explainClientError(error: ClientError, context: OidcContext): DbguardError {
  switch (error.code) {
    case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
      return failed('the ID token is not valid now by the clock of this machine', 'Set the clock (NTP) and try again.');
    case 'OAUTH_JWT_CLAIM_COMPARISON_FAILED':
      return failed(
        'the ID token names another issuer, client or nonce than this login',
        'Somebody may be in between.',
      );
    case 'OAUTH_KEY_SELECTION_FAILED':
      return failed(
        'the ID token is signed with a key that the issuer does not publish',
        'Somebody may be in between.',
      );
    case 'OAUTH_MISSING_SERVER_METADATA':
      return failed(
        `${printable(context.issuer)} does not offer ${context.step === 'code' ? 'a login in the browser' : 'a login by device code'}`,
        context.step === 'code' ? 'Use: dbguard login' : 'Use: dbguard login --browser',
      );
    case 'OAUTH_INVALID_RESPONSE': {
      const forged = error.cause instanceof Error && error.cause.message === 'JWT signature verification failed';
      if (forged) return failed('the signature of the ID token is wrong', 'Somebody may be in between.');
      return failed('the issuer sent an answer that is not as the standard says');
    }
    default:
      return failed(`the issuer's answer was not accepted: ${printable(error.message)}`);
  }
}

function socketReason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Response) return `HTTP ${cause.status}`;
  if (error instanceof ResponseBodyError) return `HTTP ${error.status}`;
  if (!(cause instanceof Error)) return '';
  const code = 'code' in cause ? String(cause.code) : '';
  return socketWords(code) ?? printable(code === '' ? cause.message : code, 80);
}

function failed(message: string, hint?: string): DbguardError {
  return new DbguardError('login-failed', message, hint === undefined ? {} : { hint });
}

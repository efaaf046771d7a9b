/**
 * OAUTHBEARER (RFC 7628) as PostgreSQL 18 speaks it: a bearer token instead of a password.
 */

import { DbguardError } from '../../errors.js';
import { printable } from '../../untrusted-text.js';
import { authFailure, tlsFailure, UpstreamError } from './failure.js';
import type { Secret } from './secret.js';
import type { TlsSession } from './tls-session.js';

/**
 * Gets an access token for the server. `issuer` and `scope` come from the connection string, never from the server.
 * Rejects with DbguardError where there is none for them.
 */
export type OauthTokenSource = (request: {
  readonly issuer: string | undefined;
  readonly scope: string | undefined;
  readonly signal: AbortSignal;
}) => Promise<Secret>;

interface OauthContext {
  readonly label: string;
  readonly tls: TlsSession | undefined;
  readonly unix: boolean;
  readonly auth: { readonly oauthIssuer: string | undefined; readonly oauthScope: string | undefined };
  readonly oauthToken: OauthTokenSource | undefined;
  readonly signal: AbortSignal;
}

/** RFC 6750 section 2.1: anything else could end the key-value pair early. */
const b64token = /^[A-Za-z0-9\-._~+/]+=*$/;

/** RFC 7628 section 3.1. */
export async function oauthInitialResponse(context: OauthContext): Promise<Buffer> {
  const { label, tls, unix, auth, signal } = context;
  // Whoever holds a bearer token is the developer: it goes to a server that has proved its name, or stays here. A socket in
  // the file system proves nothing: whoever can write its folder, an agent too, can listen there.
  if (!tls?.verified) {
    throw tlsFailure(
      `${label} asks for an OAuth token, and it has not been verified who it is`,
      unix
        ? 'A token goes out over verified TLS only: use a host name with sslmode=verify-full instead of the socket.'
        : 'Use sslmode=verify-full (with sslrootcert) on this connection.',
    );
  }
  if (!context.oauthToken) {
    throw authFailure(`${label} asks for an OAuth token, and there is none`, 'Log in first: dbguard login');
  }
  const request = { issuer: auth.oauthIssuer, scope: auth.oauthScope, signal };
  const token = await context.oauthToken(request).catch((error: unknown) => {
    if (!(error instanceof DbguardError) || error instanceof UpstreamError) throw error;
    throw authFailure(
      `${label} asks for an OAuth token: ${error.message}`,
      error.hint ?? 'Log in again: dbguard login',
    );
  });
  if (!b64token.test(token.reveal())) {
    throw authFailure(
      'the OAuth token holds characters that a bearer token cannot have',
      'Log in again: dbguard login',
    );
  }
  return Buffer.from(`n,,\x01auth=Bearer ${token.reveal()}\x01\x01`, 'latin1');
}

/** RFC 7628 section 3.2.2: what the server says about a refused token, in a sentence. The content is the server's word. */
export function explainOauthError(data: Buffer): string {
  let status = '';
  let scope = '';
  try {
    const parsed: unknown = JSON.parse(data.toString('utf8'));
    if (typeof parsed === 'object' && parsed !== null) {
      if ('status' in parsed && typeof parsed.status === 'string') status = printable(parsed.status);
      if ('scope' in parsed && typeof parsed.scope === 'string') scope = printable(parsed.scope);
    }
  } catch {
    // not JSON: the sentence below still says what happened
  }
  const wanted = scope ? ` It wants the scope "${scope}".` : '';
  return `The server refused the OAuth token${status ? ` (${status})` : ''}.${wanted} Try dbguard login again.`;
}

/** SASL OAUTHBEARER, the server's side (RFC 7628), as PostgreSQL 18 has it (src/backend/libpq/auth-oauth.c). */
import { ProtocolViolation } from './messages.js';

export const oauthBearer = 'OAUTHBEARER';
/** Of key and value pairs, and what a client answers an error with. */
export const kvsep = Buffer.from([1]);
const separator = String.fromCharCode(1);

/**
 * The token of a client's first message: `n,,` kvsep `auth=Bearer TOKEN` kvsep kvsep. Empty where the client has none and
 * wants to know where to get one. Throws ProtocolViolation, which holds nothing that the client sent.
 */
export function bearerIn(message: Buffer): string {
  const [header = '', ...rest] = message.toString('latin1').split(separator);
  const [binding, authorization, end, ...more] = header.split(',');
  if (binding === undefined || authorization === undefined || end !== '' || more.length > 0) throw malformed();
  if (binding !== 'n' && binding !== 'y') throw new ProtocolViolation('OAUTHBEARER has no channel binding');
  if (authorization !== '') throw new ProtocolViolation('SASL authorization identities are not supported');
  // each pair ends with a separator, and all of them with one more
  if (rest.length < 2 || rest.at(-1) !== '' || rest.at(-2) !== '') throw malformed();
  let auth: string | undefined;
  for (const pair of rest.slice(0, -2)) {
    const [, key, value] = /^([A-Za-z]+)=([\x20-\x7e\t\r\n]*)$/.exec(pair) ?? [];
    if (key === undefined || value === undefined) throw malformed();
    if (key.toLowerCase() !== 'auth') continue;
    if (auth !== undefined) throw malformed();
    auth = value;
  }
  if (auth === undefined) throw malformed();
  if (auth === '') return '';
  // RFC 6750 section 2.1; the scheme in any case (RFC 7235 section 2.1)
  const token = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(auth)?.[1];
  if (token === undefined) throw malformed();
  return token;
}

function malformed(): ProtocolViolation {
  return new ProtocolViolation('malformed OAUTHBEARER message');
}

import { createHash } from 'node:crypto';

/**
 * The answer to AuthenticationMD5Password: `md5` and the hex MD5 of (hex MD5 of password and user name) and salt.
 * Source: PostgreSQL manual, "Message Flow", AuthenticationMD5Password.
 */
export function md5Response(user: string, password: string, salt: Uint8Array): string {
  const inner = createHash('md5').update(password, 'utf8').update(user, 'utf8').digest('hex');
  return `md5${createHash('md5').update(inner, 'latin1').update(salt).digest('hex')}`;
}

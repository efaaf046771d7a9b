/** Who a token is about, as far as the issuer really says so. Every claim is attacker-controlled until the token is verified. */
import { decodeJwt, type JWTPayload } from 'jose';
import { DbguardError } from '../errors.js';
import type { Subject } from './identity.js';

/** Throws `login-failed` for a token that names nobody. */
export function subjectOf(claims: JWTPayload): Subject {
  const { iss, sub, email } = claims;
  if (typeof iss !== 'string' || typeof sub !== 'string' || sub === '') {
    throw new DbguardError('login-failed', 'the ID token names no subject');
  }
  return typeof email === 'string' && isConfirmed(claims) ? { iss, sub, email } : { iss, sub };
}

/**
 * An address that nobody has confirmed would let a stranger look like a colleague in a transcript. `email_verified` may
 * be missing (Entra has none), and some issuers send it as text; whatever is there and is not true in one of these ways
 * is false. `xms_edov` is Entra's word for the same: "e-mail domain owner verified".
 */
function isConfirmed({ email_verified: verified, xms_edov: ownerVerified }: JWTPayload): boolean {
  return [verified, ownerVerified].every((value) => value === undefined || isTrue(value));
}

function isTrue(value: unknown): boolean {
  return value === true || value === 1 || (typeof value === 'string' && /^(?:true|1)$/i.test(value));
}

/** Whether two accounts belong to one person, as far as their addresses tell: `Ada+review@x` is `ada@x`. */
export function isSamePerson(a: Subject, b: Subject): boolean {
  if (a.iss === b.iss && a.sub === b.sub) return true;
  return a.email !== undefined && b.email !== undefined && mailbox(a.email) === mailbox(b.email);
}

function mailbox(email: string): string {
  const plain = email.normalize('NFKC').toLowerCase().trim();
  return plain.replace(/\+[^@]*(?=@)/, '');
}

/** Where issuers put groups: Entra, Okta and Keycloak's mapper; application roles of Entra. */
const groupClaims = ['groups', 'roles'] as const;

/**
 * Groups and roles that the issuer says the subject has; undefined where its tokens speak of none.
 * @param idToken verified by whoever took it in
 */
export function groupsOf(idToken: string): readonly string[] | undefined {
  return groupsIn(decodeJwt(idToken));
}

/** The same of claims. */
export function groupsIn(claims: JWTPayload): readonly string[] | undefined {
  const found = groupClaims.flatMap((claim) => {
    const value = claims[claim];
    return Array.isArray(value) ? [value.filter((one): one is string => typeof one === 'string')] : [];
  });
  return found.length === 0 ? undefined : found.flat();
}

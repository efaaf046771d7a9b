/**
 * A key that nobody vouches for: made on one machine, where no identity provider is configured. It signs as every login key
 * does, so what, whole and when hold; who it was does not, and no word of such a session may look as if it did.
 *
 * What must live here: what sets such an identity apart, and what a reader has to hold against it. What it must not know:
 * where the key is kept.
 */
import type { Evidence } from '../transcript/open-entry.js';
import { generateLoginKey, SALT_BYTES, thumbprint } from './binding.js';
import type { Ed25519Jwk, Login, Subject } from './identity.js';
import { isLocal, LOCAL_ISSUER } from './subject-name.js';

/** The key is the name: nobody can take another's, nor give themselves one. */
function localSubject(key: Ed25519Jwk): Subject {
  return { iss: LOCAL_ISSUER, sub: `local:${thumbprint(key)}` };
}

/** @param now milliseconds since 1970 UTC */
export function newLocalLogin(randomBytes: (size: number) => Buffer, now: number): Login {
  const loginKey = generateLoginKey();
  return {
    subject: localSubject(loginKey),
    level: 'local',
    clientId: '',
    idToken: '',
    bindingIdToken: '',
    expiresAt: Number.MAX_SAFE_INTEGER,
    loggedInAt: now,
    loginKey,
    salt: randomBytes(SALT_BYTES).toString('base64url'),
  };
}

/** Whether attacker-controlled evidence says of itself that nobody vouches for its key, in any of its words. */
export function claimsLocal({ level, subject }: Pick<Evidence, 'level' | 'subject'>): boolean {
  return level === 'local' || isLocal(subject);
}

/** What makes it none: words of an issuer beside those of a local key, or the name of another key. */
export function localFault(open: Evidence): string | undefined {
  const { subject, level, loginKey } = open;
  if (level !== 'local') return `nobody vouches for a local key, and the session claims the evidence level ${level}`;
  if (!isLocal(subject)) return 'a local key speaks for no issuer, and the session names one';
  if (subject.sub !== localSubject(loginKey).sub) return 'the session is signed by another local key than it names';
  const said = [open.clientId, open.idToken, subject.email ?? '', open.audience ?? '', open.accessToken ?? ''];
  if (said.some((text) => text !== '') || open.method !== undefined)
    return 'a session of a local key has a token, an address or a client, which only an issuer gives';
  return undefined;
}

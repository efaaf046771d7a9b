/**
 * What a server has proved at an earlier login is demanded of it again: whoever takes its place must not get an MD5 answer or a
 * password for the asking, nor be believed without any proof. Trust on first use; require_auth in the connection decides instead.
 */
import type { AuthMethod } from './auth-method.js';
import { authFailure } from './failure.js';

export interface Proof {
  readonly method: AuthMethod;
  /** SCRAM was bound to the TLS connection: nobody is in between. */
  readonly bound: boolean;
}

/** Of one person's machine. `server` as in labels: `db.example.com:5432`. */
export interface ServerProofs {
  of(server: string, user: string): Proof | undefined;
  learn(server: string, user: string, proof: Proof): void;
}

/** How much a method protects the password and proves of the server; what is not here is only equal to itself. */
const strength: Readonly<Partial<Record<AuthMethod, number>>> = { none: 0, password: 1, md5: 2, 'scram-sha-256': 3 };

/** Throws UpstreamError `upstream-auth` where the server asks for less than it did. */
export function demandAgain(before: Proof | undefined, now: AuthMethod, server: string): void {
  if (before === undefined || atLeast(now, before.method)) return;
  const asks = now === 'none' ? 'asks for no authentication' : `asks for the authentication method "${now}"`;
  throw authFailure(
    `${server} ${asks}, and at an earlier login it was "${before.method}"`,
    `Somebody may be posing as the server. ${howToForget(server)}`,
  );
}

export function howToForget(server: string): string {
  return `If it was set up anew: dbguard trust --forget-server ${server}. Or say what you expect: require_auth in the connection.`;
}

/** What is worth remembering of this login; undefined where nothing new was proved. */
export function newProof(before: Proof | undefined, now: Proof): Proof | undefined {
  if (now.method === 'none') return undefined;
  if (before === undefined) return now;
  const stronger = now.method !== before.method || (now.bound && !before.bound);
  return stronger ? { method: now.method, bound: now.bound || before.bound } : undefined;
}

function atLeast(now: AuthMethod, before: AuthMethod): boolean {
  if (now === before || before === 'none') return true;
  if (now === 'scram-sha-256') return true;
  const [a, b] = [strength[now], strength[before]];
  return a !== undefined && b !== undefined && a >= b;
}

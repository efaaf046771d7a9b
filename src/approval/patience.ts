/**
 * How long a statement waits for somebody who is at work on it: who types a reason, scrolls or reads a dry run keeps it
 * from being denied by silence, but not for ever, since locks may be held.
 */

/** What is left at least after a person has done something. */
const graceMs = 30_000;
/** Longer than this nobody keeps it waiting, by whatever they do. */
const longestMs = 5 * 60_000;

/** The time at which silence denies, after something was done at `now`. All in milliseconds since 1970 UTC. */
export function putOff(
  asked: { readonly askedAt: number; readonly expiresAt: number },
  expiresAt: number,
  now: number,
): number {
  const timeout = asked.expiresAt - asked.askedAt;
  const latest = asked.expiresAt + Math.min(longestMs, 3 * timeout);
  return Math.max(expiresAt, Math.min(latest, now + Math.min(graceMs, timeout)));
}

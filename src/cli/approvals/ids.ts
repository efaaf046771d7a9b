/** What a person may give to `dbguard approve` and `deny`. */

/** An id of the team's, or the end of one; those of a run's own have a hyphen. */
export function isTeamId(id: string): boolean {
  return /^[0-9a-hjkmnp-tv-z]{6,26}$/i.test(id);
}

import { sanitise } from '../../untrusted-text.js';

/** Text of a transcript, fit for a terminal: everything in it was once somebody's SQL. */
export function shown(text: string): string {
  return sanitise(text).text;
}

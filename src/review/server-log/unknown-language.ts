/**
 * Tells that a server speaks a language that languages.ts does not know, or another version's words of one that it knows:
 * the connections of such a log would be passed over. What it must not know: any of those languages.
 */
import { languages } from './languages.js';
import type { LogRecord } from './log-format.js';

const severities = new Set(languages.flatMap((language) => language.severities));
const ofConnections = new Set(languages.map(({ log }) => log));
const received = languages.map((language) => language.received);

/** In every catalog the message is some words, a colon, a word, `=` and the role: `připojení povoleno: uživatel=app`. */
const authorized = /^([\p{L}\p{M}\uFFFD '’-]+[:：] ?[\p{L}\p{M}\uFFFD_]+) ?= ?(\S.*)/su;
/** Somewhere in a line, whatever stands around the message; a letter that is not ASCII may be written as `\u0142`. */
const trace = /[:：] ?[\p{L}\p{M}\uFFFD_\\\d]+ ?= ?\S/u;
/** A database is named behind the role; what a function of the application logs may look like that, too. */
const second = /[\s,、]\p{L}[\p{L}_ ]*=\S/u;
/** `connection authenticated: identity="app" method=scram-sha-256 (/etc/postgresql/pg_hba.conf:95)` */
const authenticated = /\(.*:\d+\)$/s;
const quote = /^["'«»„“「]/;
/** `connection received: host=`; no catalog translates an address. */
const address = /^(?:\[local\]|[\d.]+|[\da-f]*:[\da-f:.]*)(?: |$)/i;

/** Cheap: false for nearly all lines that are not of such a language. */
export function mayBeOfUnknownLanguage(text: string): boolean {
  return trace.test(text) || /\P{ASCII}|\\u/u.test(text);
}

/** @param known the log has connections, or what comes before them, in words that we know */
export function isOfUnknownLanguage({ severity, message, user }: LogRecord, known: boolean): boolean {
  if (severity !== undefined && !severities.has(severity)) return true;
  if (message === undefined || (severity !== undefined && !ofConnections.has(severity))) return false;
  const [, words = '', rest = ''] = authorized.exec(message) ?? [];
  if (words === '' || authenticated.test(message) || address.test(rest) || isReceived(message)) return false;
  // `authenticated` as well, of a role with a line break in its name
  if (quote.test(rest) && !second.test(rest)) return false;
  // where the line says who it was, the message says so as well
  if (user !== undefined) return rest.startsWith(user);
  return /\P{ASCII}/u.test(words) || (!known && second.test(rest));
}

/** `connection received`, in words that we know. */
export function isReceived(message: string): boolean {
  return received.some((words) => message.startsWith(words));
}

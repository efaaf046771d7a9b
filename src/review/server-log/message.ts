/**
 * What the message of a log entry says: an authorised connection (`log_connections`) or a record of pgAudit.
 * Must not know how the message came out of a line. Messages hold texts that clients choose, which may imitate others.
 */
import { languages } from './languages.js';

interface Logged {
  /** Of the backend. */
  readonly pid: number;
  /** Milliseconds since 1970 UTC, by the server's clock. */
  readonly at: number;
  readonly user?: string;
  readonly database?: string;
}

export interface LoggedConnection extends Logged {
  readonly kind: 'connection';
  readonly application?: string;
}

/** pgAudit's: `AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.orders,select * from orders,<not logged>`. */
export interface LoggedStatement extends Logged {
  readonly kind: 'statement';
  /** READ, WRITE, DDL ... */
  readonly class: string;
  readonly command: string;
  /** The statement, where pgAudit was told to log it; in the text format its first line. */
  readonly text: string;
}

export type LogEvent = LoggedConnection | LoggedStatement;

/** What stands around the message. */
export interface Origin {
  readonly pid: number;
  readonly at: number;
  readonly user?: string | undefined;
  readonly database?: string | undefined;
}

export function eventIn(message: string, origin: Origin): LogEvent | undefined {
  return connectionIn(message, origin) ?? statementIn(message, origin);
}

/** The beginning of every message that is an event; `log_error_verbosity = verbose` puts the SQLSTATE in front. */
const beginnings = [
  'AUDIT: SESSION,',
  'AUDIT: OBJECT,',
  ...languages.flatMap(({ authorized, replication }) => [replication, authorized]),
];
const beginning = beginnings.map(escaped).join('|');

/** Finds a line that holds an event, or imitates one, in whatever form: JSON too, and the fields of managed services. */
const marker = new RegExp(`${beginning}|"audit_type"|PgAuditEntry`);

export function mayHoldEvent(text: string): boolean {
  return marker.test(text);
}

/** Is an event by its first words, whether or not the rest can be read. */
export function beginsAsEvent(message: string): boolean {
  return beginnings.some((words) => message.startsWith(words));
}

/** What stands there of a message ends before it can be told from an event. */
export function mayBeginEvent(message: string): boolean {
  return beginnings.some((words) => words.startsWith(message)) || /^[0-9A-Z]{1,5}:? ?$/.test(message);
}

const inQuotes = new RegExp(`(?<!")"(?:${beginning})`);

/** An event behind a quote that is not doubled: no client can write it into a field of csvlog. */
export function quotesEvent(line: string): boolean {
  return inQuotes.test(line);
}

const severity = languages.flatMap(({ severities }) => severities).join('|');

/** Positions at which a message that is an event could begin, if nothing were known about the line's prefix. */
export function possibleMessages(line: string): number[] {
  const pattern = new RegExp(`(?:${severity}): {2}(?:(?!AUDIT)[0-9A-Z]{5}: )?(?=${beginning})`, 'g');
  return [...line.matchAll(pattern)].map((found) => found.index + found[0].length);
}

function connectionIn(
  message: string,
  { pid, at, user: known, database: named }: Origin,
): LoggedConnection | undefined {
  for (const { authorized, replication, database, application, encrypted } of languages) {
    const start = [authorized, replication].find((words) => message.startsWith(words));
    if (start === undefined) continue;
    const rest = message.slice(start.length);
    // Values are not quoted: one ends where the next known word begins.
    const ends = [database, application, encrypted, ' GSS ('];
    const found = behind(rest, database);
    const name = behind(rest, application);
    // another version's word for the database: then where the role's name ends is not known
    const isWhole = found !== undefined || start === replication;
    const user = isWhole ? upTo(rest, ends) : known;
    const where = found === undefined ? named : upTo(found, ends.slice(1));
    return {
      ...{ kind: 'connection', pid, at },
      ...(user === undefined ? {} : { user }),
      ...(where === undefined ? {} : { database: where }),
      ...(name === undefined ? {} : { application: upTo(name, ends.slice(2)) }),
    };
  }
  return undefined;
}

function upTo(text: string, words: readonly string[]): string {
  const ends = words.map((word) => text.indexOf(word)).filter((at) => at >= 0);
  return text.slice(0, Math.min(text.length, ...ends));
}

function behind(text: string, word: string): string | undefined {
  const at = text.indexOf(word);
  return at < 0 ? undefined : text.slice(at + word.length);
}

function statementIn(message: string, { pid, at, user, database }: Origin): LoggedStatement | undefined {
  const [, rest] = /^AUDIT: (?:SESSION|OBJECT),\d+,\d+,(.*)/s.exec(message) ?? [];
  if (rest === undefined) return undefined;
  const [kind = '', command = '', , , text = ''] = csvFields(rest, 5);
  const who = { ...(user === undefined ? {} : { user }), ...(database === undefined ? {} : { database }) };
  return { kind: 'statement', pid, at, ...who, class: kind, command, text };
}

/** RFC 4180, the first `count` fields; the last may lack its end, as a statement in the text format does. */
export function csvFields(line: string, count: number): string[] {
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)(?:"|$)|([^,"]*))(,|$)/y;
  while (fields.length < count) {
    const found = field.exec(line);
    if (found === null) break;
    fields.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
    if (found[3] === '') break;
  }
  return fields;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

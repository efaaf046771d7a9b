/**
 * What a PostgreSQL server's own log says about connections and statements: lines of `log_connections = on` and of
 * pgAudit, in the three formats of https://www.postgresql.org/docs/current/runtime-config-logging.html
 *
 * Lines hold texts that clients choose, which may imitate the log.
 */
import { isRecord } from '../transcript/line.js';

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
  readonly user: string;
  readonly database: string;
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

/** Characters; a statement in the log may be long. */
const maxEntry = 64 * 1024 * 1024;

/** One log, line by line. In the csv format a line that a client wrote into a statement looks like any other. */
export class LogReader {
  readonly #offset: string;
  /** Lines of a csv entry that has not come to its end, and their length. */
  #pending: string[] = [];
  #length = 0;

  /** @param offset what to append to times whose zone is an abbreviation: `Z`, `+01:00` */
  constructor(offset = 'Z') {
    this.#offset = offset;
  }

  /** Throws RangeError for an entry without an end. */
  line(text: string): LogEvent | undefined {
    const continues = this.#pending.length > 0;
    if (!continues && !csvStart.test(text)) return parseEntry(text, this.#offset);
    this.#pending.push(text);
    this.#length += text.length;
    if (this.#length > maxEntry) throw new RangeError('an entry does not end; is this the whole log?');
    // Within quotes an odd number of them ends the entry, outside an even one does.
    if (quotesIn(text) % 2 === (continues ? 0 : 1)) return undefined;
    const entry = this.#pending.join('\n');
    this.#pending = [];
    this.#length = 0;
    return parseEntry(entry, this.#offset);
  }
}

/** In the text format a blank follows the time zone. */
const csvStart = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [^\s,"]+,/;

function quotesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++;
  return count;
}

function parseEntry(line: string, offset: string): LogEvent | undefined {
  if (!line.includes('connection authorized: ') && !line.includes('AUDIT: ')) return undefined;
  // In the text format this is the next line of an entry, and its first character is what no client can choose.
  if (line.startsWith('\t')) return undefined;
  const record = fromJson(line) ?? fromCsv(line) ?? fromText(line);
  if (record === undefined) return undefined;
  const at = parseTime(record.time, offset);
  if (Number.isNaN(at)) return undefined;
  return connectionIn(record, at) ?? statementIn(record, at);
}

interface LogRecord {
  readonly time: string;
  readonly pid: number;
  readonly user: string | undefined;
  readonly database: string | undefined;
  readonly message: string;
}

/** `log_destination = jsonlog`. */
function fromJson(line: string): LogRecord | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    if (!isRecord(value)) return undefined;
    const { pid, timestamp, message, user, dbname } = value;
    if (typeof pid !== 'number' || typeof timestamp !== 'string' || typeof message !== 'string') return undefined;
    return { time: timestamp, pid, user: textOf(user), database: textOf(dbname), message };
  } catch {
    return undefined;
  }
}

/** Position of the message in https://www.postgresql.org/docs/current/runtime-config-logging.html#RUNTIME-CONFIG-LOGGING-CSVLOG */
const csvMessage = 13;

/** `csvlog`: log_time, user_name, database_name, process_id, and more. */
function fromCsv(line: string): LogRecord | undefined {
  if (!csvStart.test(line)) return undefined;
  const fields = csvFields(line, csvMessage + 1);
  const [time = '', user = '', database = '', pid = ''] = fields;
  if (!/^\d+$/.test(pid)) return undefined;
  return {
    time,
    pid: Number(pid),
    user: user || undefined,
    database: database || undefined,
    message: fields[csvMessage] ?? '',
  };
}

/** `stderr` with any log_line_prefix that has %m or %t, and %p in brackets, as the default has. */
function fromText(line: string): LogRecord | undefined {
  const [, prefix = '', message = ''] = /^(.*?)\bLOG: {2}(.*)$/s.exec(line) ?? [];
  const [time = ''] =
    /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: [A-Z]{1,5}| ?[+-]\d\d(?::?\d\d)?)?/.exec(prefix) ?? [];
  const [, pid = ''] = /\[(\d+)(?:-\d+)?\]/.exec(prefix) ?? [];
  if (time === '' || pid === '') return undefined;
  // Debian's prefix has %u@%d.
  const [, user, database] = /(?:^|\s)(\S+)@(\S+)\s*$/.exec(prefix) ?? [];
  return { time, pid: Number(pid), user, database, message };
}

function connectionIn({ pid, message }: LogRecord, at: number): LoggedConnection | undefined {
  const [, rest] = /^(?:replication )?connection authorized: (.*)/s.exec(message) ?? [];
  const user = rest === undefined ? undefined : word(rest, 'user');
  if (rest === undefined || user === undefined) return undefined;
  const application = word(rest, 'application_name');
  return {
    kind: 'connection',
    pid,
    at,
    user,
    database: word(rest, 'database') ?? user,
    ...(application === undefined ? {} : { application }),
  };
}

/** Values are not quoted: one ends where the next known word begins. */
function word(text: string, name: string): string | undefined {
  const end = '(?= database=| application_name=| SSL enabled| GSS |,|$)';
  return new RegExp(`(?:^| )${name}=(.*?)${end}`).exec(text)?.[1];
}

function statementIn({ pid, user, database, message }: LogRecord, at: number): LoggedStatement | undefined {
  const [, rest] = /^AUDIT: (?:SESSION|OBJECT),\d+,\d+,(.*)/s.exec(message) ?? [];
  if (rest === undefined) return undefined;
  const [kind = '', command = '', , , text = ''] = csvFields(rest, 5);
  return {
    kind: 'statement',
    pid,
    at,
    ...(user === undefined ? {} : { user }),
    ...(database === undefined ? {} : { database }),
    class: kind,
    command,
    text,
  };
}

/** RFC 4180, the first `count` fields; the last may lack its end, as a statement in the text format does. */
function csvFields(line: string, count: number): string[] {
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

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function parseTime(text: string, offset: string): number {
  const [, day, clock, zone = ''] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ?(.*)$/.exec(text.trim()) ?? [];
  if (day === undefined || clock === undefined) return Number.NaN;
  if (zone === 'UTC' || zone === 'GMT') return Date.parse(`${day}T${clock}Z`);
  const [, hours, minutes = '00'] = /^([+-]\d\d):?(\d\d)?$/.exec(zone) ?? [];
  return Date.parse(`${day}T${clock}${hours === undefined ? offset : `${hours}:${minutes}`}`);
}

/**
 * Connections that the server logged and no transcript knows: what went around dbguard. Matched by the backend's process
 * id and the time; names that a client can choose, such as application_name, prove nothing.
 *
 * Reads what `log_connections = on` writes, in the formats of https://www.postgresql.org/docs/current/runtime-config-logging.html
 */
import { isRecord } from '../transcript/line.js';

export interface LoggedConnection {
  readonly pid: number;
  /** Milliseconds since 1970 UTC, by the server's clock. */
  readonly at: number;
  readonly user: string;
  readonly database: string;
  readonly application?: string;
}

/** A connection as a transcript has it. Milliseconds since 1970 UTC, by the writer's clock. */
export interface RecordedConnection {
  readonly sid: string;
  readonly pid: number;
  readonly openedAt: number;
}

/** Two machines' clocks, and the time between the server's log line and ours. */
const TOLERANCE_MS = 2 * 60_000;

export class ConnectionBook {
  readonly #byPid = new Map<number, RecordedConnection[]>();
  size = 0;

  add(connection: RecordedConnection): void {
    const list = this.#byPid.get(connection.pid);
    if (list) list.push(connection);
    else this.#byPid.set(connection.pid, [connection]);
    this.size++;
  }

  /** The session that this connection belongs to. Each recorded connection stands for one logged one only. */
  take({ pid, at }: LoggedConnection): RecordedConnection | undefined {
    const list = this.#byPid.get(pid) ?? [];
    const index = list.findIndex(({ openedAt }) => Math.abs(openedAt - at) <= TOLERANCE_MS);
    return index < 0 ? undefined : list.splice(index, 1)[0];
  }
}

/** @param offset what to append to times whose zone is an abbreviation: `Z`, `+01:00` */
export function parseLogLine(line: string, offset = 'Z'): LoggedConnection | undefined {
  if (!line.includes('connection authorized: ')) return undefined;
  return fromJson(line, offset) ?? fromCsv(line, offset) ?? fromText(line, offset);
}

/** `log_destination = jsonlog`. */
function fromJson(line: string, offset: string): LoggedConnection | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    if (!isRecord(value)) return undefined;
    const { pid, timestamp, message } = value;
    return typeof pid === 'number' ? made(pid, String(timestamp), String(message), offset) : undefined;
  } catch {
    return undefined;
  }
}

/** `csvlog`: log_time, user_name, database_name, process_id, ... */
function fromCsv(line: string, offset: string): LoggedConnection | undefined {
  const [, time = '', pid = ''] = /^(\d{4}-[^,"]+),(?:"[^"]*")?[^,]*,(?:"[^"]*")?[^,]*,(\d+),/.exec(line) ?? [];
  return pid === '' ? undefined : made(Number(pid), time, line.replaceAll('""', '"'), offset);
}

/** `stderr` with any log_line_prefix that has %m or %t, and %p in brackets, as the default has. */
function fromText(line: string, offset: string): LoggedConnection | undefined {
  const [, time = ''] =
    /(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: [A-Z]{1,5}| ?[+-]\d\d(?::?\d\d)?)?)/.exec(line) ?? [];
  const [, pid = ''] = /\[(\d+)(?:-\d+)?\]/.exec(line) ?? [];
  return time === '' || pid === '' ? undefined : made(Number(pid), time, line, offset);
}

function made(pid: number, time: string, message: string, offset: string): LoggedConnection | undefined {
  const [, rest = ''] = /connection authorized: (.*)/.exec(message) ?? [];
  const user = word(rest, 'user');
  const at = parseTime(time, offset);
  if (user === undefined || Number.isNaN(at)) return undefined;
  const application = word(rest, 'application_name');
  return {
    pid,
    at,
    user,
    database: word(rest, 'database') ?? user,
    ...(application === undefined ? {} : { application }),
  };
}

/** Values are not quoted: one ends where the next known word begins. */
function word(text: string, name: string): string | undefined {
  const end = '(?= database=| application_name=| SSL enabled| GSS |"|,|$)';
  return new RegExp(`(?:^| )${name}=(.*?)${end}`).exec(text)?.[1];
}

function parseTime(text: string, offset: string): number {
  const [, day, clock, zone = ''] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ?(.*)$/.exec(text.trim()) ?? [];
  if (day === undefined || clock === undefined) return Number.NaN;
  if (zone === 'UTC' || zone === 'GMT') return Date.parse(`${day}T${clock}Z`);
  const [, hours, minutes = '00'] = /^([+-]\d\d):?(\d\d)?$/.exec(zone) ?? [];
  return Date.parse(`${day}T${clock}${hours === undefined ? offset : `${hours}:${minutes}`}`);
}

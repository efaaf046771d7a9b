/**
 * What the server logged and no transcript knows: what went around dbguard. Matched by the backend's process id, the
 * time, and the role and database that it was opened for; names that a client can choose, such as application_name,
 * prove nothing.
 */
import type { Entry } from '../transcript/entry.js';
import { isRecord } from '../transcript/line.js';
import type { LogEvent } from './server-log/message.js';

/** Two machines' clocks, and the time between the server's log line and ours. */
const TOLERANCE_MS = 2 * 60_000;

/**
 * A connection that is logged again, in another file or another form (`%t` counts seconds): no process id comes back so
 * soon, so it is the same one.
 */
const REPEATED_MS = 1_000;

/** Milliseconds since 1970 UTC, by the writer's clock. */
interface Recorded {
  readonly openedAt: number;
  closedAt: number;
  readonly user: string | undefined;
  readonly database: string | undefined;
  /** The server's time of the one logged connection that it stands for. */
  takenAt?: number;
}

/** The connections of all transcripts, as their writers saw them. */
export class ConnectionBook {
  readonly #byPid = new Map<number, Recorded[]>();
  readonly #prefixes = new Set<string>();
  readonly #zones = new Set<string>();
  size = 0;

  /** `log_line_prefix` of the servers. */
  get prefixes(): readonly string[] {
    return [...this.#prefixes];
  }

  /** `log_timezone` of the servers. */
  get zones(): readonly string[] {
    return [...this.#zones];
  }

  /** Takes the entries of one session, in order; call `end` after the last. */
  session(): { add(entry: Entry): void; end(): void } {
    const open = new Map<unknown, Recorded>();
    let last = 0;
    return {
      add: ({ k, t, fields }) => {
        last = t / 1000;
        if (k === 'open') this.#takeSettings(fields.connection);
        if (k !== 'connection') return;
        const { event, conn, backendPid, user, database } = fields;
        const opened = open.get(conn);
        if (event === 'close' && opened) {
          opened.closedAt = last;
          open.delete(conn);
        } else if (typeof backendPid === 'number') {
          const who = { user: textOf(user), database: textOf(database) };
          const recorded = { openedAt: last, closedAt: last, ...who };
          this.#add(backendPid, recorded);
          // dbguard's own connections have no number: they are open until the session ends
          open.set(conn ?? recorded, recorded);
        }
      },
      end: () => {
        for (const recorded of open.values()) recorded.closedAt = last;
      },
    };
  }

  /** True when this was done through dbguard, or by it, whichever of the readings of one log entry is the true one. */
  knows(readings: readonly LogEvent[]): boolean {
    return readings.every((event) => {
      const found = this.#find(event);
      if (found && event.kind === 'connection') found.takenAt ??= event.at;
      return found !== undefined;
    });
  }

  #find({ kind, pid, at, user, database }: LogEvent): Recorded | undefined {
    return this.#byPid.get(pid)?.find((one) => {
      if (!agree(one.user, user) || !agree(one.database, database)) return false;
      if (kind === 'connection')
        return Math.abs(one.openedAt - at) <= TOLERANCE_MS && Math.abs((one.takenAt ?? at) - at) < REPEATED_MS;
      return at >= one.openedAt - TOLERANCE_MS && at <= one.closedAt + TOLERANCE_MS;
    });
  }

  #add(pid: number, recorded: Recorded): void {
    const list = this.#byPid.get(pid);
    if (list) list.push(recorded);
    else this.#byPid.set(pid, [recorded]);
    this.size++;
  }

  #takeSettings(connection: unknown): void {
    if (!isRecord(connection)) return;
    const { logLinePrefix, logTimezone } = connection;
    if (typeof logLinePrefix === 'string') this.#prefixes.add(logLinePrefix);
    if (typeof logTimezone === 'string') this.#zones.add(logTimezone);
  }
}

/** What one side does not know may be as the other says. A server in front may log `app` for the login `app@server`. */
function agree(recorded: string | undefined, logged: string | undefined): boolean {
  return recorded === undefined || logged === undefined || recorded === logged || recorded.startsWith(`${logged}@`);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

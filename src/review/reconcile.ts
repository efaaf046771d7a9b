/**
 * What the server logged and no transcript knows: what went around dbguard. Matched by the backend's process id and the
 * time; names that a client can choose, such as application_name, prove nothing.
 */
import type { Entry } from '../transcript/entry.js';
import type { LogEvent } from './server-log.js';

/** Two machines' clocks, and the time between the server's log line and ours. */
const TOLERANCE_MS = 2 * 60_000;

/** Milliseconds since 1970 UTC, by the writer's clock. */
interface Recorded {
  readonly openedAt: number;
  closedAt: number;
  /** Stands for one logged connection only. */
  taken: boolean;
}

/** The connections of all transcripts, as their writers saw them. */
export class ConnectionBook {
  readonly #byPid = new Map<number, Recorded[]>();
  size = 0;

  /** Takes the entries of one session, in order; call `end` after the last. */
  session(): { add(entry: Entry): void; end(): void } {
    const open = new Map<unknown, Recorded>();
    let last = 0;
    return {
      add: ({ k, t, fields }) => {
        last = t / 1000;
        if (k !== 'connection') return;
        const { event, conn, backendPid } = fields;
        const opened = open.get(conn);
        if (event === 'close' && opened) {
          opened.closedAt = last;
          open.delete(conn);
        } else if (typeof backendPid === 'number') {
          const recorded = { openedAt: last, closedAt: last, taken: false };
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

  /** True when this was done through dbguard, or by it. */
  knows({ kind, pid, at }: LogEvent): boolean {
    const list = this.#byPid.get(pid) ?? [];
    if (kind === 'statement') {
      return list.some(({ openedAt, closedAt }) => at >= openedAt - TOLERANCE_MS && at <= closedAt + TOLERANCE_MS);
    }
    const found = list.find(({ openedAt, taken }) => !taken && Math.abs(openedAt - at) <= TOLERANCE_MS);
    if (found) found.taken = true;
    return found !== undefined;
  }

  #add(pid: number, recorded: Recorded): void {
    const list = this.#byPid.get(pid);
    if (list) list.push(recorded);
    else this.#byPid.set(pid, [recorded]);
    this.size++;
  }
}

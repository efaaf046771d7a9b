/**
 * Clients of a connection that is on request: each comes in a time for which somebody granted that, and none of them runs
 * anything new behind its end.
 *
 * What lives here: times that are open, and the time of each client. What it must not know: who granted one.
 */
import type { Entry } from './entry.js';
import { isRecord } from './line.js';

/** Between the last look at the clock and the entry, microseconds: a statement may have waited for the catalog. */
const LATE = 60_000_000;
/** No run has so many clients at once. */
const MAX_CLIENTS = 1 << 16;

export class ConnectionChecks {
  readonly #fail: (n: number, message: string) => void;
  readonly #isGranted: (of: unknown) => boolean;
  /** Statements that ask for a connection and run nothing. */
  readonly #requests = new Set<unknown>();
  /** Until when, microseconds since 1970 UTC, by the number of the `open` entry. */
  readonly #windows = new Map<unknown, number>();
  /** The time in which each client came, by its number. */
  readonly #clients = new Map<unknown, unknown>();
  #name: unknown;
  #onRequest = false;

  /** @param isGranted somebody let that statement through for itself alone, and it has no outcome yet */
  constructor(fail: (n: number, message: string) => void, isGranted: (of: unknown) => boolean) {
    this.#fail = fail;
    this.#isGranted = isGranted;
  }

  open({ fields: { connection } }: Entry): void {
    if (!isRecord(connection)) return;
    this.#name = connection.name;
    this.#onRequest = connection.access !== undefined;
  }

  isRequest(of: unknown): boolean {
    return this.#requests.has(of);
  }

  /** `window` with `connection`. */
  begin({ n, t, fields: { connection, access, role, forMs, channel, of } }: Entry): void {
    if (access !== undefined || role !== undefined)
      this.#fail(n, `window ${n} is for a connection, and for a role as well`);
    if (forMs === undefined || channel === undefined)
      this.#fail(n, `window ${n} does not say for how long, and who opened it`);
    if (connection !== this.#name) this.#fail(n, `window ${n} is for another connection than that of the session`);
    if (of !== undefined && !(this.#requests.has(of) && this.#isGranted(of)))
      this.#fail(n, `window ${n} was opened with a request that nobody has approved`);
    if (this.#windows.size > 0) this.#fail(n, `window ${n} is opened while one for the same is open`);
    else this.#windows.set(n, t + Number(forMs) * 1000);
  }

  /** False where no such time of a connection is open. */
  end(of: unknown): boolean {
    return this.#windows.delete(of);
  }

  client({ n, t, fields: { event, conn, window } }: Entry): void {
    if (event === 'close') this.#clients.delete(conn);
    if (event !== 'open') return;
    if (window === undefined) {
      if (this.#onRequest) this.#fail(n, `client ${String(conn)} was connected, and nobody had granted that`);
      return;
    }
    if (!this.#isOpen(window, t)) this.#fail(n, `client ${String(conn)} was connected in no time that was granted`);
    if (this.#clients.size < MAX_CLIENTS) this.#clients.set(conn, window);
    else this.#fail(n, `${MAX_CLIENTS} clients are connected at once`);
  }

  statement({ n, t, fields: { conn, protocol } }: Entry): void {
    if (protocol === 'connection') {
      this.#requests.add(n);
      return;
    }
    const window = this.#clients.get(conn);
    if (window !== undefined && !this.#isOpen(window, t))
      this.#fail(n, `statement ${n} came behind the end of the time for which its client was connected`);
  }

  /** It has its outcome, or its denial. */
  settled(of: unknown): void {
    this.#requests.delete(of);
  }

  #isOpen(window: unknown, t: number): boolean {
    const until = this.#windows.get(window);
    return until !== undefined && t <= until + LATE;
  }
}

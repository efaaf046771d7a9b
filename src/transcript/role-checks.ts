/**
 * Roles that statements take on: granted for one that somebody has approved, by itself or with all of a time; and taken on
 * by what had it granted, and by nothing else.
 *
 * What lives here: times that are open, and the role that each statement may still run as. What it must not know: how a
 * statement came to be let through.
 */
import type { Entry } from './entry.js';
import { quoted } from './finding.js';

/** A time for which a person has approved a role. */
interface Window {
  readonly access: unknown;
  readonly role: unknown;
  /** Microseconds since 1970 UTC. */
  readonly until: number;
}

/** What the other entries say of a statement. */
export interface StatementsSoFar {
  /** Somebody let it through for itself alone. */
  isApproved(of: unknown): boolean;
  /** It is one of a client, and asks for no connection. */
  isOfClient(of: unknown): boolean;
  /** It may run, or runs. */
  isUnderWay(of: unknown): boolean;
}

/** No policy has more entries of `access` by far. */
const MAX_WINDOWS = 1000;
/** Between the last look at the clock and the entry, microseconds. */
const LATE = 1_000_000;
const ran: ReadonlySet<unknown> = new Set(['done', 'failed', 'lost', 'undone']);

export class RoleChecks {
  readonly #fail: (n: number, message: string) => void;
  readonly #statements: StatementsSoFar;
  /** By the number of their `open` entry. */
  readonly #windows = new Map<number, Window>();
  /** What each statement may still run as. */
  readonly #roles = new Map<number, unknown>();

  constructor(fail: (n: number, message: string) => void, statements: StatementsSoFar) {
    this.#fail = fail;
    this.#statements = statements;
  }

  window(entry: Entry): void {
    if (entry.fields.event === 'end') this.#end(entry);
    else this.#open(entry);
  }

  /** False where nobody has approved that it runs so. */
  grant(entry: Entry): boolean {
    const { of, role, window } = entry.fields;
    const approved = window === undefined ? this.#statements.isApproved(of) : this.#isWithin(entry);
    if (!approved || !this.#statements.isUnderWay(of) || this.#roles.has(Number(of))) return false;
    this.#roles.set(Number(of), role);
    return true;
  }

  outcome({ n, fields: { of, role, how } }: Entry): void {
    const granted = this.#roles.get(Number(of));
    this.#roles.delete(Number(of));
    if (role !== undefined && granted === undefined)
      this.#fail(n, `statement ${of} ran as the role ${quoted(String(role))}, which nobody has granted`);
    else if (role !== granted && ran.has(how))
      this.#fail(n, `statement ${of} did not run as the role that was granted for it`);
  }

  forget(): void {
    this.#roles.clear();
  }

  #open({ n, t, fields: { access, role, forMs, channel, of } }: Entry): void {
    if (access === undefined || role === undefined || forMs === undefined || channel === undefined)
      this.#fail(n, `window ${n} does not say for what, how long, and who opened it`);
    if (of !== undefined && !this.#statements.isOfClient(of))
      this.#fail(n, `window ${n} for a role was opened with a request for a connection`);
    if (of !== undefined && !(this.#statements.isApproved(of) && this.#statements.isUnderWay(of)))
      this.#fail(n, `window ${n} was opened with a statement that nobody has approved`);
    for (const other of this.#windows.values())
      if (other.access === access) this.#fail(n, `window ${n} is opened while one for the same is open`);
    if (this.#windows.size < MAX_WINDOWS) this.#windows.set(n, { access, role, until: t + Number(forMs) * 1000 });
    else this.#fail(n, `${MAX_WINDOWS} windows are open at once`);
  }

  #end({ n, fields: { of, why } }: Entry): void {
    if (why === undefined) this.#fail(n, `the end ${n} of a window does not say why`);
    if (!this.#windows.delete(Number(of))) this.#fail(n, `entry ${n} ends a window that is not open`);
  }

  #isWithin({ t, fields: { window, role, access } }: Entry): boolean {
    const open = this.#windows.get(Number(window));
    return open !== undefined && open.role === role && open.access === access && t <= open.until + LATE;
  }
}

/**
 * The server is dialled while a client still computes its proof of the password: both take milliseconds, and neither
 * needs the other.
 *
 * What lives here: server connections of clients that have not shown the password yet, few and not for long. What it must
 * not know: who the client is, what is asked on a connection.
 */
import type { Upstream } from '../upstream/connect.js';

export interface EarlyDial {
  /** For a client whose password was right; undefined where the connection was given up meanwhile. */
  take(): Promise<Upstream> | undefined;
  /** The client is gone. Resolves when nothing is left of it; does nothing to a connection that was taken. */
  drop(): Promise<void>;
}

/** A stranger can make dbguard open this many server connections at once. */
const most = 4;
/** A client proves its password in milliseconds; nobody else may keep a database from being dropped. */
const patienceMs = 2_000;

/** A server that has let dbguard in has logged it: a dial that nobody waits for may end, so that the transcript has it too. */
const graceMs = 1_000;

/** Aborts with its reason a while after `signal` did. */
export function withGrace(signal: AbortSignal): AbortSignal {
  const later = new AbortController();
  const abort = () => void setTimeout(() => later.abort(signal.reason), graceMs).unref();
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return later.signal;
}

type Connect = (signal: AbortSignal) => Promise<Upstream>;

export class EarlyDials {
  #waiting = 0;

  /**
   * Undefined where enough of them wait already.
   *
   * @param connect may be aborted until it has resolved
   * @param onUnused told of a connection that no client took, before it is closed: the server's log has it
   */
  start(connect: Connect, onUnused: (upstream: Upstream) => void): EarlyDial | undefined {
    if (this.#waiting >= most) return undefined;
    this.#waiting++;
    let waits = true;
    const abort = new AbortController();
    const dialled = connect(withGrace(abort.signal));
    dialled.catch(() => {}); // is told to the client that takes it
    const settle = (): boolean => {
      if (!waits) return false;
      waits = false;
      this.#waiting--;
      clearTimeout(timer);
      return true;
    };
    const drop = async (): Promise<void> => {
      if (!settle()) return;
      abort.abort(new Error('the client did not show its password'));
      const upstream = await dialled.catch(() => undefined);
      if (upstream === undefined) return;
      upstream.socket.destroy();
      onUnused(upstream);
    };
    const timer = setTimeout(() => void drop(), patienceMs).unref();
    return { take: () => (settle() ? dialled : undefined), drop };
  }
}

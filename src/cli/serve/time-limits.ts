/**
 * How long a client of a gateway may do nothing, leave a transaction open, or keep the server at work: looked at each second.
 * The server's own settings for this are a client's to change, and its login's to keep; these are the gateway's.
 */
import type { ProxyConnection } from '../../io/listener/client-connection.js';
import type { ServeLimits } from '../../policy/read-serve.js';
import type { ErrorText } from '../../wire/backend.js';

interface Watched {
  /** What it does, and since when; another round of statements begins anew. */
  doing: string;
  since: number;
  cancelled: boolean;
}

const lookMs = 1_000;
/** A server that was asked to end a statement has so long. */
const cancelMs = 10_000;

export class TimeLimits {
  readonly #limits: () => ServeLimits;
  readonly #watched = new Map<ProxyConnection, Watched>();
  readonly #timer: NodeJS.Timeout;

  constructor(limits: () => ServeLimits) {
    this.#limits = limits;
    this.#timer = setInterval(() => this.#look(performance.now()), lookMs).unref();
  }

  watch(connection: ProxyConnection): void {
    this.#watched.set(connection, { doing: '', since: performance.now(), cancelled: false });
    void connection.closed.finally(() => this.#watched.delete(connection));
  }

  /** It was told that this is the end: what still runs is ended, too. */
  end(connection: ProxyConnection): void {
    const watched = this.#watched.get(connection);
    if (watched) this.#cancel(connection, watched);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(now: number): void {
    const { idleMs, idleInTransactionMs, statementMs } = this.#limits();
    for (const [connection, watched] of this.#watched) {
      const { activity, rounds } = connection;
      const doing = `${activity} ${rounds}`;
      if (doing !== watched.doing) Object.assign(watched, { doing, since: now, cancelled: false });
      const forMs = now - watched.since;
      if (activity === 'idle' && forMs > idleMs) connection.drain(idle);
      else if (activity === 'transaction' && forMs > idleInTransactionMs) connection.drain(idleInTransaction);
      else if (activity === 'statement' && forMs > statementMs && !watched.cancelled) this.#cancel(connection, watched);
    }
  }

  #cancel(connection: ProxyConnection, watched: Watched): void {
    watched.cancelled = true;
    connection.cancelStatement();
    const timer = setTimeout(() => {
      if (this.#watched.get(connection)?.cancelled) connection.destroy('what it ran could not be cancelled in time');
    }, cancelMs);
    timer.unref();
  }
}

/** idle_session_timeout and idle_in_transaction_session_timeout, in the server's words. */
const idle: ErrorText = {
  severity: 'FATAL',
  code: '57P05',
  message: 'terminating connection due to idle-session timeout',
};

const idleInTransaction: ErrorText = {
  severity: 'FATAL',
  code: '25P03',
  message: 'terminating connection due to idle-in-transaction timeout',
};

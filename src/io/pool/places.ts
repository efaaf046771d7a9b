/**
 * The places of one user of one connection: so many server connections at once, whoever has them. Who comes first is first.
 *
 * What lives here: how many are open, those that wait for a client, clients that wait for one of them. What it must not know:
 * what a connection is opened with.
 */
import type { Lease, PoolCounts } from './lease.js';
import { noPlace } from './no-place.js';

interface Waiting {
  readonly fits: (lease: Lease) => boolean;
  /** One that waits for a client, or undefined: a place for a new one. */
  readonly enter: (lease: Lease | undefined) => void;
}

interface Idle {
  readonly lease: Lease;
  readonly forget: () => void;
}

export class Places {
  readonly #size: () => number;
  readonly #retire: (lease: Lease) => void;
  #open = 0;
  readonly #idle: Idle[] = [];
  readonly #waiting: Waiting[] = [];
  /** One makes room; nothing else is closed for it meanwhile. */
  readonly #leaving = new Set<Lease>();

  constructor(size: () => number, retire: (lease: Lease) => void) {
    this.#size = size;
    this.#retire = retire;
  }

  get counts(): PoolCounts {
    return { open: this.#open, idle: this.#idle.length, waiting: this.#waiting.length };
  }

  /** An idle connection that fits, or undefined with a place for a new one, which has to be given back. */
  enter(fits: (lease: Lease) => boolean, waitMs: number, signal: AbortSignal): Promise<Lease | undefined> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        const at = this.#waiting.indexOf(waiting);
        if (at >= 0) this.#waiting.splice(at, 1);
      };
      const waiting: Waiting = {
        fits,
        enter: (lease) => {
          leave();
          resolve(lease);
        },
      };
      const abort = (): void => {
        leave();
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        leave();
        reject(noPlace(waitMs));
      }, waitMs);
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.push(waiting);
      this.#serve();
    });
  }

  /** A place that no connection came of. */
  giveBack(): void {
    this.#open--;
    this.#serve();
  }

  /** Its connection is closed. */
  leave(lease: Lease): void {
    this.forget(lease);
    this.#leaving.delete(lease);
    this.giveBack();
  }

  /** It is as new, and waits for a client for so long. */
  idle(lease: Lease, idleMs: number): void {
    const { socket } = lease.upstream;
    const retire = (): void => {
      this.forget(lease);
      this.#retire(lease);
    };
    // what a server says here, it says to nobody: its settings have changed, or it shuts down
    const timer = setTimeout(retire, idleMs).unref();
    socket.on('data', retire).on('error', retire).on('end', retire);
    const forget = (): void => {
      clearTimeout(timer);
      socket.off('data', retire).off('error', retire).off('end', retire);
      socket.pause();
    };
    this.#idle.push({ lease, forget });
    socket.resume();
    this.#serve();
  }

  /** It does not wait for a client any more. */
  forget(lease: Lease): void {
    const at = this.#idle.findIndex((one) => one.lease === lease);
    const [found] = at < 0 ? [] : this.#idle.splice(at, 1);
    found?.forget();
  }

  #serve(): void {
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      const { fits, enter } = first;
      const idle = this.#idle.findLast(({ lease }) => fits(lease))?.lease;
      if (idle) {
        this.forget(idle);
        enter(idle);
      } else if (this.#open < this.#size()) {
        this.#open++;
        enter(undefined);
      } else {
        const [oldest] = this.#idle;
        if (!oldest || this.#leaving.size > 0) return;
        this.#leaving.add(oldest.lease);
        this.forget(oldest.lease);
        this.#retire(oldest.lease);
      }
    }
  }
}

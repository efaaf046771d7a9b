/**
 * Cancel keys that clients hold. The process id is the server's own, so that it agrees with pg_backend_pid(); the
 * key is ours, so that a client can neither learn nor use another connection's.
 */
import { timingSafeEqual } from 'node:crypto';

export class CancelMap<T> {
  readonly #byPid = new Map<number, { key: Buffer; target: T }[]>();

  add(pid: number, key: Buffer, target: T): void {
    const known = this.#byPid.get(pid);
    if (known) known.push({ key, target });
    else this.#byPid.set(pid, [{ key, target }]);
  }

  /** Undefined for a key that is not of a live connection: then nothing happens, as with a server. */
  find(pid: number, key: Buffer): T | undefined {
    const known = this.#byPid.get(pid) ?? [];
    return known.find((one) => one.key.length === key.length && timingSafeEqual(one.key, key))?.target;
  }

  remove(pid: number, target: T): void {
    const rest = (this.#byPid.get(pid) ?? []).filter((one) => one.target !== target);
    if (rest.length === 0) this.#byPid.delete(pid);
    else this.#byPid.set(pid, rest);
  }

  get size(): number {
    return this.#byPid.size;
  }
}

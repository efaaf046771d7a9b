import type { Socket } from 'node:net';
import { timedOut } from './failure.js';

/** connect_timeout and the caller's signal as one: when either comes, the guarded socket is destroyed. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #outer: AbortSignal | undefined;
  readonly #abort: () => void;

  constructor(milliseconds: number, label: string, outer?: AbortSignal) {
    this.#timer = setTimeout(() => this.#controller.abort(timedOut(label, milliseconds)), milliseconds);
    this.#outer = outer;
    this.#abort = () => this.#controller.abort(outer?.reason);
    if (outer?.aborted) this.#abort();
    else outer?.addEventListener('abort', this.#abort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  guard(socket: Socket): void {
    if (this.signal.aborted) socket.destroy();
    this.signal.addEventListener('abort', () => socket.destroy(), { once: true });
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#abort);
  }
}

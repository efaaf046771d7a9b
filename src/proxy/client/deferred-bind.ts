/**
 * A Bind that is kept back until its Execute: the server plans a query there and asks who may read, before anybody could be
 * asked to let it run as a role. What its client sends in between, to learn of the result, waits with it; anything else
 * lets it go first, as it came.
 *
 * What lives here: the messages that wait, and their one end. What it must not know: why a Bind is kept back.
 *
 * Rejected: to bind as the role when the Bind comes. Planning runs functions, and nothing is tried before the verdict.
 */
import type { Settle } from '../prepared/registry.js';
import type { Unbound } from '../statement/gated.js';

export class DeferredBind implements Unbound {
  readonly portal: string;
  readonly #settle: Settle;
  #sends: ((privilegeHint?: string) => void)[];

  /** @param send the Bind itself @param settle told where it never goes */
  constructor(portal: string, send: (privilegeHint?: string) => void, settle: Settle) {
    this.portal = portal;
    this.#sends = [send];
    this.#settle = settle;
  }

  get waits(): boolean {
    return this.#sends.length > 0;
  }

  /** It goes with the Bind, behind it. */
  add(send: () => void): void {
    this.#sends.push(send);
  }

  send(privilegeHint?: string): void {
    const sends = this.#sends;
    this.#sends = [];
    for (const send of sends) send(privilegeHint);
  }

  drop(): void {
    if (!this.waits) return;
    this.#sends = [];
    this.#settle('skipped');
  }
}

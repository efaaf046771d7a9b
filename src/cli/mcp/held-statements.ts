/**
 * Statements under way, and the tickets by which a model comes back to one that waits for a person: it asks again with the
 * identical statement, and gets the same question.
 *
 * What lives here: which statement is which, how long a call waits, what was not collected yet. What it must not know: MCP,
 * sockets, words for a model. A ticket is no right: it lets nothing run, it only finds what was sent before.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Statement, StatementOutcome } from '../../io/upstream/run-statement.js';

/** One statement that was sent. */
export interface Sent {
  readonly outcome: Promise<StatementOutcome>;
  /** Has the server stop it, or dbguard forget its question. */
  cancel(): void;
}

/** @param waits is called when it begins to wait for somebody, with what dbguard says of that */
export type Send = (statement: Statement, keep: { rows: number }, waits: (why: string) => void) => Sent;

export type Told =
  | { readonly kind: 'outcome'; readonly outcome: StatementOutcome; readonly late: boolean; readonly limit?: number }
  | { readonly kind: 'waits'; readonly ticket: string; readonly why: string }
  | { readonly kind: 'unknown-ticket' | 'other-statement' | 'too-many' };

export interface Asked extends Statement {
  readonly ticket: string | undefined;
  readonly maxRows: number;
  readonly timeoutSeconds: number;
}

/** An outcome that nobody asked for any more. */
const keptMs = 10 * 60_000;
const mostUnderWay = 20;

interface Held {
  readonly key: Buffer;
  readonly statement: Statement;
  readonly sent: Sent;
  /** Milliseconds since 1970 UTC. */
  readonly since: number;
  readonly ticket: string;
  /** It has waited for somebody: its question, in dbguard's words. */
  why: string | undefined;
  /** Its ticket was handed out. */
  ticketed: boolean;
  over: boolean;
  /** It was stopped after so many seconds. */
  limit: number | undefined;
  /** Wakes those who wait for it to wait. */
  wake: () => void;
  /** The same for calls with the identical statement. */
  readonly twins: (() => void)[];
  /** Calls that wait for its outcome. */
  callers: number;
}

export class HeldStatements {
  readonly #send: Send;
  readonly #holdMs: number;
  readonly #held = new Set<Held>();

  /** @param holdMs how long one call waits for a person, milliseconds */
  constructor(send: Send, holdMs: number) {
    this.#send = send;
    this.#holdMs = holdMs;
  }

  /** What waits for somebody, or has an outcome that was not collected. */
  get waiting(): readonly {
    readonly ticket: string;
    readonly sql: string;
    readonly since: number;
    readonly over: boolean;
  }[] {
    return [...this.#held]
      .filter(({ ticketed }) => ticketed)
      .map(({ ticket, statement, since, over }) => ({ ticket, sql: statement.sql, since, over }));
  }

  /** Rejects as the statement's outcome does. An aborted `signal` cancels it. */
  async ask(asked: Asked, signal: AbortSignal): Promise<Told> {
    const key = keyOf(asked);
    let known = this.#find(asked.ticket, key);
    // whether its twin has to ask is not known yet: if it does, this is the same question
    for (let twin = this.#undecided(asked, key); known === undefined && twin; twin = this.#undecided(asked, key)) {
      await this.#decided(twin, signal);
      known = this.#find(asked.ticket, key);
    }
    if (typeof known === 'string') return { kind: known };
    if (known === undefined && [...this.#held].filter(({ over }) => !over).length >= mostUnderWay) {
      return { kind: 'too-many' };
    }
    const held = known ?? this.#begin(asked, key);
    let waits = true;
    held.callers++;
    const leave = (): void => {
      if (waits) held.callers--;
      waits = false;
    };
    const cancel = (): void => {
      leave();
      // unless another call waits for the same
      if (held.callers === 0) held.sent.cancel();
    };
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      if (await this.#isOver(held)) return await this.#collect(held, known !== undefined);
    } finally {
      leave();
      signal.removeEventListener('abort', cancel);
    }
    held.ticketed = true;
    return { kind: 'waits', ticket: held.ticket, why: held.why ?? '' };
  }

  /** Nothing is waited for any more. */
  cancelAll(): void {
    for (const { sent, over } of this.#held) if (!over) sent.cancel();
  }

  /** The one that the ticket is for; without a ticket the one that waits already, so that nobody is asked twice. */
  #find(ticket: string | undefined, key: Buffer): Held | 'unknown-ticket' | 'other-statement' | undefined {
    const held = [...this.#held];
    if (ticket === undefined) return held.find((one) => one.why !== undefined && one.key.equals(key));
    const found = held.find((one) => one.ticketed && sameText(one.ticket, ticket));
    if (found === undefined) return 'unknown-ticket';
    return found.key.equals(key) ? found : 'other-statement';
  }

  /** One with the same text and values, without a ticket, that neither waits for somebody nor has ended. */
  #undecided({ ticket }: Asked, key: Buffer): Held | undefined {
    if (ticket !== undefined) return undefined;
    return [...this.#held].find((one) => one.why === undefined && !one.over && one.key.equals(key));
  }

  /** Resolves when it waits for somebody, or has ended. Rejects where the call is cancelled before. */
  async #decided(held: Held, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const cancelled = (): void => reject(signal.reason);
      signal.addEventListener('abort', cancelled, { once: true });
      const decided = (): void => {
        signal.removeEventListener('abort', cancelled);
        resolve();
      };
      held.twins.push(decided);
      held.sent.outcome.then(decided, decided);
    });
  }

  #begin({ sql, values, maxRows, timeoutSeconds }: Asked, key: Buffer): Held {
    const statement = { sql, values };
    let tooLong: NodeJS.Timeout | undefined;
    const waits = (why: string): void => {
      // whoever answers takes their time, and has seen what they let run
      clearTimeout(tooLong);
      held.why = why;
      held.wake();
      for (const decided of held.twins) decided();
    };
    const held: Held = {
      key,
      statement,
      sent: this.#send(statement, { rows: maxRows }, waits),
      since: Date.now(),
      ticket: randomBytes(16).toString('base64url'),
      why: undefined,
      ticketed: false,
      over: false,
      limit: undefined,
      wake: () => {},
      twins: [],
      callers: 0,
    };
    this.#held.add(held);
    tooLong = setTimeout(() => {
      held.limit = timeoutSeconds;
      held.sent.cancel();
    }, timeoutSeconds * 1000);
    const over = (): void => {
      held.over = true;
      clearTimeout(tooLong);
      if (held.ticketed) setTimeout(() => this.#held.delete(held), keptMs).unref();
    };
    held.sent.outcome.then(over, over);
    return held;
  }

  /** True once there is an outcome; false when a person has been waited for long enough. */
  async #isOver(held: Held): Promise<boolean> {
    const over = held.sent.outcome.then(
      () => true,
      () => true,
    );
    if (held.why === undefined) {
      const asked = new Promise<false>((resolve) => {
        held.wake = () => resolve(false);
      });
      if (await Promise.race([over, asked])) return true;
    }
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), this.#holdMs);
    });
    try {
      return await Promise.race([over, enough]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #collect(held: Held, late: boolean): Promise<Told> {
    this.#held.delete(held);
    const { limit } = held;
    return { kind: 'outcome', outcome: await held.sent.outcome, late, ...(limit === undefined ? {} : { limit }) };
  }
}

/** Text and values, byte for byte. */
function keyOf({ sql, values }: Statement): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([sql, values]))
    .digest();
}

function sameText(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

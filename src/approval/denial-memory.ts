/**
 * Statements that a person denied a short while ago. An agent that tries the same again gets the same answer without
 * a prompt: a person who is asked ten times says yes in the end.
 *
 * What lives here: digests, times, reasons. What it must not know: who asks, how.
 */
import type { ApprovalRequest } from '../proxy/statement/asker.js';
import { similarKey } from './statement-key.js';

interface Denial {
  readonly at: number;
  readonly reason: string | undefined;
}

/** An agent may make any number of different statements. */
const remembered = 1000;

export class DenialMemory {
  readonly #forMs: number;
  readonly #denials = new Map<string, Denial>();

  constructor(forMs: number) {
    this.#forMs = forMs;
  }

  add(request: ApprovalRequest, now: number, reason: string | undefined): void {
    const key = similarKey(request);
    // newest last
    this.#denials.delete(key);
    this.#denials.set(key, { at: now, reason });
    const [oldest] = this.#denials.keys();
    if (this.#denials.size > remembered && oldest !== undefined) this.#denials.delete(oldest);
  }

  /** What to tell the agent, or undefined when the statement was not denied lately. */
  refusal(request: ApprovalRequest, now: number): string | undefined {
    const denial = this.#denials.get(similarKey(request));
    if (!denial || now - denial.at >= this.#forMs) return undefined;
    const ago = Math.max(1, Math.round((now - denial.at) / 1000));
    const left = Math.ceil((this.#forMs - (now - denial.at)) / 1000);
    const why = denial.reason === undefined ? '' : ` (${denial.reason})`;
    return `a person denied the same one ${ago} s ago${why}. It is refused without asking for ${left} s more.`;
  }
}

/** What agents say they were asked for: a tool call names the prompt before it, a statement the call that it comes from. */
import type { Entry } from './entry.js';

export class IntentChecks {
  readonly #fail: (n: number, message: string) => void;
  /** By number: which entry is a prompt, and which a tool call. They come a few in a second at most. */
  readonly #said = new Map<unknown, unknown>();

  constructor(fail: (n: number, message: string) => void) {
    this.#fail = fail;
  }

  intent({ n, c, fields: { event, prompt } }: Entry): void {
    if (!('said' in c)) this.#fail(n, `intent ${n} says nothing`);
    if (prompt !== undefined && (event !== 'tool' || this.#said.get(prompt) !== 'prompt'))
      this.#fail(n, `intent ${n} is said to follow a prompt that is none`);
    this.#said.set(n, event);
  }

  statement({ n, fields: { intent, fit } }: Entry): void {
    if ((intent === undefined) !== (fit === undefined))
      this.#fail(n, `statement ${n} says what it comes from, and not how that is known, or the other way round`);
    if (intent !== undefined && !this.#said.has(intent))
      this.#fail(n, `statement ${n} comes from an intent that nobody has said`);
  }
}

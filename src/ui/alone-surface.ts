/** The screen for a prompt in a terminal that no child shares: `dbguard approvals`. */
import type { OuterTerminal } from '../run/terminal-ports.js';
import type { PromptSurface } from './takeover.js';

const enter = '\x1b[?1049h\x1b[?2004h\x1b[?25l\x1b[0m\x1b[2J\x1b[H';
const leave = '\x1b[?2004l\x1b[0m\x1b[2J\x1b[?1049l\x1b[?25h';

export class AloneSurface {
  readonly #outer: OuterTerminal;
  readonly #bell: boolean;
  #input: ((bytes: Buffer) => void) | undefined;
  #resize: PromptSurface['onResize'] extends (listener: infer L) => void ? L : never = () => undefined;

  /** `onIdleKey` gets what is typed while no prompt is up. */
  constructor(outer: OuterTerminal, bell: boolean, onIdleKey: (bytes: Buffer) => void) {
    this.#outer = outer;
    this.#bell = bell;
    outer.onInput((bytes) => (this.#input ?? onIdleKey)(bytes));
    outer.onResize((size) => this.#resize(size));
    outer.onEmergency(() => (this.#input ? leave : ''));
  }

  async show<T>(run: (surface: PromptSurface) => Promise<T>): Promise<T> {
    const outer = this.#outer;
    this.#input = () => undefined;
    outer.write(this.#bell ? `${enter}\x07` : enter);
    try {
      return await run({
        get size() {
          return outer.size;
        },
        write: (text) => {
          outer.write(text);
        },
        onInput: (listener) => {
          this.#input = listener;
        },
        onResize: (listener) => {
          this.#resize = listener;
        },
        toChild: () => undefined,
      });
    } finally {
      this.#input = undefined;
      this.#resize = () => undefined;
      outer.write(leave);
    }
  }
}

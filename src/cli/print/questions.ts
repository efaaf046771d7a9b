/**
 * Questions to a person at the terminal. What lives here: one line editor, and what the end of the input means. What it
 * must not know: what is asked.
 */
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { CommandContext } from '../command.js';

export class Questions {
  readonly #lines: Interface;
  readonly #ended: Promise<undefined>;

  constructor(input: CommandContext['stdin'], output: CommandContext['stderr'], env: NodeJS.ProcessEnv) {
    // where no cursor moves, the terminal's own line editing has to do
    const dumb = env.TERM === 'dumb' ? { terminal: false } : {};
    this.#lines = createInterface({ input, output: drawnOn(output), ...dumb });
    // a pending question does not hear of the end of its input
    this.#ended = once(this.#lines, 'close').then(() => undefined);
  }

  /** What the person typed, without blanks around it; undefined when the input ends or they press Ctrl-C. */
  async ask(question: string): Promise<string | undefined> {
    const answered = this.#lines.question(question).catch(() => undefined);
    return (await Promise.race([answered, this.#ended]))?.trim();
  }

  close(): void {
    this.#lines.close();
  }
}

/** The line editor moves the cursor: its output goes by as bytes, past the gate for text (printable-output.ts). */
function drawnOn(output: CommandContext['stderr']): Writable {
  const { isTTY = false, columns = 80 } = output as Partial<NodeJS.WriteStream>;
  const drawn = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      // at once: others write to the same terminal
      output.write(chunk);
      done();
    },
  });
  return Object.assign(drawn, { isTTY, columns });
}

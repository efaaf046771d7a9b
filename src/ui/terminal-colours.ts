/**
 * The palette as a program has changed it: what a prompt must undo to be read at all, and put back afterwards.
 *
 * What lives here: colours by number, as they were set last. What it must not know: what is drawn with them. Source: "XTerm
 * Control Sequences", Operating System Commands 4, 5, 10 to 19, and 104 to 119 that take them back.
 */

/** A colour's name or number, and nothing that would end the sequence it stands in. */
const spec = /^[\w#:/.,% -]{1,64}$/;
const number = /^\d{1,3}$/;

export class TerminalColours {
  /** By the beginning of the sequence that sets it: `4;1`, `11`. */
  readonly #set = new Map<string, string>();

  get changed(): boolean {
    return this.#set.size > 0;
  }

  /** OSC 4 and 5: pairs of a number and a colour. */
  setIndexed(command: 4 | 5, data: string): void {
    const parts = data.split(';');
    for (let i = 0; i + 1 < parts.length; i += 2) {
      const [index = '', colour = ''] = [parts[i], parts[i + 1]];
      if (number.test(index)) this.#note(`${command};${index}`, colour);
    }
  }

  /** OSC 10 to 19: each further colour belongs to the next command. */
  setDynamic(command: number, data: string): void {
    data.split(';').forEach((colour, offset) => {
      if (command + offset <= 19) this.#note(`${command + offset}`, colour);
    });
  }

  /** OSC 104 and 105: the numbers, or all of them. */
  resetIndexed(command: 104 | 105, data: string): void {
    const prefix = `${command - 100};`;
    for (const key of [...this.#set.keys()]) {
      if (key.startsWith(prefix) && (data === '' || data.split(';').includes(key.slice(2)))) this.#set.delete(key);
    }
  }

  /** OSC 110 to 119. */
  resetDynamic(command: number): void {
    this.#set.delete(`${command - 100}`);
  }

  clear(): void {
    this.#set.clear();
  }

  /** Back to the terminal's own, colour by colour: what the program left alone may be the person's choice. */
  undo(): string {
    return [...this.#set.keys()].map(undoOne).join('');
  }

  redo(): string {
    return [...this.#set].map(([key, colour]) => `\x1b]${key};${colour}\x1b\\`).join('');
  }

  #note(key: string, colour: string): void {
    // a question, or nothing that a terminal takes
    if (colour !== '?' && spec.test(colour)) this.#set.set(key, colour);
  }
}

function undoOne(key: string): string {
  const [command = '', index] = key.split(';');
  return `\x1b]${Number(command) + 100}${index === undefined ? '' : `;${index}`}\x1b\\`;
}

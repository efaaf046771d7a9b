/**
 * A terminal that one program's screen has to itself: keys go to it, frames come from it, only what changed is written.
 *
 * What lives here: the terminal while the screen has it. What it must not know: what a key does, how a screen looks.
 */
import type { ReactElement } from 'react';
import type { OuterTerminal, TerminalSize } from '../../run/terminal-ports.js';
import { inkPainter } from '../../ui/ink-painter.js';
import { KeyDecoder } from '../../ui/keys.js';

// what is pasted is typed: the screen's own fields take it
const enter = '\x1b[?1049h\x1b[?2004l\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J\x1b[H';
const leave = '\x1b[0m\x1b[2J\x1b[?7h\x1b[?1049l\x1b[?25h';
/** A lone Escape is told from the beginning of a sequence by nothing following. */
const escapeMs = 60;

export interface FullScreenOptions {
  readonly outer: OuterTerminal;
  readonly draw: Parameters<typeof inkPainter>[0];
  readonly onKey: (key: string) => void;
  readonly onSize: (size: TerminalSize) => void;
  /** Of each line that is written, for terminals that lack some of its characters. */
  readonly signs?: (line: string) => string;
}

export class FullScreen {
  readonly #options: FullScreenOptions;
  readonly #keys = new KeyDecoder();
  readonly #painter: ReturnType<typeof inkPainter>;
  #onScreen: string[] = [];
  #escaping: NodeJS.Timeout | undefined;
  /** Who has the terminal for a while. */
  #guest: { input(bytes: Buffer): void; resize(size: TerminalSize): void } | undefined;

  constructor(options: FullScreenOptions) {
    this.#options = options;
    const { outer } = options;
    this.#painter = inkPainter(options.draw, (frame) => this.#put(frame));
    outer.onEmergency(() => leave);
    outer.onInput((bytes) => (this.#guest ? this.#guest.input(bytes) : this.#input(bytes)));
    outer.onResize((size) => (this.#guest ? this.#guest.resize(size) : this.#resize(size)));
    outer.write(enter);
  }

  /** Nothing is drawn meanwhile. */
  get lent(): boolean {
    return this.#guest !== undefined;
  }

  paint(element: ReactElement, columns: number): void {
    if (this.#guest === undefined) this.#painter.paint(element, columns);
  }

  /** Gives the terminal away until `use` is through with it. */
  async lend<T>(use: (outer: OuterTerminal) => Promise<T>): Promise<T> {
    const { outer } = this.#options;
    const guest = { input: (_: Buffer): void => undefined, resize: (_: TerminalSize): void => undefined };
    this.#guest = guest;
    try {
      return await use({
        get size() {
          return outer.size;
        },
        write: (bytes) => outer.write(bytes),
        onDrain: (listener) => outer.onDrain(listener),
        onInput: (listener) => {
          guest.input = listener;
        },
        onResize: (listener) => {
          guest.resize = listener;
        },
        onEmergency: (sequence) => outer.onEmergency(sequence),
      });
    } finally {
      this.#guest = undefined;
      outer.onEmergency(() => leave);
      outer.write(enter);
      this.#resize(outer.size);
    }
  }

  close(): void {
    clearTimeout(this.#escaping);
    this.#painter.close();
    this.#options.outer.write(leave);
  }

  #input(bytes: Buffer): void {
    clearTimeout(this.#escaping);
    this.#apply(this.#keys.push(bytes));
    if (this.#keys.waiting) this.#escaping = setTimeout(() => this.#apply(this.#keys.flush()), escapeMs);
  }

  #apply(events: ReturnType<KeyDecoder['push']>): void {
    for (const event of events) if (event.kind === 'key' && this.#guest === undefined) this.#options.onKey(event.key);
  }

  #resize(size: TerminalSize): void {
    this.#onScreen = [];
    this.#options.outer.write('\x1b[2J');
    this.#options.onSize(size);
  }

  /** Only the lines that are others than before. */
  #put(frame: string): void {
    if (this.#guest !== undefined) return;
    const { outer, signs = (line: string) => line } = this.#options;
    const { rows } = outer.size;
    const lines = frame.split('\n').slice(0, rows);
    let text = '';
    for (let at = 0; at < rows; at++) {
      const line = signs(lines[at] ?? '');
      if (this.#onScreen[at] !== line) text += `\x1b[${at + 1};1H${line}\x1b[0m\x1b[K`;
      this.#onScreen[at] = line;
    }
    if (text !== '') outer.write(text);
  }
}

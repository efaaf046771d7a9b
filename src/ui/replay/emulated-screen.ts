/**
 * A recorded screen, on an emulator that nothing gets out of: whatever its program sent to a terminal, the reader's own
 * gets cells, each with its colours, and nothing else.
 */
import type { IBufferCell, Terminal } from '@xterm/headless';
import headless from '@xterm/headless';
import { textWidth } from '../character-width.js';
import { styleOf } from '../paint-rows.js';
import { unicodeVersion, unicodeWidths } from '../unicode-widths.js';

/** What a cell may not hold: it would act on the reader's terminal, or hide. */
const acts = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u;

export class EmulatedScreen {
  #terminal: Terminal;

  constructor(columns: number, rows: number) {
    this.#terminal = emulator(columns, rows);
  }

  /** Everything is as at the beginning. */
  reset(columns: number, rows: number): void {
    this.#terminal.dispose();
    this.#terminal = emulator(columns, rows);
  }

  /** Resolves when it is on the screen. */
  write(text: string): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(text, resolve));
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(Math.max(2, columns), Math.max(1, rows));
  }

  /** Rows as they can be written one below the other, each as wide as asked; the part with the cursor where it is higher. */
  rows(width: number, height: number): string[] {
    const buffer = this.#terminal.buffer.active;
    const first = Math.max(0, Math.min(this.#terminal.rows - height, buffer.cursorY - height + 1));
    return Array.from({ length: height }, (_, at) => {
      if (at >= this.#terminal.rows) return ' '.repeat(width);
      return this.#row(first + at, width);
    });
  }

  dispose(): void {
    this.#terminal.dispose();
  }

  #row(row: number, width: number): string {
    const buffer = this.#terminal.buffer.active;
    const line = buffer.getLine(buffer.viewportY + row);
    const cell = buffer.getNullCell();
    let [text, style, used] = ['', '', 0];
    for (let column = 0; line && column < this.#terminal.cols; column++) {
      if (!line.getCell(column, cell) || cell.getWidth() === 0) continue;
      const shown = shownCell(cell);
      const wide = textWidth(shown);
      if (used + wide > width) break;
      const next = styleOf(cell);
      if (next !== style) text += `\x1b[0m${next}`;
      style = next;
      text += shown;
      used += wide;
    }
    return `${text}\x1b[0m${' '.repeat(width - used)}`;
  }
}

function shownCell(cell: IBufferCell): string {
  const chars = cell.getChars();
  if (chars === '' || acts.test(chars)) return ' '.repeat(Math.max(1, cell.getWidth()));
  return chars;
}

function emulator(columns: number, rows: number): Terminal {
  const size = { cols: Math.max(2, columns), rows: Math.max(1, rows) };
  const terminal = new headless.Terminal({ ...size, scrollback: 0, allowProposedApi: true });
  terminal.unicode.register(unicodeWidths());
  terminal.unicode.activeVersion = unicodeVersion;
  return terminal;
}

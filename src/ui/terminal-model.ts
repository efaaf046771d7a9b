/**
 * A terminal without a screen that reads all that the child draws, so that what a prompt covers can be drawn again.
 *
 * What lives here: the emulator and the modes around it. What it must not know: prompts, the real terminal.
 */

import type { Terminal } from '@xterm/headless';
import headless from '@xterm/headless';
import { paintLastCell, paintRows } from './paint-rows.js';
import { type Cursor, type ScreenName, TerminalModes } from './terminal-modes.js';
import { unicodeVersion, unicodeWidths } from './unicode-widths.js';

export class TerminalModel {
  readonly modes = new TerminalModes();
  readonly #terminal: Terminal;
  #pending = 0;

  constructor(columns: number, rows: number) {
    this.#terminal = new headless.Terminal({
      ...{ cols: columns, rows, scrollback: 0, allowProposedApi: true },
      windowOptions: { pushTitle: true, popTitle: true },
    });
    this.#terminal.unicode.register(unicodeWidths());
    this.#terminal.unicode.activeVersion = unicodeVersion;
    this.#listen();
  }

  /** Bytes that are written but not yet read by the emulator. */
  get pending(): number {
    return this.#pending;
  }

  /** Nothing that the program switched on is on any more. */
  get plain(): boolean {
    return this.screen === 'normal' && this.modes.untouched;
  }

  get screen(): ScreenName {
    return this.#terminal.buffer.active.type;
  }

  /** 0-based; `x` equals the width when the next character wraps. */
  get cursor(): Cursor {
    const { cursorX, cursorY } = this.#terminal.buffer.active;
    return { x: cursorX, y: cursorY };
  }

  get columns(): number {
    return this.#terminal.cols;
  }

  write(bytes: Buffer, done?: () => void): void {
    this.#pending += bytes.length;
    this.#terminal.write(bytes, () => {
      this.#pending -= bytes.length;
      done?.();
    });
  }

  /** Resolves when everything written so far is part of the model. */
  settle(): Promise<void> {
    return new Promise((resolve) => this.#terminal.write('', resolve));
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(Math.max(2, columns), Math.max(1, rows));
    this.modes.setMargins([], rows);
  }

  /** Called with each title that the program gives the window (OSC 0 and 2, or back from its stack), when the emulator has read it. */
  onTitle(listener: (title: string) => void): void {
    this.#terminal.onTitleChange(listener);
  }

  /** Draws the visible screen on a terminal of the same size, whatever is on it; cursor and rendition are left anywhere. */
  paint(): string {
    return paintRows(this.#terminal);
  }

  /** Puts the cursor behind the last column of its row, where the next character wraps. */
  lastCharacter(): string {
    return paintLastCell(this.#terminal);
  }

  dispose(): void {
    this.#terminal.dispose();
  }

  /** Listeners that return false let the emulator do its own part. */
  #listen(): void {
    const { parser } = this.#terminal;
    const { modes } = this;
    const csi = (
      id: { prefix?: string; intermediates?: string; final: string },
      apply: (params: (number | number[])[]) => void,
    ): void => {
      parser.registerCsiHandler(id, (params) => {
        apply(params);
        return false;
      });
    };
    const esc = (id: { intermediates?: string; final: string }, apply: () => void): void => {
      parser.registerEscHandler(id, () => {
        apply();
        return false;
      });
    };
    const osc = (command: number, apply: (data: string) => void): void => {
      parser.registerOscHandler(command, (data) => {
        apply(data);
        return false;
      });
    };
    const { colours } = modes;
    for (const command of [4, 5] as const) osc(command, (data) => colours.setIndexed(command, data));
    for (const command of [104, 105] as const) osc(command, (data) => colours.resetIndexed(command, data));
    for (let command = 10; command <= 19; command++) {
      osc(command, (data) => colours.setDynamic(command, data));
      osc(command + 100, () => colours.resetDynamic(command + 100));
    }
    osc(8, (data) => {
      modes.hyperlink = data === ';' ? '' : data;
    });
    csi({ prefix: '?', final: 'h' }, (params) => modes.setPrivate(params, true, this.cursor, this.screen));
    csi({ prefix: '?', final: 'l' }, (params) => modes.setPrivate(params, false, this.cursor, this.screen));
    csi({ final: 'h' }, (params) => modes.setAnsi(params, true));
    csi({ final: 'l' }, (params) => modes.setAnsi(params, false));
    csi({ final: 'm' }, (params) => modes.setSgr(params));
    csi({ final: 'r' }, (params) => modes.setMargins(params, this.#terminal.rows));
    csi({ prefix: '>', final: 'm' }, (params) => modes.setModifyOtherKeys(params));
    for (const prefix of ['>', '=', '<']) csi({ prefix, final: 'u' }, () => modes.setKitty());
    csi({ intermediates: ' ', final: 'q' }, (params) => modes.setCursorStyle(params));
    csi({ intermediates: '!', final: 'p' }, () => modes.softReset());
    csi({ final: 's' }, () => modes.save(this.cursor, this.screen));
    csi({ final: 'u' }, () => modes.restore(this.screen));
    esc({ final: '7' }, () => modes.save(this.cursor, this.screen));
    esc({ final: '8' }, () => modes.restore(this.screen));
    esc({ final: '=' }, () => modes.setKeypad(true));
    esc({ final: '>' }, () => modes.setKeypad(false));
    esc({ final: 'c' }, () => modes.hardReset());
    for (const final of ['B', '0', 'A']) esc({ intermediates: '(', final }, () => modes.setG0(final));
  }
}

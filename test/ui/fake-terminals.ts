/** Terminals for takeover tests: the person's is an emulator, the child's a script of bytes. */
import headless from '@xterm/headless';
import type { ChildTerminal, OuterTerminal, TerminalSize } from '../../src/run/terminal-ports.js';
import { unicodeVersion, unicodeWidths } from '../../src/ui/unicode-widths.js';

/** A terminal of today: emoji are two columns wide. */
export function emulator(cols: number, rows: number): InstanceType<typeof headless.Terminal> {
  const terminal = new headless.Terminal({
    ...{ cols, rows, scrollback: 500, allowProposedApi: true },
    windowOptions: { pushTitle: true, popTitle: true },
  });
  terminal.unicode.register(unicodeWidths());
  terminal.unicode.activeVersion = unicodeVersion;
  return terminal;
}

export class EmulatedOuter implements OuterTerminal {
  readonly terminal: InstanceType<typeof headless.Terminal>;
  size: TerminalSize;
  /** As a slow terminal does it: every write says "no more" until `drain`. */
  full = false;
  input: (bytes: Buffer) => void = () => undefined;
  emergency: () => string = () => '';
  #resized: (size: TerminalSize) => void = () => undefined;
  #drained: () => void = () => undefined;
  #bytes = 0;

  constructor(columns: number, rows: number) {
    this.size = { columns, rows };
    this.terminal = emulator(columns, rows);
  }

  get bytes(): number {
    return this.#bytes;
  }

  write(bytes: Buffer | string): boolean {
    this.#bytes += bytes.length;
    this.terminal.write(bytes);
    return !this.full;
  }

  onDrain(listener: () => void): void {
    this.#drained = listener;
  }

  onInput(listener: (bytes: Buffer) => void): void {
    this.input = listener;
  }

  onResize(listener: (size: TerminalSize) => void): void {
    this.#resized = listener;
  }

  onEmergency(sequence: () => string): void {
    this.emergency = sequence;
  }

  drain(): void {
    this.full = false;
    this.#drained();
  }

  resize(columns: number, rows: number): void {
    this.size = { columns, rows };
    this.terminal.resize(columns, rows);
    this.#resized(this.size);
  }
}

export class ScriptedChild implements ChildTerminal {
  output: (bytes: Buffer) => void = () => undefined;
  paused = false;
  heard = '';
  sizes: string[] = [];

  onOutput(listener: (bytes: Buffer) => void): void {
    this.output = listener;
  }

  write(bytes: Buffer): void {
    this.heard += bytes.toString('latin1');
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  resize(columns: number, rows: number): void {
    this.sizes.push(`${columns}x${rows}`);
  }
}

/** All that a person could see, and what the keyboard would send. */
export async function picture(terminal: InstanceType<typeof headless.Terminal>): Promise<object> {
  await new Promise<void>((resolve) => terminal.write('', resolve));
  const buffer = terminal.buffer.active;
  const cell = buffer.getNullCell();
  const lines: string[] = [];
  for (let row = 0; row < terminal.rows; row++) {
    const line = buffer.getLine(buffer.viewportY + row);
    let text = '';
    for (let column = 0; line && column < terminal.cols; column++) {
      line.getCell(column, cell);
      if (cell.getWidth() === 0) continue;
      const look = [
        cell.isBold(),
        cell.isDim(),
        cell.isItalic(),
        cell.isUnderline(),
        cell.isInverse(),
        cell.getFgColorMode(),
        cell.getFgColor(),
        cell.getBgColorMode(),
        cell.getBgColor(),
      ].join();
      text += (cell.getChars() || ' ') + (look === plainLook ? '' : `{${look}}`);
    }
    lines.push(text.trimEnd());
  }
  return {
    screen: buffer.type,
    cursor: [buffer.cursorX, buffer.cursorY],
    modes: { ...modesOf(terminal) },
    lines,
    scrollback: scrollback(terminal),
  };
}

const plainLook = [0, 0, 0, 0, 0, 0, -1, 0, -1].join();

function modesOf(terminal: InstanceType<typeof headless.Terminal>): Record<string, unknown> {
  const { modes } = terminal;
  return {
    applicationCursorKeys: modes.applicationCursorKeysMode,
    applicationKeypad: modes.applicationKeypadMode,
    bracketedPaste: modes.bracketedPasteMode,
    insert: modes.insertMode,
    mouse: modes.mouseTrackingMode,
    origin: modes.originMode,
    focus: modes.sendFocusMode,
    wrap: modes.wraparoundMode,
  };
}

function scrollback(terminal: InstanceType<typeof headless.Terminal>): string[] {
  const buffer = terminal.buffer.normal;
  return Array.from({ length: buffer.baseY }, (_, row) => buffer.getLine(row)?.translateToString(true) ?? '');
}

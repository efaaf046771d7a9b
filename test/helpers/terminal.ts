/** A program on a real pty, and what a person in front of it would see: a screen of cells, kept by a headless terminal. */
import { closeSync, constants, openSync } from 'node:fs';
import type { IPty } from '@lydell/node-pty';
import pty from '@lydell/node-pty';
import headless from '@xterm/headless';

export interface TerminalOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly rows?: number;
}

/** Keys by what a terminal sends for them. */
export const keys = {
  enter: '\r',
  escape: '\x1b',
  up: '\x1b[A',
  down: '\x1b[B',
  pageDown: '\x1b[6~',
  interrupt: '\x03',
  endOfFile: '\x04',
} as const;

/** What lives here: one pty, its screen, and who waits for what on it. It knows nothing of the program. */
export class Terminal {
  /** Every byte that the program has written. */
  raw = '';
  /** Resolves when the program has ended and its last output is on the screen. */
  readonly exit: Promise<{ readonly code: number; readonly signal: number | undefined }>;
  readonly #pty: IPty;
  readonly #screen: headless.Terminal;
  readonly #waiters = new Set<() => void>();
  #title = '';
  #ended = false;

  constructor(program: string, args: readonly string[], options: TerminalOptions) {
    const { columns: cols = 100, rows = 30 } = options;
    this.#screen = new headless.Terminal({
      ...{ cols, rows, allowProposedApi: true, scrollback: 5000 },
      windowOptions: { pushTitle: true, popTitle: true },
    });
    this.#pty = pty.spawn(program, [...args], {
      cols,
      rows,
      cwd: options.cwd,
      env: { TERM: 'xterm-256color', ...options.env },
    });
    // the last descriptor of a slave that closes would take 4 KB and more of the last output with it: see src/io/terminal/pty.ts
    const slave = openSync(
      (this.#pty as unknown as { ptsName: string }).ptsName,
      constants.O_RDWR | constants.O_NOCTTY,
    );
    this.#screen.onTitleChange((title) => {
      this.#title = title;
    });
    // a terminal answers questions: where is the cursor, what are you
    this.#screen.onData((answer) => this.#pty.write(answer));
    this.#pty.onData((text) => {
      this.raw += text;
      this.#screen.write(text, () => this.#look());
    });
    this.exit = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode: code, signal }) => {
        closeSync(slave);
        this.#screen.write('', () => {
          this.#ended = true;
          this.#look();
          resolve({ code, signal });
        });
      });
    });
  }

  /** The rows on the screen, without blanks at their ends. */
  text(): string {
    const { active } = this.#screen.buffer;
    return this.#lines(active.viewportY, this.#screen.rows);
  }

  /** Everything on the ordinary screen and what has scrolled off it, in lines as the program wrote them. */
  history(): string[] {
    const { normal } = this.#screen.buffer;
    const lines: string[] = [];
    for (let row = 0; row < normal.length; row++) {
      const line = normal.getLine(row);
      const text = line?.translateToString(true) ?? '';
      if (line?.isWrapped) lines.push(`${lines.pop() ?? ''}${text}`);
      else lines.push(text);
    }
    return lines.slice(0, lines.findLastIndex((line) => line !== '') + 1);
  }

  /** Is the alternate screen up, as in an editor or a pager? */
  get alternate(): boolean {
    return this.#screen.buffer.active.type === 'alternate';
  }

  /** Types. Text is sent as it is: see `keys`. */
  type(text: string): void {
    this.#pty.write(text);
  }

  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** Waits until the screen shows it. Rejects with the screen when the program ends first or after a minute. */
  async shows(expected: string | RegExp): Promise<string> {
    await this.#until(() => matches(this.text(), expected), expected);
    return this.text();
  }

  /** Waits until the window has this title. */
  async titled(expected: string): Promise<void> {
    await this.#until(() => this.#title === expected, expected);
  }

  /** Presses a key until the screen shows what follows: one that comes while the program is held up does not count. */
  async press(key: string, follows: string | RegExp): Promise<string> {
    const pressing = setInterval(() => this.type(key), 2000);
    this.type(key);
    return this.shows(follows).finally(() => clearInterval(pressing));
  }

  /** Waits until the screen no longer shows it. */
  async hides(unexpected: string | RegExp): Promise<string> {
    await this.#until(() => !matches(this.text(), unexpected), `anything but ${unexpected}`);
    return this.text();
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** The window goes: SIGHUP, the end of the input, EIO for what is written. Nothing is on the screen from now on. */
  close(): void {
    // its type hides the one method that closes the descriptor
    (this.#pty as unknown as { destroy(): void }).destroy();
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    if (!this.#ended) this.#pty.kill(signal);
  }

  #until(holds: () => boolean, what: string | RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        settle();
        reject(new Error(`${why} before the screen showed ${what}:\n${this.text()}`));
      };
      const limit = setTimeout(() => fail('a minute passed'), 60_000);
      const look = () => {
        if (holds()) settle(resolve);
        else if (this.#ended) fail('the program ended');
      };
      const settle = (then?: () => void) => {
        clearTimeout(limit);
        this.#waiters.delete(look);
        then?.();
      };
      this.#waiters.add(look);
      look();
    });
  }

  #look(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }

  #lines(from: number, count: number): string {
    const { active } = this.#screen.buffer;
    const lines = Array.from({ length: count }, (_, row) => active.getLine(from + row)?.translateToString(true) ?? '');
    return lines.join('\n').trimEnd();
  }
}

function matches(text: string, expected: string | RegExp): boolean {
  return typeof expected === 'string' ? text.includes(expected) : expected.test(text);
}

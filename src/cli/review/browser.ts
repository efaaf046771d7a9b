/**
 * The terminal browser: keys and events go into its state, its state onto the screen, its wishes to whoever fulfils them.
 *
 * What lives here: the terminal while the browser has it. What it must not know: what a key does, how a screen looks.
 */
import { type BrowserEvent, browserEvent } from '../../review/browser/browser-events.js';
import { type BrowserState, startBrowser, type Want } from '../../review/browser/browser-state.js';
import type { OuterTerminal, TerminalSize } from '../../run/terminal-ports.js';
import { inkPainter } from '../../ui/ink-painter.js';
import { KeyDecoder } from '../../ui/keys.js';
import type * as tools from '../../ui/review/browser-tools.js';
import { drawn } from './screens.js';

const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J\x1b[H';
const leave = '\x1b[0m\x1b[2J\x1b[?7h\x1b[?1049l\x1b[?25h';
const escapeMs = 60;
/** What others tell is drawn no more often than this; what a key does, as soon as no more keys wait. */
const frameMs = 50;

/** Ink and React: several hundred milliseconds. React's development build is slower, and opens itself to developer tools. */
export async function loadBrowserTools(): Promise<typeof tools> {
  process.env.NODE_ENV = 'production';
  delete process.env.DEV;
  return import('../../ui/review/browser-tools.js');
}

export interface BrowserOptions {
  readonly tools: typeof tools;
  readonly outer: OuterTerminal;
  /** Of the bucket, for people. */
  readonly location: string;
  readonly colours: boolean;
  readonly wish: (want: Want, browser: Browser) => void;
}

export class Browser {
  /** Resolves when the reader leaves. */
  readonly over: Promise<void>;
  readonly #options: BrowserOptions;
  readonly #keys = new KeyDecoder();
  readonly #painter: ReturnType<typeof inkPainter>;
  #state: BrowserState;
  #end: () => void = () => undefined;
  #onScreen: string[] = [];
  #frame: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;
  #escaping: NodeJS.Timeout | undefined;
  /** Who has the terminal for a while. */
  #guest: { input(bytes: Buffer): void; resize(size: TerminalSize): void } | undefined;

  constructor(options: BrowserOptions) {
    this.#options = options;
    const { outer } = options;
    this.#state = startBrowser(outer.size);
    this.#painter = inkPainter(options.tools.render, (frame) => this.#put(frame));
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
    outer.onEmergency(() => leave);
    outer.onInput((bytes) => (this.#guest ? this.#guest.input(bytes) : this.#input(bytes)));
    outer.onResize((size) => (this.#guest ? this.#guest.resize(size) : this.#resize(size)));
    outer.write(enter);
    this.#paint();
  }

  get state(): BrowserState {
    return this.#state;
  }

  readonly tell = (event: BrowserEvent): void => {
    const { state, want } = browserEvent(this.#state, event);
    this.#state = state;
    if (state.over) this.#end();
    if (want !== undefined) this.#options.wish(want, this);
    if (event.kind === 'key' || event.kind === 'size') this.#soon ??= setImmediate(() => this.#paint());
    else this.#frame ??= setTimeout(() => this.#paint(), frameMs);
  };

  /** Gives the terminal away until `use` is through with it. */
  async lend(use: (outer: OuterTerminal) => Promise<void>): Promise<void> {
    const { outer } = this.#options;
    const guest = { input: (_: Buffer): void => undefined, resize: (_: TerminalSize): void => undefined };
    this.#guest = guest;
    try {
      await use({
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
      this.#onScreen = [];
      this.#resize(outer.size);
    }
  }

  close(): void {
    clearTimeout(this.#frame);
    clearImmediate(this.#soon);
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
    for (const event of events) if (event.kind === 'key' && this.#guest === undefined) this.tell(event);
  }

  #resize({ columns, rows }: TerminalSize): void {
    this.#onScreen = [];
    this.#options.outer.write('\x1b[2J');
    this.tell({ kind: 'size', columns, rows });
  }

  #paint(): void {
    clearTimeout(this.#frame);
    clearImmediate(this.#soon);
    this.#frame = undefined;
    this.#soon = undefined;
    if (this.#guest !== undefined || this.#state.over) return;
    const { tools, location, colours } = this.#options;
    const { props, lines } = drawn(this.#state, location, colours);
    if (lines !== undefined) this.#state = browserEvent(this.#state, { kind: 'laid-out', lines }).state;
    this.#painter.paint(tools.createElement(tools.BrowserScreen, props), props.columns);
  }

  /** Only the lines that are others than before. */
  #put(frame: string): void {
    if (this.#guest !== undefined) return;
    const { rows } = this.#state.size;
    const lines = frame.split('\n').slice(0, rows);
    let text = '';
    for (let at = 0; at < rows; at++) {
      const line = lines[at] ?? '';
      if (this.#onScreen[at] !== line) text += `\x1b[${at + 1};1H${line}\x1b[0m\x1b[K`;
      this.#onScreen[at] = line;
    }
    if (text !== '') this.#options.outer.write(text);
  }
}

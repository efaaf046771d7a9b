/**
 * The terminal browser: keys and events go into its state, its state onto the screen, its wishes to whoever fulfils them.
 *
 * What lives here: the state, and when it is drawn. What it must not know: what a key does, how a screen looks.
 */
import { type BrowserEvent, browserEvent } from '../../review/browser/browser-events.js';
import { type BrowserState, startBrowser, type Want } from '../../review/browser/browser-state.js';
import type { OuterTerminal } from '../../run/terminal-ports.js';
import type * as tools from '../../ui/review/browser-tools.js';
import { FullScreen } from '../print/full-screen.js';
import { drawn } from './screens.js';

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
  readonly #screen: FullScreen;
  #state: BrowserState;
  #end: () => void = () => undefined;
  #frame: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;

  constructor(options: BrowserOptions) {
    this.#options = options;
    const { outer, tools } = options;
    this.#state = startBrowser(outer.size);
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#screen = new FullScreen({
      outer,
      draw: tools.render,
      onKey: (key) => this.tell({ kind: 'key', key }),
      onSize: ({ columns, rows }) => this.tell({ kind: 'size', columns, rows }),
    });
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
  lend(use: (outer: OuterTerminal) => Promise<void>): Promise<void> {
    return this.#screen.lend(use);
  }

  close(): void {
    clearTimeout(this.#frame);
    clearImmediate(this.#soon);
    this.#screen.close();
  }

  #paint(): void {
    clearTimeout(this.#frame);
    clearImmediate(this.#soon);
    this.#frame = undefined;
    this.#soon = undefined;
    if (this.#screen.lent || this.#state.over) return;
    const { tools, location, colours } = this.#options;
    const { props, lines } = drawn(this.#state, location, colours);
    if (lines !== undefined) this.#state = browserEvent(this.#state, { kind: 'laid-out', lines }).state;
    this.#screen.paint(tools.createElement(tools.BrowserScreen, props), props.columns);
  }
}

/**
 * Shares one terminal between a child and the approval prompt.
 *
 *   child output -> boundary -> terminal, and the model beside it
 *   prompt: settle the model -> switch the screen -> keyboard and screen belong to the prompt -> switch back -> replay
 *
 * What lives here: whose turn it is, and the output that waits. What it must not know: what a prompt shows, what
 * keys mean, processes.
 */
import type { ChildTerminal, OuterTerminal, TerminalSize } from '../run/terminal-ports.js';
import { EscapeBoundary } from './escape-boundary.js';
import type { ScreenRecording } from './screen-recording.js';
import { backFromShell, enterPrompt, leavePrompt, lendToShell, resetTerminal } from './screen-switch.js';
import { TerminalModel } from './terminal-model.js';
import { WindowTitle } from './window-title.js';
import { withoutWithheld } from './withheld-sequences.js';

/** The terminal while a prompt has it. */
export interface PromptSurface {
  readonly size: TerminalSize;
  /** @param recorded what a recording of the screen gets in its place */
  write(text: string, recorded?: string): void;
  onInput(listener: (bytes: Buffer) => void): void;
  onResize(listener: (size: TerminalSize) => void): void;
  /** For the terminal's late answers to the child's questions. */
  toChild(bytes: Buffer): void;
}

/** Output kept during a prompt; beyond it the child waits in write(2). */
export const keptMax = 1024 * 1024;
/** The emulator may lag behind the terminal by this much. */
const modelLagMax = 2 * 1024 * 1024;
/** How long a prompt waits for the child to finish an escape sequence that is on its way. */
const tornWaitMs = 300;
/** How long the last output of a child that stopped may be on its way. */
const lastWordsMs = 30;
/**
 * CAN and ST: the end of a string that is still open, also of one that only the terminal sees, since it takes the
 * characters U+0080 to U+009F for controls.
 */
const endString = '\x18\x1b\\';

type Turn = 'child' | 'entering' | 'prompt';

export class Takeover {
  readonly #outer: OuterTerminal;
  readonly #child: ChildTerminal;
  readonly #recording: ScreenRecording | undefined;
  readonly #model: TerminalModel;
  readonly #boundary = new EscapeBoundary();
  #turn: Turn = 'child';
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #paused = false;
  #outerFull = false;
  #whenClean: (() => void) | undefined;
  #promptInput: (bytes: Buffer) => void = () => undefined;
  #promptResize: (size: TerminalSize) => void = () => undefined;
  #queue: Promise<void> = Promise.resolve();
  #over = false;
  /** The shell has the terminal, and keeps it. */
  #lent = false;
  readonly #title = new WindowTitle();
  /** Of the title: waits for the end of a sequence that is under way. */
  #due = '';

  constructor(outer: OuterTerminal, child: ChildTerminal, recording?: ScreenRecording) {
    this.#outer = outer;
    this.#child = child;
    this.#recording = recording;
    recording?.onDrain(() => this.#resumeIfPossible());
    this.#model = new TerminalModel(outer.size.columns, outer.size.rows);
    this.#model.onTitle((title) => this.#drawTitle(this.#title.ofChild(title)));
    child.onOutput((bytes) => this.#fromChild(bytes));
    outer.onInput((bytes) => this.#fromKeyboard(bytes));
    outer.onResize((size) => this.#resized(size));
    outer.onDrain(() => {
      this.#outerFull = false;
      this.#resumeIfPossible();
    });
    outer.onEmergency(
      () => this.#endOfTorn() + resetTerminal(this.#model, this.#turn === 'prompt') + this.#title.ending(),
    );
  }

  /** False after the child's end: a process that it left behind may still ask, but the terminal is the shell's again. */
  get open(): boolean {
    return !this.#over;
  }

  /** Gives the terminal to a prompt until `run` settles. One at a time, in order. */
  show<T>(run: (surface: PromptSurface) => Promise<T>): Promise<T> {
    const result = this.#queue.then(() => this.#show(run));
    this.#queue = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /**
   * Gives the terminal to the shell until `away` settles: the child stands still. A prompt that is up is answered first.
   * @param away says whether the terminal is ours again
   */
  release(away: () => Promise<boolean>): Promise<void> {
    const result = this.#queue.then(() => this.#release(away));
    this.#queue = result;
    return result;
  }

  /** In the title of the window, in front of the child's own; empty takes them away. */
  words(words: string): void {
    if (!this.#over) this.#drawTitle(this.#title.words(words));
  }

  /** After the child's end: its last output, and an end to whatever it left switched on. */
  async finish(killed: boolean): Promise<void> {
    this.#over = true;
    await this.#queue;
    const unfinished = this.#boundary.flush();
    this.#write(unfinished);
    await this.#model.settle();
    // the shell's own words would be part of it
    if (unfinished.length > 0 || !this.#boundary.clean) this.#draw(endString);
    if (!this.#lent && (killed || !this.#model.plain)) this.#draw(resetTerminal(this.#model, false));
    this.#draw(this.#title.ending());
    this.#model.dispose();
  }

  async #show<T>(run: (surface: PromptSurface) => Promise<T>): Promise<T> {
    if (this.#over) throw new Error('the terminal is no longer ours');
    this.#turn = 'entering';
    if (!this.#boundary.clean) await this.#boundaryClean();
    this.#turn = 'prompt';
    await this.#model.settle();
    this.#draw(endString + enterPrompt(this.#model));
    this.#recording?.question(true);
    try {
      return await run(this.#surface());
    } finally {
      this.#promptInput = () => undefined;
      this.#promptResize = () => undefined;
      await this.#model.settle();
      this.#draw(leavePrompt(this.#model));
      this.#recording?.question(false);
      this.#turn = 'child';
      this.#replay();
    }
  }

  async #release(away: () => Promise<boolean>): Promise<void> {
    // what it wrote before it stopped
    await new Promise((resolve) => setTimeout(resolve, lastWordsMs));
    if (this.#over) return;
    await this.#model.settle();
    this.#draw(this.#endOfTorn() + lendToShell(this.#model) + this.#title.ending());
    if (await away()) this.#draw(backFromShell(this.#model) + this.#title.show());
    else this.#lent = true;
  }

  #drawTitle(text: string): void {
    if (text === '' || this.#over || this.#lent) return;
    this.#due += text;
    if (!this.#boundary.clean) return;
    this.#draw(this.#due);
    this.#due = '';
  }

  #draw(bytes: Buffer | string): boolean {
    this.#recording?.drawn(bytes);
    return this.#outer.write(bytes);
  }

  #endOfTorn(): string {
    return this.#boundary.clean ? '' : endString;
  }

  #surface(): PromptSurface {
    const outer = this.#outer;
    return {
      get size() {
        return outer.size;
      },
      write: (text, recorded = text) => {
        outer.write(text);
        this.#recording?.drawn(recorded);
      },
      onInput: (listener) => {
        this.#promptInput = listener;
      },
      onResize: (listener) => {
        this.#promptResize = listener;
      },
      toChild: (bytes) => this.#child.write(bytes),
    };
  }

  #boundaryClean(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, tornWaitMs);
      this.#whenClean = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #fromChild(bytes: Buffer): void {
    if (this.#turn === 'prompt' || (this.#turn === 'entering' && this.#boundary.clean)) {
      this.#kept.push(bytes);
      this.#keptBytes += bytes.length;
      if (this.#keptBytes > keptMax) this.#pause();
      return;
    }
    this.#write(this.#boundary.push(bytes));
    if (this.#boundary.clean) {
      this.#whenClean?.();
      this.#whenClean = undefined;
      if (this.#due !== '') this.#drawTitle(this.#title.show());
    }
  }

  #write(all: Buffer): void {
    const bytes = withoutWithheld(all);
    if (bytes.length === 0) return;
    const before = this.#title.before(bytes);
    if (before !== '') this.#draw(before);
    this.#model.write(bytes, () => this.#resumeIfPossible());
    if (!this.#draw(bytes)) this.#outerFull = true;
    if (this.#outerFull || this.#recording?.full || this.#model.pending > modelLagMax) this.#pause();
  }

  #replay(): void {
    const kept = this.#kept;
    this.#kept = [];
    this.#keptBytes = 0;
    for (const bytes of kept) this.#write(this.#boundary.push(bytes));
    this.#resumeIfPossible();
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#child.pause();
  }

  #resumeIfPossible(): void {
    if (!this.#paused || this.#turn === 'prompt' || this.#outerFull || this.#recording?.full) return;
    if (this.#model.pending > modelLagMax / 2) return;
    this.#paused = false;
    this.#child.resume();
  }

  #fromKeyboard(bytes: Buffer): void {
    this.#recording?.typed();
    if (this.#turn === 'child') this.#child.write(bytes);
    else if (this.#turn === 'prompt') this.#promptInput(bytes);
  }

  #resized(size: TerminalSize): void {
    this.#model.resize(size.columns, size.rows);
    this.#child.resize(size.columns, size.rows);
    this.#recording?.resized(size);
    if (this.#turn === 'prompt') this.#promptResize(size);
  }
}

/**
 * The person's screen as lines of a recording: what is drawn, the size, that a question of dbguard's is up, that somebody
 * types. Never what is typed: not the keys, not how many there are, not when within a second.
 */
import { StringDecoder } from 'node:string_decoder';
import type { TerminalSize } from '../run/terminal-ports.js';
import type { TerminalLine } from '../transcript/recording.js';

/** Where lines go; see io/spool/recording-writer.ts. */
export interface LineSink {
  readonly full: boolean;
  write(line: string): void;
  onDrain(listener: () => void): () => void;
}

const second = 1_000_000;

export class ScreenRecording {
  readonly #sink: LineSink;
  readonly #now: () => number;
  /** Characters may be cut in two by a pty. */
  readonly #decoder = new StringDecoder('utf8');
  #typedIn = -1;

  /** @param now microseconds since 1970 UTC */
  constructor(sink: LineSink, now: () => number, size: TerminalSize) {
    this.#sink = sink;
    this.#now = now;
    this.#say('s', sizeText(size));
  }

  /** More waits than may: the program has to wait. */
  get full(): boolean {
    return this.#sink.full;
  }

  onDrain(listener: () => void): void {
    this.#sink.onDrain(listener);
  }

  drawn(bytes: Buffer | string): void {
    const text = typeof bytes === 'string' ? bytes : this.#decoder.write(bytes);
    if (text !== '') this.#say('o', text);
  }

  resized(size: TerminalSize): void {
    this.#say('r', sizeText(size));
  }

  question(up: boolean): void {
    this.#say(up ? 'q' : 'a', '');
  }

  typed(): void {
    const within = Math.floor(this.#now() / second);
    if (within === this.#typedIn) return;
    this.#typedIn = within;
    this.#write([within * second, 'i', '']);
  }

  #say(what: TerminalLine[1], text: string): void {
    this.#write([this.#now(), what, text]);
  }

  #write(line: TerminalLine): void {
    this.#sink.write(JSON.stringify(line));
  }
}

function sizeText({ columns, rows }: TerminalSize): string {
  return `${columns}x${rows}`;
}

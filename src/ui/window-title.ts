/**
 * A few words in the title of the terminal's window, in front of what the child calls it: told without a cell of its screen.
 *
 * What lives here: the title that stood there before the run, the child's, and the words. What it must not know: what
 * the words are about, when the stream is whole.
 *
 * The title proves nothing, since the child writes there as well.
 */
import { singleLine } from '../untrusted-text.js';

/** XTWINOPS: the title that the person's shell gave the window comes back after the run. */
const push = '\x1b[22;0t';
const pop = '\x1b[23;0t';
const starts = ['0', '1', '2'].map((command) => Buffer.from(`\x1b]${command};`));
const longest = 200;

export class WindowTitle {
  #pushed = false;
  #child = '';
  #words = '';
  /** The child may have kept a title with words in it, and bring it back. */
  #spoke = false;

  /** To be written before the child's output: something is about to set the title for the first time. */
  before(bytes: Buffer): string {
    return starts.some((start) => bytes.includes(start)) ? this.#keep() : '';
  }

  /** The child has set it. What to write behind that; empty where the child's stands alone. */
  ofChild(title: string): string {
    this.#child = title;
    return this.#spoke ? this.show() : '';
  }

  /** Other words, or none. What to write. */
  words(words: string): string {
    if (words === this.#words) return '';
    this.#words = words;
    this.#spoke = true;
    return this.show();
  }

  /** What to write so that it stands there again, after somebody else had the terminal. */
  show(): string {
    const all = [this.#words, this.#child].filter((one) => one !== '');
    return all.length === 0 ? this.ending() : this.#keep() + title(all.join(' | '));
  }

  /** What to write so that it is as it was found. */
  ending(): string {
    const ending = this.#pushed ? pop : '';
    this.#pushed = false;
    return ending;
  }

  #keep(): string {
    if (this.#pushed) return '';
    this.#pushed = true;
    return push;
  }
}

function title(text: string): string {
  return `\x1b]2;${singleLine(text, longest)}\x07`;
}

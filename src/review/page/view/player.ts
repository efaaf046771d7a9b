/**
 * The terminal's recording as a film: the screen as it was drawn, on an emulator that nothing gets out of, and beside it what
 * was asked and decided. Whoever hears the page instead is told where a key has led, and nothing while the film runs.
 */
import { singleLine } from '../../../untrusted-text.js';
import { makeFilm } from '../../replay/film.js';
import { current, type Playback, press, startPlayback, tick } from '../../replay/playback.js';
import type { Row } from '../../statement-rows.js';
import type { TimelineItem } from '../../timeline.js';
import { el } from './dom.js';
import { Screen } from './screen.js';

const IDLE_MS = 2000;
const TICK_MS = 50;
const TRACK = 12;
const keys: Readonly<Record<string, string>> = {
  ...{ ' ': ' ', '+': '+', '=': '=', '-': '-', d: 'd', D: 'D', n: 'n', p: 'p' },
  ...{ ArrowRight: 'right', ArrowLeft: 'left', Home: 'home', End: 'end' },
};

export class Player {
  readonly element: HTMLElement;
  readonly #screen: Screen;
  readonly #track = el('ol', { class: 'track', 'aria-label': 'Statements and verdicts' });
  readonly #time = el('output', { 'aria-live': 'off' });
  readonly #heard = el('p', { class: 'heard', role: 'status' });
  #state: Playback;
  #drawn = 0;
  #painting = Promise.resolve();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param drawn lines of the stream `terminal`. @param where which of several sessions, for its name */
  constructor(rows: readonly Row[], drawn: readonly unknown[], where: string) {
    const items = rows.flatMap(({ main, parts }) => [main, ...parts].map(({ item }) => item)).sort((a, b) => a.n - b.n);
    const film = makeFilm(items, drawn, IDLE_MS);
    const { columns, rows: high } = film.screen ?? { columns: 80, rows: 24 };
    this.#screen = new Screen(columns, high);
    this.#state = { ...startPlayback(film), playing: false };
    const button = (label: string, key: string): HTMLElement => {
      const one = el('button', { type: 'button' }, label);
      one.addEventListener('click', () => this.#press(key));
      return one;
    };
    this.element = el(
      'section',
      {
        class: 'player',
        tabindex: 0,
        'aria-label': `${where}the terminal; space plays, arrows go from statement to statement, d to the next denial`,
      },
      el('div', { class: 'stage' }, this.#screen.element, this.#track),
      el(
        'div',
        { class: 'filters' },
        button('play / pause', ' '),
        button('← statement', 'left'),
        button('statement →', 'right'),
        button('next denial', 'd'),
        button('slower', '-'),
        button('faster', '+'),
        button('to the end', 'end'),
        this.#time,
      ),
      this.#heard,
    );
    this.element.addEventListener('keydown', (event) => {
      const key = keys[event.key];
      if (key === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.target instanceof HTMLButtonElement && event.key === ' ') return;
      event.preventDefault();
      this.#press(key);
    });
    this.#draw();
  }

  #press(key: string): void {
    this.#state = press(this.#state, key);
    this.#draw();
    const frame = current(this.#state);
    this.#heard.textContent = frame?.kind === 'entry' ? wordsOf(frame.item) : '';
    clearInterval(this.#timer);
    if (!this.#state.playing) return;
    let before = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#state = tick(this.#state, now - before);
      before = now;
      this.#draw();
      if (!this.#state.playing || !this.element.isConnected) clearInterval(this.#timer);
    }, TICK_MS);
  }

  #draw(): void {
    this.#painting = this.#painting.then(() => this.#paint());
  }

  async #paint(): Promise<void> {
    const { film, shown, position, playing, speed } = this.#state;
    if (shown < this.#drawn) {
      this.#screen.reset();
      this.#drawn = 0;
    }
    for (; this.#drawn < shown; this.#drawn++) {
      const frame = film.frames[this.#drawn];
      if (frame?.kind === 'size') this.#screen.resize(frame.columns, frame.rows);
      else if (frame?.kind === 'drawn') await this.#screen.write(frame.text);
    }
    this.#screen.show();
    const entries = film.frames.slice(0, shown).flatMap((frame) => (frame.kind === 'entry' ? [frame.item] : []));
    this.#track.replaceChildren(
      ...entries.slice(-TRACK).map((item) => el('li', { class: item.mood }, el('bdi', {}, wordsOf(item)))),
    );
    this.#time.value = `${playing ? 'playing' : 'paused'}, ${clock(position)} of ${clock(film.length)}, ${speed}×`;
  }
}

function wordsOf({ n, of, text, title }: TimelineItem): string {
  const words = of === undefined ? `#${n} ${text ?? title}` : `→ ${title}`;
  return singleLine(words.replace(/\s+/g, ' '), 200);
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

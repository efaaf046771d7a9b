/**
 * The rows that are in sight, of as many as there are: a list box of one column, moved through by keys. Everything else
 * of it is height.
 */
import type { Row } from '../../statement-rows.js';
import { el, time } from './dom.js';

const HEIGHT = 30;
const BESIDE = 12;

const words: Readonly<Record<Row['standing'], string>> = {
  allowed: '',
  asked: 'asked',
  denied: 'denied',
  failed: 'failed',
  other: '',
};

export class RowList {
  readonly element: HTMLElement;
  readonly #space: HTMLElement;
  readonly #onSelect: (row: Row | undefined) => void;
  readonly #onOpen: () => void;
  readonly #drawn = new Map<number, HTMLElement>();
  #rows: readonly Row[] = [];
  #selected = -1;
  #severalSessions = false;

  constructor(onSelect: (row: Row | undefined) => void, onOpen: () => void) {
    this.#onSelect = onSelect;
    this.#onOpen = onOpen;
    this.#space = el('div', { class: 'space', role: 'presentation' });
    this.element = el(
      'div',
      {
        class: 'rows',
        role: 'listbox',
        tabindex: 0,
        'aria-label': 'Timeline; arrow keys move, d goes to the next denial',
      },
      this.#space,
    );
    this.element.addEventListener('scroll', () => this.#draw(), { passive: true });
    this.element.addEventListener('keydown', (event) => this.#key(event));
    this.element.addEventListener('click', (event) => {
      const place = (event.target as Element).closest('[data-place]')?.getAttribute('data-place');
      if (place !== undefined && place !== null) this.select(Number(place));
    });
    new ResizeObserver(() => this.#draw()).observe(this.element);
  }

  show(rows: readonly Row[], severalSessions: boolean): void {
    const kept = this.#rows[this.#selected];
    this.#rows = rows;
    this.#severalSessions = severalSessions;
    this.#selected = kept === undefined ? -1 : rows.indexOf(kept);
    this.#space.style.height = `${rows.length * HEIGHT}px`;
    this.#clear();
    this.#draw();
    this.#mark();
    if (kept !== undefined && this.#selected < 0) this.#onSelect(undefined);
  }

  /** More has come behind what there is. */
  grown(): void {
    this.#space.style.height = `${this.#rows.length * HEIGHT}px`;
    this.#draw();
  }

  /** What is known of the chosen row is more than before. */
  again(): void {
    this.#onSelect(this.#rows[this.#selected]);
  }

  select(place: number): void {
    if (this.#rows.length === 0) return;
    this.#selected = Math.max(0, Math.min(this.#rows.length - 1, place));
    this.#intoSight();
    this.#draw();
    this.#mark();
    this.#onSelect(this.#rows[this.#selected]);
  }

  #intoSight(): void {
    const { clientHeight, scrollTop } = this.element;
    const top = this.#selected * HEIGHT;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + HEIGHT > scrollTop + clientHeight) this.element.scrollTop = top + HEIGHT - clientHeight;
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(this.element.clientHeight / HEIGHT) - 1);
    const moves: Readonly<Record<string, () => number>> = {
      ArrowDown: () => this.#selected + 1,
      ArrowUp: () => this.#selected - 1,
      PageDown: () => this.#selected + page,
      PageUp: () => this.#selected - page,
      Home: () => 0,
      End: () => this.#rows.length - 1,
      d: () => this.#denial(1),
      D: () => this.#denial(-1),
    };
    const move = moves[event.key];
    if (move) this.select(move());
    else if (event.key === 'Enter') this.#onOpen();
    else return;
    event.preventDefault();
  }

  #denial(step: 1 | -1): number {
    for (let at = this.#selected + step; at >= 0 && at < this.#rows.length; at += step)
      if (this.#rows[at]?.standing === 'denied') return at;
    return this.#selected;
  }

  #clear(): void {
    for (const row of this.#drawn.values()) row.remove();
    this.#drawn.clear();
  }

  #draw(): void {
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, Math.floor(scrollTop / HEIGHT) - BESIDE);
    const last = Math.min(this.#rows.length, Math.ceil((scrollTop + clientHeight) / HEIGHT) + BESIDE);
    for (const [place, row] of this.#drawn) {
      if ((place >= first && place < last) || place === this.#selected) continue;
      row.remove();
      this.#drawn.delete(place);
    }
    for (let place = first; place < last; place++) this.#drawOne(place);
    if (this.#selected >= 0) this.#drawOne(this.#selected);
  }

  #drawOne(place: number): void {
    const row = this.#rows[place];
    if (row === undefined || this.#drawn.has(place)) return;
    const drawn = rowElement(row, this.#severalSessions);
    drawn.id = `row-${place}`;
    drawn.setAttribute('role', 'option');
    drawn.setAttribute('aria-setsize', String(this.#rows.length));
    drawn.setAttribute('aria-posinset', String(place + 1));
    drawn.setAttribute('data-place', String(place));
    drawn.style.top = `${place * HEIGHT}px`;
    this.#drawn.set(place, drawn);
    // in the order in which they stand, for who reads the document
    const before = [...this.#drawn.keys()].filter((other) => other < place).reduce((a, b) => Math.max(a, b), -1);
    const neighbour = this.#drawn.get(before);
    if (neighbour) neighbour.after(drawn);
    else this.#space.prepend(drawn);
  }

  #mark(): void {
    for (const [place, row] of this.#drawn) row.setAttribute('aria-selected', String(place === this.#selected));
    if (this.#selected < 0) this.element.removeAttribute('aria-activedescendant');
    else this.element.setAttribute('aria-activedescendant', `row-${this.#selected}`);
  }
}

/** Its lines are made safe to look at in rows.ts. */
export function rowElement(row: Row, severalSessions: boolean): HTMLElement {
  const where = severalSessions ? `${row.session + 1}:` : '';
  const who = row.connection === undefined ? '' : `[${row.connection}]`;
  return el(
    'div',
    { class: `row ${row.standing} ${row.mood}` },
    el('span', { class: 'at' }, time(row.at).slice(5)),
    el('span', { class: 'n' }, `${where}#${row.n}`),
    el('span', { class: 'conn' }, who),
    el('span', { class: 'standing' }, words[row.standing]),
    el('bdi', { class: 'line' }, row.line),
    el('bdi', { class: 'end' }, row.end),
  );
}

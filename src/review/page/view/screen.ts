/** A terminal's screen in the document: cells of an emulator as text with colours; what its program sends does nothing else. */
import type { IBufferCell, Terminal } from '@xterm/headless';
import headless from '@xterm/headless';
import { el } from './dom.js';

/** What a cell may not hold: it would hide, or turn the reading order. */
const acts = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u;
/** The sixteen colours, readable on the screen's own dark ground. */
const palette = (
  '#2e3436 #ef5350 #66bb6a #ffca28 #64b5f6 #ce93d8 #4dd0e1 #d3d7cf ' +
  '#888a85 #ff8a80 #b9f6ca #ffe57f #82b1ff #ea80fc #84ffff #ffffff'
).split(' ');

export class Screen {
  readonly element = el('pre', { class: 'screen', 'aria-label': 'The terminal as it was drawn' });
  readonly #size: readonly [columns: number, rows: number];
  #terminal: Terminal;

  constructor(columns: number, rows: number) {
    this.#size = [columns, rows];
    this.#terminal = emulator(columns, rows);
  }

  reset(): void {
    this.#terminal.dispose();
    this.#terminal = emulator(...this.#size);
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(Math.max(2, columns), Math.max(1, rows));
  }

  write(text: string): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(text, resolve));
  }

  show(): void {
    const { rows } = this.#terminal;
    const lines = Array.from({ length: rows }, (_, row) => this.#line(row));
    this.element.replaceChildren(...lines);
  }

  #line(row: number): HTMLElement {
    const { active } = this.#terminal.buffer;
    const line = active.getLine(active.viewportY + row);
    const cell = active.getNullCell();
    const spans: HTMLElement[] = [];
    let [text, style, last] = ['', '', ''];
    const flush = (): void => {
      if (text !== '') spans.push(styled(text, last));
      text = '';
    };
    for (let column = 0; line && column < this.#terminal.cols; column++) {
      if (!line.getCell(column, cell) || cell.getWidth() === 0) continue;
      style = styleOf(cell);
      if (style !== last) flush();
      last = style;
      const chars = cell.getChars();
      text += chars === '' || acts.test(chars) ? ' '.repeat(cell.getWidth()) : chars;
    }
    flush();
    return el('span', { class: 'screen-line' }, ...spans, '\n');
  }
}

/** Foreground, background, and what else: as text, so that cells are compared by it. */
function styleOf(cell: IBufferCell): string {
  const [front, back] = [
    colour(cell.isFgDefault(), cell.isFgRGB(), cell.getFgColor()),
    colour(cell.isBgDefault(), cell.isBgRGB(), cell.getBgColor()),
  ];
  const [first, second] = cell.isInverse() ? [back || '#1b1e23', front || '#d3d7cf'] : [front, back];
  return [
    first,
    second,
    cell.isBold() ? 'bold' : '',
    cell.isDim() ? 'dim' : '',
    cell.isUnderline() ? 'line' : '',
  ].join();
}

function styled(text: string, style: string): HTMLElement {
  const [front = '', back = '', bold, dim, line] = style.split(',');
  const span = el('span', {}, text);
  span.style.color = front;
  span.style.backgroundColor = back;
  if (bold) span.style.fontWeight = 'bold';
  if (dim) span.style.opacity = '0.65';
  if (line) span.style.textDecoration = 'underline';
  return span;
}

function colour(isDefault: boolean, isRgb: boolean, value: number): string {
  if (isDefault) return '';
  if (isRgb) return `#${value.toString(16).padStart(6, '0')}`;
  if (value < 16) return palette[value] ?? '';
  if (value >= 232) return `#${(8 + (value - 232) * 10).toString(16).padStart(2, '0').repeat(3)}`;
  const step = (part: number): string => (part === 0 ? 0 : 55 + part * 40).toString(16).padStart(2, '0');
  const at = value - 16;
  return `#${step(Math.floor(at / 36))}${step(Math.floor(at / 6) % 6)}${step(at % 6)}`;
}

function emulator(columns: number, rows: number): Terminal {
  const size = { cols: Math.max(2, columns), rows: Math.max(1, rows) };
  return new headless.Terminal({ ...size, scrollback: 0, allowProposedApi: true });
}

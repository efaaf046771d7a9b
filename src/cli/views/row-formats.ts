/**
 * Rows as text: a table for a person, CSV (RFC 4180), JSON lines. Texts in them are a stranger's: a terminal obeys none, and
 * a spreadsheet computes none.
 */
import type { ResultColumn } from '../../io/duckdb/engine.js';
import { textWidth } from '../../ui/character-width.js';
import { inertJson } from '../../untrusted-text.js';
import type { OutputStyle } from '../print/text.js';
import { shown } from '../print/untrusted-text.js';

export type Row = readonly unknown[];

/** Numbers as numbers where JSON's reader keeps them whole. */
const whole = /^(?:U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER)$/;
const numeric = /^(?:U?(?:TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL)/;

export function jsonLine(columns: readonly ResultColumn[], row: Row): string {
  const entries = columns.map(({ name, type }, index) => [name, jsonValue(type, row[index])]);
  return inertJson(Object.fromEntries(entries));
}

function jsonValue(type: string, value: unknown): unknown {
  if (typeof value !== 'string') return value ?? null;
  if (whole.test(type) && Number.isSafeInteger(Number(value))) return Number(value);
  return type.startsWith('TIMESTAMP') && !type.includes('ZONE') ? isoTime(value) : value;
}

/** A view's times are UTC. */
function isoTime(value: string): string {
  return /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?$/.test(value) ? `${value.replace(' ', 'T')}Z` : value;
}

export function csvLine(cells: readonly string[]): string {
  return cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',');
}

/**
 * What a spreadsheet would take for a formula has an apostrophe before it, which it takes for text (OWASP, CSV injection);
 * columns of numbers have none.
 */
export function csvCell({ type }: ResultColumn, value: unknown): string {
  const text = cellText(value);
  return !numeric.test(type) && /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Rows from which the widths are taken. */
export const SAMPLE = 1000;
const GAP = 2;
const NARROWEST = 8;

/** A table of columns that stand under each other; on a terminal none is wider than there is room for. */
export class Table {
  readonly #columns: readonly ResultColumn[];
  readonly #widths: readonly number[];
  readonly #output: OutputStyle;

  /** @param fit cells are cut where the whole would be wider than the output */
  constructor(columns: readonly ResultColumn[], sample: readonly Row[], output: OutputStyle, fit: boolean) {
    this.#columns = columns;
    this.#output = output;
    const natural = columns.map(({ name }, index) =>
      sample.reduce((most, row) => Math.max(most, textWidth(oneLine(row[index]))), textWidth(shown(name))),
    );
    this.#widths = fit ? fitted(natural, output.width - GAP * (columns.length - 1)) : natural;
  }

  get head(): string {
    const names = this.#columns.map(({ name }) => name);
    return this.#output.style(
      'bold',
      this.#line(names, () => false),
    );
  }

  row(row: Row): string {
    return this.#line(row, (index) => numeric.test(this.#columns[index]?.type ?? ''));
  }

  #line(cells: Row, right: (index: number) => boolean): string {
    const padded = this.#columns.map((_, index) => {
      const width = this.#widths[index] ?? 0;
      const text = cut(oneLine(cells[index]), width);
      const blanks = ' '.repeat(Math.max(0, width - textWidth(text)));
      return right(index) ? blanks + text : text + blanks;
    });
    return padded.join(' '.repeat(GAP)).trimEnd();
  }
}

function oneLine(value: unknown): string {
  return shown(cellText(value)).replace(/\s*\n\s*/g, ' ⏎ ');
}

/** The widest give way first. */
function fitted(natural: readonly number[], room: number): number[] {
  const widths = [...natural];
  for (let total = widths.reduce((sum, one) => sum + one, 0); total > room; total--) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= NARROWEST) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let [kept, room] = ['', width - 1];
  for (const character of text) {
    room -= textWidth(character);
    if (room < 0) break;
    kept += character;
  }
  return `${kept}…`;
}

/** What came back for a statement, as it was recorded: tables, data of COPY and messages, on the screen and on paper. */
import type { ShownAnswer, ShownResult } from '../../recorded-results.js';
import { el, foreign } from './dom.js';

/** Rows of one result in the document. */
const MOST_ROWS = 1000;
const errors: ReadonlySet<string> = new Set(['ERROR', 'FATAL', 'PANIC']);
const left = { rows: 'max_rows left out the rest.', bytes: 'Their size left out the rest.' } as const;

export function answerOf({ results, messages, cut }: ShownAnswer): HTMLElement {
  return el(
    'article',
    { class: 'answer' },
    el('h3', {}, 'What came back, as it was recorded'),
    ...results.map(resultOf),
    ...messages.map(({ severity, code, message, detail, hint }) =>
      el(
        'p',
        { class: `said ${errors.has(severity) ? 'bad' : 'waiting'}` },
        el('bdi', {}, foreign([`${severity} ${code}: ${message}`, detail, hint].filter(Boolean).join('\n'))),
      ),
    ),
    cut !== undefined && el('p', { class: 'dim' }, left[cut]),
  );
}

function resultOf({ columns, rows, copied }: ShownResult): HTMLElement {
  const shown = copied.length > 0 ? copied : rows;
  const more = shown.length - MOST_ROWS;
  const count = `${shown.length} ${shown.length === 1 ? 'row' : 'rows'} recorded${more > 0 ? `, ${more} of them not shown` : ''}`;
  return el(
    'div',
    { class: 'result', role: 'region', tabindex: 0, 'aria-label': `Result: ${count}` },
    copied.length > 0
      ? el('pre', {}, foreign(copied.slice(0, MOST_ROWS).join('')))
      : el('table', {}, columns && headOf(columns), el('tbody', {}, ...rows.slice(0, MOST_ROWS).map(rowOf))),
    el('p', { class: 'dim' }, count),
  );
}

function headOf(columns: NonNullable<ShownResult['columns']>): HTMLElement {
  const heads = columns.map(({ name, type }) =>
    el('th', { scope: 'col' }, el('bdi', {}, foreign(name)), ' ', el('small', {}, foreign(type))),
  );
  return el('thead', {}, el('tr', {}, ...heads));
}

function rowOf(row: readonly (string | null)[]): HTMLElement {
  const cells = row.map((cell) =>
    cell === null ? el('td', { class: 'dim' }, 'NULL') : el('td', {}, el('bdi', {}, foreign(cell))),
  );
  return el('tr', {}, ...cells);
}

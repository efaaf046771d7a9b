/**
 * What a statement brought back, as lines of text: a table of what was recorded, and what was left out. A table that is wider than
 * its room is one line for each value instead.
 */
import type { ShownAnswer, ShownResult } from '../../review/recorded-results.js';
import type { TimelineItem } from '../../review/timeline.js';
import { textWidth } from '../../ui/character-width.js';
import { sanitise, singleLine } from '../../untrusted-text.js';
import { counted, grouped } from '../../words.js';

const widestCell = 40;
/** Characters of a value that has a line of its own. */
const longestValue = 2000;
/** Rows of one result in a picture: a person looks, nobody counts. */
const mostRows = 500;

export function statementWords({ n, text, bind, title }: TimelineItem): string[] {
  const sql = sanitise(text ?? title).text.split('\n');
  return [`#${n}`, ...sql, ...(bind === undefined ? [] : [`with ${singleLine(bind, 500)}`])];
}

/** @param room columns of the screen; a file has as many as it takes */
export function answerWords(answer: ShownAnswer, room = Infinity): string[] {
  const lines = answer.results.flatMap((result) => ['', ...resultWords(result, room)]);
  for (const { severity, code, message, detail, hint } of answer.messages) {
    lines.push('', `${singleLine(severity, 20)} ${singleLine(code, 5)}: ${singleLine(message, 2000)}`);
    if (detail !== undefined) lines.push(`DETAIL: ${singleLine(detail, 2000)}`);
    if (hint !== undefined) lines.push(`HINT: ${singleLine(hint, 2000)}`);
  }
  if (answer.cut !== undefined) {
    const rows = answer.results.reduce((sum, { rows, copied }) => sum + rows.length + copied.length, 0);
    lines.push(
      `(recorded: the first ${grouped(rows)} rows; ${answer.cut === 'rows' ? 'max_rows' : 'their size'} left out the rest)`,
    );
  }
  return lines;
}

function resultWords({ columns, rows, copied }: ShownResult, room: number): string[] {
  if (copied.length > 0)
    return copied.slice(0, mostRows).flatMap((data) => sanitise(data.replace(/\n$/, '')).text.split('\n'));
  const width = Math.max(columns?.length ?? 0, ...rows.map((row) => row.length));
  const heads = Array.from({ length: width }, (_, at) => singleLine(columns?.[at]?.name ?? '', widestCell));
  const types = Array.from({ length: width }, (_, at) => singleLine(columns?.[at]?.type ?? '', widestCell));
  const cells = rows
    .slice(0, mostRows)
    .map((row) => row.map((cell) => (cell === null ? '∅' : singleLine(cell, widestCell))));
  const widths = heads.map((head, at) =>
    Math.max(textWidth(head), textWidth(types[at] ?? ''), ...cells.map((row) => textWidth(row[at] ?? ''))),
  );
  const line = (row: readonly string[]): string =>
    widths
      .map((room, at) => (row[at] ?? '') + ' '.repeat(Math.max(0, room - textWidth(row[at] ?? ''))))
      .join(' │ ')
      .trimEnd();
  const rule = widths.map((room) => '─'.repeat(room)).join('─┼─');
  const more = rows.length > mostRows ? [`(${grouped(rows.length - mostRows)} more)`] : [];
  const count = [`(${counted(rows.length, 'row')})`, ...more];
  if (textWidth(rule) > room)
    return [...rows.slice(0, mostRows).flatMap((row, at) => valueWords(row, at, heads)), ...count];
  return [line(heads), line(types), rule, ...cells.map(line), ...count];
}

/** One row, a value a line, each as long as it is. */
function valueWords(row: readonly (string | null)[], at: number, heads: readonly string[]): string[] {
  const wide = Math.max(0, ...heads.map(textWidth));
  return [
    `── row ${at + 1}`,
    ...row.map((cell, column) => {
      const head = heads[column] ?? '';
      return `${head}${' '.repeat(Math.max(0, wide - textWidth(head)))} │ ${cell === null ? '∅' : singleLine(cell, longestValue)}`;
    }),
  ];
}

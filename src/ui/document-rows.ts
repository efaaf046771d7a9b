/** What the prompt scrolls through: statement, values, reason and impact, wrapped to the width of the screen. */
import type { Preview } from '../run/preview.js';
import { characterWidth, textWidth } from './character-width.js';
import { highlight, type TokenKind } from './highlight.js';

export type Style = TokenKind | 'label' | 'info' | 'warning' | 'alarm' | 'faint';

export interface Span {
  readonly style: Style;
  readonly text: string;
}

export type Row = readonly Span[];

export function documentRows(preview: Preview, columns: number): Row[] {
  const width = Math.max(10, columns);
  const rows: Row[] = [];
  for (const warning of preview.warnings) rows.push(...wrap([{ style: 'alarm', text: `! ${warning}` }], width, 2));
  if (preview.warnings.length > 0) rows.push([]);
  rows.push(...wrap(highlight(preview.statement).map(asSpan), width, 0));
  if (preview.values.length > 0) {
    rows.push([], [{ style: 'label', text: 'with' }]);
    for (const value of preview.values) rows.push(...wrap([{ style: 'string', text: value }], width, 5));
  }
  rows.push([]);
  rows.push(...labelled('why', [{ style: 'plain', text: preview.why }], width));
  for (const line of preview.impact) {
    const style = line.severity === 'danger' ? 'alarm' : line.severity === 'warning' ? 'warning' : 'info';
    rows.push(...labelled(line.label, [{ style, text: line.text }], width));
  }
  for (const { label, text } of preview.facts) rows.push(...labelled(label, [{ style: 'plain', text }], width));
  return rows;
}

const labelWidth = 7;

export function labelled(label: string, spans: readonly Span[], width: number): Row[] {
  const padded = textWidth(label) < labelWidth ? label + ' '.repeat(labelWidth - textWidth(label)) : `${label} `;
  return wrap([{ style: 'label', text: padded }, ...spans], width, labelWidth);
}

function asSpan(token: { readonly kind: TokenKind; readonly text: string }): Span {
  return { style: token.kind, text: token.text };
}

/** Breaks at line ends and at the width, between words where there is one near; later rows are indented. */
export function wrap(spans: readonly Span[], width: number, indent: number): Row[] {
  const rows: Row[] = [];
  let row: Span[] = [];
  let used = 0;
  const lead = indent > 0 && indent < width / 2 ? ' '.repeat(indent) : '';
  const breakRow = (): void => {
    rows.push(row);
    row = lead === '' ? [] : [{ style: 'plain', text: lead }];
    used = lead.length;
  };
  for (const { style, text } of spans) {
    const lines = text.split('\n');
    for (const [index, line] of lines.entries()) {
      if (index > 0) breakRow();
      for (const word of words(line)) {
        const wordWidth = textWidth(word);
        if (used + wordWidth > width && used > lead.length && wordWidth <= width - lead.length) {
          breakRow();
          if (word.trim() === '') continue;
        }
        used = place(word, style, width, used, row, () => {
          breakRow();
          return row;
        });
      }
    }
  }
  rows.push(row);
  return rows;
}

/** Words and the blanks between them, blanks of their own so that a row can begin with a word. */
function words(line: string): string[] {
  return line.match(/\s+|[^\s]+/gu) ?? [];
}

/** Puts a word onto the row, breaking inside it where it is wider than a whole row. */
function place(word: string, style: Style, width: number, used: number, first: Span[], nextRow: () => Span[]): number {
  let row = first;
  let piece = '';
  let column = used;
  for (const character of word) {
    const w = characterWidth(character.codePointAt(0) ?? 0);
    if (column + w > width) {
      append(row, style, piece);
      piece = '';
      row = nextRow();
      column = row.reduce((sum, span) => sum + textWidth(span.text), 0);
    }
    piece += character;
    column += w;
  }
  append(row, style, piece);
  return column;
}

function append(row: Span[], style: Style, text: string): void {
  if (text === '') return;
  const last = row.at(-1);
  if (last?.style === style) row[row.length - 1] = { style, text: last.text + text };
  else row.push({ style, text });
}

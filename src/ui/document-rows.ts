/** What the prompt scrolls through: statement, values, reason and impact, wrapped to the width of the screen. */
import type { Preview } from '../approval/preview.js';
import { characterWidth, textWidth } from './character-width.js';
import { highlight, type TokenKind } from './highlight.js';

export type Style = TokenKind | 'label' | 'info' | 'good' | 'warning' | 'alarm' | 'faint' | 'cursor';

export interface Span {
  readonly style: Style;
  readonly text: string;
}

export type Row = readonly Span[];

export interface DocumentRows {
  readonly rows: readonly Row[];
  /** How many of them, from the first, a person must have seen: all but who, where and which rule. */
  readonly essential: number;
}

/**
 * @param placeShown who and where stand above the document already
 * @param headlineShown the headline stands there whole
 */
export function documentRows(
  preview: Preview,
  columns: number,
  placeShown = false,
  headlineShown = true,
): DocumentRows {
  const width = Math.max(10, columns);
  const facts = placeShown ? preview.facts.slice(placeFacts) : preview.facts;
  const labels = [
    'why',
    ...(preview.askedFor === undefined ? [] : ['asked for']),
    ...(headlineShown ? [] : ['does']),
    ...[...preview.impact, ...preview.dryRun].map(({ label }) => label),
    ...facts.map(({ label }) => label),
  ];
  const widths = labels.map(textWidth).filter((one) => one <= width / 3);
  const indent = Math.max(...widths) + 1;
  const statement = wrap(highlight(preview.statement).map(asSpan), width, 0);
  if (preview.values.length > 0) statement.push([], [{ style: 'label', text: 'with' }]);
  for (const value of preview.values) statement.push(...wrap([{ style: 'string', text: value }], width, 5));
  const about = labelled('why', { style: 'plain', text: preview.why }, indent, width);
  if (preview.askedFor !== undefined)
    about.push(...labelled('asked for', { style: 'faint', text: preview.askedFor }, indent, width));
  for (const { label, text, severity } of preview.impact) {
    about.push(...labelled(label, { style: severityStyles[severity], text }, indent, width));
  }
  const found = preview.dryRun.flatMap(({ label, text, severity }) =>
    labelled(label, { style: severityStyles[severity], text }, indent, width),
  );
  const warnings = preview.warnings.flatMap((text) => wrap([{ style: 'alarm', text: `! ${text}` }], width, 2));
  // what it does must not hide behind a statement that fills the screen
  const order = statement.length > shortStatement ? [about, statement] : [statement, about];
  // somebody has just asked for the dry run
  const does = headlineShown ? [] : labelled('does', { style: 'alarm', text: preview.headline }, indent, width);
  const parts = [does, found, warnings, ...order];
  const rows = parts.filter((part) => part.length > 0).flatMap((part, index) => (index === 0 ? part : [[], ...part]));
  const essential = rows.length;
  if (parts.at(-1) === statement) rows.push([]);
  for (const { label, text } of facts) rows.push(...labelled(label, { style: 'plain', text }, indent, width));
  return { rows, essential };
}

/** Rows of a statement that leave room for the rest on a small screen. */
const shortStatement = 6;

const severityStyles = { danger: 'alarm', warning: 'warning', info: 'info' } as const;

/** Agent and place, the first of the facts. */
const placeFacts = 2;

/** One line: who asks, and where. */
export function placeLine(preview: Preview): string {
  return preview.facts
    .slice(0, placeFacts)
    .map(({ text }) => text)
    .join('  →  ');
}

/** A long label, of a table with a long name, has a row of its own and does not push the others aside. */
function labelled(label: string, span: Span, indent: number, width: number): Row[] {
  const room = indent - textWidth(label);
  const lead: Span = { style: 'label', text: room > 0 ? label + ' '.repeat(room) : `${label}\n` };
  return wrap([lead, span], width, indent);
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

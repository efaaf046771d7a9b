/** Cells of the browser's tables. Every text comes onto the screen through here or through passages.ts: nothing in it acts. */
import { singleLine } from '../../untrusted-text.js';
import { filled, fitted, textWidth } from '../character-width.js';
import type { Row, Span, Style } from '../document-rows.js';

export type Tone = 'plain' | 'good' | 'bad' | 'waiting' | 'quiet' | 'strong';

export const toneStyles: Readonly<Record<Tone, Style>> = {
  plain: 'plain',
  good: 'good',
  bad: 'alarm',
  waiting: 'warning',
  quiet: 'faint',
  strong: 'keyword',
};

export interface Column {
  readonly head: string;
  readonly width: number;
  /** Numbers stand right; a name loses its middle, a sentence its end. */
  readonly cut: 'right' | 'middle' | 'end';
}

export interface Cell {
  readonly text: string;
  readonly tone?: Tone;
}

const longest = 1000;

export function span(text: string, tone: Tone, width: number, cut: Column['cut'] = 'end'): Span {
  const clean = singleLine(text, longest);
  const missing = Math.max(0, width - textWidth(clean));
  const shown =
    cut === 'right' && missing > 0
      ? ' '.repeat(missing) + clean
      : cut === 'middle'
        ? fitted(clean, width)
        : filled(clean, width);
  return { style: toneStyles[tone], text: shown };
}

/** @param columns those of no width are left out */
export function tableRow(columns: readonly Column[], cells: readonly Cell[]): Row {
  return columns.flatMap(({ width, cut }, at) => {
    const { text = '', tone = 'plain' } = cells[at] ?? {};
    return width <= 0 ? [] : [span(text, tone, width, cut), { style: 'plain' as const, text: ' ' }];
  });
}

export function headRow(columns: readonly Column[]): Row {
  return tableRow(
    columns,
    columns.map(({ head }) => ({ text: head, tone: 'quiet' })),
  );
}

/** One cell beside the other, as one sentence: what does not fit is left out. */
export function sentence(parts: readonly Cell[], width: number): Row {
  let room = width;
  return parts.flatMap(({ text, tone = 'plain' }) => {
    const clean = singleLine(text, longest);
    const wide = Math.min(room, textWidth(clean));
    room -= wide;
    return wide <= 0 ? [] : [span(clean, tone, wide)];
  });
}

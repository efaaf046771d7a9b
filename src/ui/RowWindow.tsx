/** Rows of styled text, one below the other, as wide and as high as there is room for. */
import { Box, Text } from 'ink';
import { createElement, type ReactElement } from 'react';
import type { Row, Span, Style } from './document-rows.js';

export interface TextStyle {
  readonly color?: string;
  readonly backgroundColor?: string;
  readonly bold?: true;
  readonly dimColor?: true;
  readonly inverse?: true;
}

/** Red and magenta alone are dark enough for a white background and light enough for a black one, in every theme. */
export const styles: Readonly<Record<Style, TextStyle>> = {
  plain: {},
  keyword: { bold: true },
  danger: { color: 'red', bold: true },
  string: { color: 'magenta' },
  number: { color: 'magenta' },
  comment: { dimColor: true },
  hidden: { color: 'red', inverse: true },
  label: { dimColor: true },
  info: {},
  good: { color: 'green' },
  warning: { color: 'magenta' },
  alarm: { color: 'red', bold: true },
  faint: { dimColor: true },
  cursor: { inverse: true },
};

export function withColours(style: TextStyle, colours: boolean): TextStyle {
  const { color: _color, backgroundColor, ...rest } = style;
  if (colours) return style;
  return backgroundColor === undefined ? rest : { ...rest, inverse: true };
}

/** Rows and spans are given as arguments, not as lists: they have no identity that React could track. */
export function RowWindow(props: {
  readonly rows: readonly Row[];
  readonly height: number;
  readonly colours: boolean;
  /** The row that is chosen stands inverse. */
  readonly selected?: number;
}): ReactElement {
  const { rows, height, colours, selected } = props;
  const children = rows.slice(0, height).map((row, place) => documentRow(row, colours, place === selected));
  return createElement(Box, { flexDirection: 'column', height }, ...children);
}

function documentRow(row: Row, colours: boolean, chosen: boolean): ReactElement {
  const children = merged(row).map((span) => createElement(Text, withColours(styles[span.style], colours), span.text));
  return createElement(Text, { wrap: 'truncate', inverse: chosen }, ' ', ...children);
}

/** What follows in the same style is one: ink measures and cuts each by itself. */
function merged(row: Row): Span[] {
  const spans: Span[] = [];
  for (const span of row) {
    const last = spans.at(-1);
    if (last?.style === span.style) spans[spans.length - 1] = { ...last, text: last.text + span.text };
    else spans.push(span);
  }
  return spans;
}

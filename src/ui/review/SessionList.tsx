/** The sessions of a bucket, one a row. */
import { Box } from 'ink';
import type { ReactElement } from 'react';
import { RowWindow } from '../RowWindow.js';
import { type Cell, type Column, headRow, tableRow } from './cells.js';

export interface SessionListItem {
  readonly mark: Cell;
  readonly when: string;
  readonly who: string;
  readonly where: string;
  readonly statements: string;
  readonly asked: string;
  readonly denied: string;
  readonly flags: readonly Cell[];
  readonly agent: string;
}

export interface SessionListProps {
  readonly items: readonly SessionListItem[];
  readonly selected: number;
  readonly columns: number;
  readonly height: number;
  readonly colours: boolean;
}

const wide = 120;

export function SessionList({ items, selected, columns, height, colours }: SessionListProps): ReactElement {
  const table = columnsOf(columns);
  return (
    <Box flexDirection="column">
      <RowWindow rows={[headRow(table)]} height={1} colours={colours} />
      <RowWindow rows={items.map((item) => rowOf(item, table))} height={height} colours={colours} selected={selected} />
    </Box>
  );
}

function columnsOf(columns: number): Column[] {
  const isWide = columns >= wide;
  const fixed: Column[] = [
    { head: '', width: 1, cut: 'end' },
    { head: 'when (UTC)', width: isWide ? 16 : 11, cut: 'end' },
    { head: 'who', width: isWide ? 30 : 20, cut: 'middle' },
    { head: 'where', width: isWide ? 18 : 9, cut: 'middle' },
    { head: 'stmts', width: 7, cut: 'right' },
    { head: 'asked', width: 5, cut: 'right' },
    { head: 'denied', width: 6, cut: 'right' },
    { head: 'agent', width: isWide ? Math.max(0, Math.floor((columns - wide) / 2) + 12) : 0, cut: 'end' },
  ];
  const used = fixed.reduce((sum, { width }) => sum + (width > 0 ? width + 1 : 0), 1);
  return [...fixed, { head: 'notes', width: Math.max(0, columns - used - 1), cut: 'end' }];
}

function rowOf(item: SessionListItem, table: readonly Column[]) {
  const { when, who, where, statements, asked, denied, flags, agent } = item;
  const some = (count: string): boolean => count !== '' && count !== '0';
  return tableRow(table, [
    item.mark,
    // the year only where there is room
    { text: table[1]?.width === 11 ? when.slice(5) : when },
    { text: who },
    { text: where },
    { text: statements },
    { text: asked, tone: some(asked) ? 'waiting' : 'quiet' },
    { text: denied, tone: some(denied) ? 'bad' : 'quiet' },
    { text: agent, tone: 'quiet' },
    notesOf(flags),
  ]);
}

function notesOf(flags: readonly Cell[]): Cell {
  const [worst] = flags;
  if (worst === undefined) return { text: '' };
  return { text: flags.map(({ text }) => text).join(', '), ...(worst.tone === undefined ? {} : { tone: worst.tone }) };
}

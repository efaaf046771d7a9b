/** What happened in one session, one row for whatever stands by itself; the proof beside it where there is room. */
import { Box } from 'ink';
import type { ReactElement } from 'react';
import type { Row } from '../document-rows.js';
import { RowWindow } from '../RowWindow.js';
import { type Cell, type Column, headRow, tableRow } from './cells.js';
import { type Passage, passageRows } from './passages.js';

export interface TimelineRow {
  readonly number: string;
  readonly time: string;
  readonly client: string;
  readonly standing: Cell;
  readonly text: Cell;
  readonly end: Cell;
}

export interface TimelineProps {
  readonly rows: readonly TimelineRow[];
  readonly selected: number;
  readonly columns: number;
  readonly height: number;
  readonly colours: boolean;
  readonly proof: readonly Passage[];
}

/** From here on the proof stands beside the rows. */
const wide = 130;
const proofColumns = 50;

export function isProofBeside(columns: number): boolean {
  return columns >= wide;
}

export function Timeline({ rows, selected, columns, height, colours, proof }: TimelineProps): ReactElement {
  const beside = isProofBeside(columns);
  const width = beside ? columns - proofColumns - 1 : columns;
  const table = columnsOf(width);
  const body = rows.map(({ number, time, client, standing, text, end }) =>
    tableRow(table, [
      { text: number, tone: 'strong' },
      { text: time, tone: 'quiet' },
      { text: client, tone: 'quiet' },
      standing,
      text,
      end,
    ]),
  );
  return (
    <Box>
      <Box flexDirection="column" width={width}>
        <RowWindow rows={[headRow(table)]} height={1} colours={colours} />
        <RowWindow rows={body} height={height} colours={colours} selected={selected} />
      </Box>
      {beside && (
        <Box flexDirection="column" width={proofColumns + 1}>
          <RowWindow rows={framed(proof, height + 1)} height={height + 1} colours={colours} />
        </Box>
      )}
    </Box>
  );
}

function framed(proof: readonly Passage[], height: number): Row[] {
  const rows = passageRows(proof, proofColumns - 3);
  return Array.from({ length: height }, (_, at) => [{ style: 'faint' as const, text: '│ ' }, ...(rows[at] ?? [])]);
}

function columnsOf(columns: number): Column[] {
  const room = Math.max(20, columns - 34);
  const end = Math.min(60, Math.floor(room / 3));
  return [
    { head: '#', width: 7, cut: 'end' },
    { head: 'time', width: 8, cut: 'end' },
    { head: 'conn', width: 4, cut: 'end' },
    { head: '', width: 6, cut: 'end' },
    { head: 'what', width: room - end, cut: 'end' },
    { head: 'came of it', width: end, cut: 'end' },
  ];
}

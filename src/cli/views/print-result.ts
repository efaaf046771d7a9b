/** A query's result in the form that was asked for. */
import type { Result } from '../../io/duckdb/engine.js';
import type { CommandContext } from '../command.js';
import { paged } from '../print/paged.js';
import { outputStyleFor } from '../print/text.js';
import { csvCell, csvLine, jsonLine, type Row, SAMPLE, Table } from './row-formats.js';

export const textFormats = ['table', 'json', 'csv'] as const;
export type TextFormat = (typeof textFormats)[number];

/** Returns how many rows were printed; fewer than there are where nobody reads any more. */
export async function printResult(context: CommandContext, result: Result, format: TextFormat): Promise<number> {
  let count = 0;
  await paged(context, async (out) => {
    for await (const line of linesOf(context, result, format)) {
      if (line.isRow) count++;
      if (!(await out.write(line.text))) return 0;
    }
    await out.flush();
    return 0;
  });
  return count;
}

interface Line {
  readonly text: string;
  readonly isRow: boolean;
}

async function* linesOf(context: CommandContext, result: Result, format: TextFormat): AsyncGenerator<Line> {
  const { columns } = result;
  const row = (text: string): Line => ({ text, isRow: true });
  if (format === 'table') yield* tableLines(context, result);
  else if (format === 'json') for await (const one of eachRow(result)) yield row(jsonLine(columns, one));
  else {
    yield { text: csvLine(columns.map(({ name }) => csvCell({ name, type: 'VARCHAR' }, name))), isRow: false };
    for await (const one of eachRow(result)) {
      yield row(csvLine(columns.map((column, index) => csvCell(column, one[index]))));
    }
  }
}

async function* tableLines(context: CommandContext, result: Result): AsyncGenerator<Line> {
  const sample: Row[] = [];
  let table: Table | undefined;
  const begin = (): Table => new Table(result.columns, sample, outputStyleFor(context), context.stdout.isTTY === true);
  for await (const one of eachRow(result)) {
    if (table === undefined && sample.push(one) < SAMPLE) continue;
    if (table === undefined) {
      table = begin();
      yield* shownBy(table, sample);
    } else yield { text: table.row(one), isRow: true };
  }
  if (table === undefined) yield* shownBy(begin(), sample);
}

function* shownBy(table: Table, rows: readonly Row[]): Generator<Line> {
  yield { text: table.head, isRow: false };
  for (const one of rows) yield { text: table.row(one), isRow: true };
}

async function* eachRow(result: Result): AsyncGenerator<Row> {
  for await (const rows of result.rows()) yield* rows;
}

/**
 * The rows of one session as lines of JSON, by view, while it is verified. A row says nothing of what was proven: that is
 * known at the end, and stands in the session's own row.
 *
 * What lives here: the lines until they are handed on. What it must not know: where they go.
 */
import type { Entry } from '../../transcript/entry.js';
import { EarlierEntries } from '../earlier-entries.js';
import type { SessionReport } from '../session-report.js';
import { type Column, type EntryColumn, typed } from './column.js';
import { sessionColumns } from './session-columns.js';
import { vouchedEntries } from './session-reading.js';
import { entryViewNames, entryViews, type ViewName } from './view-table.js';

/** A promise is awaited. @param lines of JSON, each ended */
export type RowSink = (view: ViewName, lines: string) => unknown;

/** Characters of a view that wait. */
const BATCH = 256 * 1024;

const viewsOf = new Map<string, readonly { view: ViewName; columns: readonly EntryColumn[] }[]>();
for (const view of entryViewNames) {
  const { kinds, columns } = entryViews[view];
  for (const kind of kinds) viewsOf.set(kind, [...(viewsOf.get(kind) ?? []), { view, columns }]);
}

export class SessionRows {
  readonly #sink: RowSink;
  readonly #folder: string;
  readonly #sid: string;
  readonly #earlier = new EarlierEntries();
  readonly #waiting = new Map<ViewName, string>();

  constructor(session: { readonly subject: string; readonly sid: string }, sink: RowSink) {
    this.#sink = sink;
    this.#folder = session.subject;
    this.#sid = session.sid;
  }

  /** Every entry, in order. */
  readonly entry = (entry: Entry, disclosed: Readonly<Record<string, unknown>>): Promise<void> | undefined => {
    const meant = this.#earlier.meant(entry, disclosed);
    const views = viewsOf.get(entry.k);
    if (views === undefined) return undefined;
    const reading = { entry, disclosed, meant };
    let full: ViewName | undefined;
    for (const { view, columns } of views) {
      const row: Record<string, unknown> = { folder: this.#folder, sid: this.#sid };
      fill(row, columns, reading);
      if (this.#add(view, row)) full = view;
    }
    return full === undefined ? undefined : this.#handOn(full);
  };

  /** After the last entry. */
  async end(report: SessionReport): Promise<void> {
    const vouched = vouchedEntries(report);
    const row: Record<string, unknown> = { vouched };
    fill(row, sessionColumns, { folder: this.#folder, report, vouched });
    this.#add('sessions', row);
    for (const view of this.#waiting.keys()) await this.#handOn(view);
  }

  #add(view: ViewName, row: object): boolean {
    const lines = `${this.#waiting.get(view) ?? ''}${JSON.stringify(row)}\n`;
    this.#waiting.set(view, lines);
    return lines.length >= BATCH;
  }

  async #handOn(view: ViewName): Promise<void> {
    const lines = this.#waiting.get(view) ?? '';
    this.#waiting.set(view, '');
    if (lines !== '') await this.#sink(view, lines);
  }
}

function fill<Row>(row: Record<string, unknown>, columns: readonly Column<Row>[], reading: Row): void {
  for (const { name, type, of } of columns) {
    const value = typed(type, of(reading));
    if (value !== undefined) row[name] = value;
  }
}

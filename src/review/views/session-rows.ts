/**
 * The rows of one session as lines of JSON, by view, while it is verified. A row says nothing of what was proven: that is
 * known at the end, and stands in the session's own row.
 *
 * What lives here: the lines until they are handed on. What it must not know: where they go.
 */
import type { Entry } from '../../transcript/entry.js';
import { EarlierEntries } from '../earlier-entries.js';
import type { SessionReport } from '../session-report.js';
import { type EntryReading, type RowForm, rowForm, rowLine } from './column.js';
import { type FactsSummary, summariseFacts } from './facts-columns.js';
import { sessionColumns } from './session-columns.js';
import { vouchedEntries } from './session-reading.js';
import { entryViewNames, entryViews, type ViewName } from './view-table.js';

/** A promise is awaited. @param lines of JSON, each ended */
export type RowSink = (view: ViewName, lines: string) => unknown;

/** Characters of a view that wait. */
const BATCH = 256 * 1024;

const viewsOf = new Map<string, readonly { view: ViewName; form: RowForm<EntryReading> }[]>();
for (const view of entryViewNames) {
  const { kinds, columns } = entryViews[view];
  const form = rowForm<EntryReading>(columns);
  for (const kind of kinds) viewsOf.set(kind, [...(viewsOf.get(kind) ?? []), { view, form }]);
}
const sessionForm = rowForm(sessionColumns);

export class SessionRows {
  readonly #sink: RowSink;
  readonly #folder: string;
  readonly #earlier = new EarlierEntries();
  readonly #waiting = new Map<ViewName, string>();
  /** What each row begins with. */
  readonly #whose: string;
  /** Most texts come again and again, and so does what was read of them. */
  readonly #summaries = new WeakMap<object, FactsSummary>();

  constructor(session: { readonly subject: string; readonly sid: string }, sink: RowSink) {
    this.#sink = sink;
    this.#folder = session.subject;
    this.#whose = `"folder":${JSON.stringify(session.subject)},"sid":${JSON.stringify(session.sid)},`;
  }

  /** Every entry, in order. */
  readonly entry = (entry: Entry, disclosed: Readonly<Record<string, unknown>>): Promise<void> | undefined => {
    const meant = this.#earlier.meant(entry, disclosed);
    const views = viewsOf.get(entry.k);
    if (views === undefined) return undefined;
    const reading = { entry, disclosed, meant, facts: this.#summaryOf(meant.facts) };
    let full: ViewName | undefined;
    for (const { view, form } of views) {
      if (this.#add(view, rowLine(form, this.#whose, reading))) full = view;
    }
    return full === undefined ? undefined : this.#handOn(full);
  };

  #summaryOf(facts: unknown): FactsSummary | undefined {
    if (typeof facts !== 'object' || facts === null) return undefined;
    let summary = this.#summaries.get(facts);
    if (summary === undefined) {
      summary = summariseFacts(facts);
      if (summary !== undefined) this.#summaries.set(facts, summary);
    }
    return summary;
  }

  /** After the last entry. */
  async end(report: SessionReport): Promise<void> {
    const vouched = vouchedEntries(report);
    const reading = { folder: this.#folder, report, vouched };
    this.#add('sessions', rowLine(sessionForm, `"vouched":${vouched},`, reading));
    for (const view of this.#waiting.keys()) await this.#handOn(view);
  }

  #add(view: ViewName, line: string): boolean {
    const lines = (this.#waiting.get(view) ?? '') + line;
    this.#waiting.set(view, lines);
    return lines.length >= BATCH;
  }

  async #handOn(view: ViewName): Promise<void> {
    const lines = this.#waiting.get(view) ?? '';
    this.#waiting.set(view, '');
    if (lines !== '') await this.#sink(view, lines);
  }
}

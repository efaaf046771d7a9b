/** A row as something that has happened: when, and how grave it is. */
import type { SessionReport } from '../session-report.js';
import type { ViewName } from './view-table.js';

type Row = Readonly<Record<string, unknown>>;

export interface RowEvent {
  readonly view: ViewName;
  /** Values by column; times in microseconds since 1970 UTC. */
  readonly row: Row;
  /** Of the session that it stands in. */
  readonly session: Row;
  readonly report: SessionReport;
}

/** Microseconds since 1970 UTC, by the writer's clock. */
export function timeOf({ view, row }: RowEvent): number {
  return Number((view === 'sessions' ? row.opened_at : row.time) ?? 0);
}

/** `bad`: something was stopped or failed. `doubtful`: the session is not what it should be. */
export type Gravity = 'plain' | 'bad' | 'doubtful';

export function gravityOf({ view, row, report }: RowEvent): Gravity {
  if (view === 'sessions') return report.verdict === 'invalid' ? 'doubtful' : 'plain';
  const { decision, how } = row;
  const stopped = view === 'verdicts' ? decision !== 'allow' : decision === 'deny';
  return stopped || how === 'undone' || how === 'failed' ? 'bad' : 'plain';
}

/** Sums over a session, for its last line. */
import type { Decision } from '../../policy/decision.js';
import type { Answer } from './asker.js';

export interface JournalTotals {
  readonly statements: number;
  readonly deniedByRule: number;
  /** What second persons were asked, by what they said in time. */
  readonly secondPersons: { readonly approved: number; readonly denied: number; readonly unanswered: number };
  /** By committed transactions, as command tags of INSERT, UPDATE, DELETE and MERGE report. */
  readonly rowsChanged: number;
  /** Columns that nobody declared and in which detectors found somebody's data. */
  readonly detected: number;
}

export class RunningTotals implements JournalTotals {
  statements = 0;
  deniedByRule = 0;
  readonly secondPersons = { approved: 0, denied: 0, unanswered: 0 };
  rowsChanged = 0;
  detected = 0;

  /** @param demanded who had to decide */
  verdict(demanded: Decision, { decision, by }: Answer): void {
    if (demanded !== 'second-person' || by.kind === 'earlier-denial') return;
    if (by.kind !== 'second-person') this.secondPersons.unanswered++;
    else this.secondPersons[decision === 'allow' ? 'approved' : 'denied']++;
  }
}

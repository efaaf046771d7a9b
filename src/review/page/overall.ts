/** The one verdict at the top of a page: whatever is wrong anywhere in it is said there. Pure: no document is known here. */
import { counted } from '../../words.js';
import { recordingChanged, worstWords } from '../proof-words.js';
import type { SessionReport, Verdict } from '../session-report.js';

export interface Checked {
  /** What is wrong with the document itself, one sentence. */
  readonly fault: string | undefined;
  readonly reports: readonly SessionReport[];
  /** What lies in the place of recordings and is something else; a sentence each. */
  readonly recordingFaults: readonly string[];
  /** Under the issuer's keys that the reader gave, not the page's. */
  readonly ownKeys: boolean;
}

export interface Overall {
  readonly verdict: Verdict;
  readonly heading: string;
  readonly text: string;
}

export function overallOf({ fault, reports, recordingFaults, ownKeys }: Checked): Overall {
  const wrong = 'CHANGED OR FORGED';
  if (fault !== undefined) {
    const text = `this page is not as dbguard wrote it: ${fault}. What it says below counts for nothing`;
    return { verdict: 'invalid', heading: wrong, text };
  }
  const worst = worstWords(reports);
  const which = reports.length === 1 ? 'this session' : counted(reports.length, 'session');
  const under = `${which}, under ${ownKeys ? 'the issuer’s keys that you gave' : 'the issuer’s keys that came with this page'}`;
  if (recordingFaults.length === 0) return { ...worst, text: under };
  const changed = recordingFaults.join('; ');
  // a transcript that is wrong itself is the worse news
  if (worst.verdict === 'invalid') return { ...worst, text: `${under}. Changed as well: ${changed}` };
  const text = `${changed}. The transcript itself, ${under}: ${worst.heading}`;
  return { verdict: 'invalid', heading: recordingChanged, text };
}

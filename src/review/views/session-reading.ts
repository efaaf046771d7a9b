/**
 * One session as the views see it: where it lies, what was proven of it, and which of its lines count as somebody's.
 *
 * What lives here: the judgement over lines. What it must not know: columns, engines.
 */
import type { FindingCode } from '../../transcript/finding.js';
import { proofLines } from '../proof-words.js';
import type { SessionReport } from '../session-report.js';

export interface SessionReading {
  /** Hash of the subject, as the key says. */
  readonly folder: string;
  readonly report: SessionReport;
  /** See `vouchedEntries`. */
  readonly vouched: number;
}

/** Said of lines behind the last signature: those before it are none the worse. */
const ofTheTail: readonly FindingCode[] = ['unsigned-tail'];

/**
 * How many entries, from the first one on, are proven to be the person's whom the session names: what `verify` says of who
 * and of what holds, and a signature covers them. That the session is whole is not needed: one that still runs, or has
 * crashed, has said what it has said.
 */
export function vouchedEntries(report: SessionReport): number {
  const findings = report.findings.filter(({ code }) => !ofTheTail.includes(code));
  const lines = proofLines({ ...report, findings });
  const holds = ['who', 'what'].every((label) => lines.some((line) => line.label === label && line.holds === 'yes'));
  return holds ? report.signedSize : 0;
}

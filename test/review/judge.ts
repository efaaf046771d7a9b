/** What verification says of a tampered bucket, held against a row of the table. */

import { Expected } from '../../src/review/expectations.js';
import { type ProofLine, proofLines } from '../../src/review/proof-words.js';
import type { SessionReport, Verdict } from '../../src/review/session-report.js';
import { verifyAll } from '../../src/review/verify-all.js';
import type { Finding } from '../../src/transcript/finding.js';
import { clientId } from '../transcript/people.js';
import type { Scene, Tampering } from './tamperings.js';
import type { Vault } from './vaults.js';

export interface Judgement {
  readonly verdict: Verdict | 'gone';
  readonly exit: 0 | 1 | 2;
  /** Codes found about the first session, and beside the sessions. */
  readonly codes: readonly string[];
  /** Sessions that nobody touched and that are not proven. */
  readonly hurt: readonly string[];
  readonly messages: readonly string[];
  /** What the sentences about the sessions say beyond what their verdicts support. */
  readonly overstated: readonly string[];
}

export async function judge(scene: Scene, { bucket }: Vault): Promise<Judgement> {
  const reports: SessionReport[] = [];
  const beside: Finding[] = [];
  const keys = { keysOf: async () => [{ ...scene.cast.issuer.keys, origin: 'test' }] };
  await verifyAll({
    source: bucket,
    keys,
    demands: { clientId },
    now: scene.now,
    ...(scene.retentionDays === undefined ? {} : { retentionDays: scene.retentionDays }),
    expected: new Expected(scene.expected),
    onReport: (report) => reports.push(report),
    onFinding: (finding) => beside.push(finding),
  });
  const first = reports.find(({ sid }) => sid === scene.first.sid);
  const untouched = [scene.second, ...scene.others.slice(0, 1)].flatMap((session) => (session ? [session.sid] : []));
  const found = [...(first?.findings ?? []), ...beside, ...strangers(reports, scene)];
  const worst = (severity: Finding['severity']): boolean => beside.some((finding) => finding.severity === severity);
  const some = (verdict: Verdict): boolean => reports.some((report) => report.verdict === verdict);
  return {
    verdict: first?.verdict ?? 'gone',
    exit: some('invalid') || worst('failure') ? 1 : some('unproven') || worst('warning') ? 2 : 0,
    codes: found.map(({ code }) => code),
    hurt: reports.filter(({ sid, verdict }) => untouched.includes(sid) && verdict !== 'proven').map(({ sid }) => sid),
    overstated: reports.flatMap(overstatements),
    messages: found.map(({ severity, code, message }) => `${severity} ${code}: ${message}`),
  };
}

/** A ✓ is never beside what the verdict does not support, and a verdict never worse or better than its sentences. */
export function overstatements(report: SessionReport): string[] {
  const { verdict, sid } = report;
  const marks = proofLines(report).slice(0, 4);
  const some = (holds: ProofLine['holds']): boolean => marks.some((line) => line.holds === holds);
  const wrong = [
    verdict === 'proven' && some('no') ? 'proven, and a sentence says no' : '',
    verdict === 'unproven' && !some('unknown') && !some('no') ? 'not all proven, and every sentence says yes' : '',
    verdict === 'invalid' && !some('no') ? 'changed or forged, and no sentence says no' : '',
    marks[0]?.holds === 'no' && some('yes') ? 'nobody is proven to have made it, and a sentence says yes' : '',
    marks[1]?.holds === 'no' && marks[3]?.holds === 'yes' && !signedFaults(report) ? 'changed, and its times hold' : '',
  ];
  return wrong.filter((one) => one !== '').map((one) => `${sid}: ${one}: ${JSON.stringify(marks)}`);
}

/** What a session's own key signed may contradict itself; it was signed then all the same. */
function signedFaults({ findings }: SessionReport): boolean {
  return findings.some(({ code }) => code === 'contradiction' || code === 'seal-wrong');
}

/** Reports on sessions that the scene added. */
function strangers(reports: readonly SessionReport[], scene: Scene): Finding[] {
  const known = [scene.first.sid, scene.second?.sid, scene.others[0]?.sid];
  return reports.filter(({ sid }) => !known.includes(sid)).flatMap(({ findings }) => findings);
}

/** What differs from the row; empty when it is as the row says. */
export function differences(row: Tampering, judgement: Judgement): string[] {
  const { verdict, exit, codes, hurt, overstated } = judgement;
  return [
    verdict === row.verdict ? '' : `the verdict is ${verdict}, not ${row.verdict}`,
    exit === row.exit ? '' : `the exit code is ${exit}, not ${row.exit}`,
    row.finds === undefined || codes.includes(row.finds) ? '' : `${row.finds} is not found, but ${codes.join(', ')}`,
    hurt.length === 0 ? '' : `a session that nobody touched is hurt: ${hurt.join(', ')}`,
    ...overstated,
    row.name === 'nothing at all' && codes.some((code) => code !== 'versions-hidden') ? 'something is found' : '',
  ].filter((one) => one !== '');
}

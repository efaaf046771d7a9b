/**
 * What the sessions of one person say of each other: each opening entry names the session before it on its machine, so
 * one that was deleted, cut, continued or replaced is missed by its successor.
 */
import type { Finding, FindingCode } from '../transcript/finding.js';
import { sessionTime } from '../transcript/object-key.js';
import type { PreviousSession } from '../transcript/open-entry.js';
import type { SessionReport } from './session-report.js';

/** What is kept of each session: some 200 bytes. */
export interface Trace {
  readonly sid: string;
  readonly size: number;
  readonly head: string;
  readonly openedAt: number;
  readonly lastEntryAt: number;
  /** Who wrote it is proven: what it says of others is more than anybody's claim. */
  readonly proven: boolean;
  readonly previous?: PreviousSession;
  /** Ids of requests to a second person whose approval it has used. */
  readonly approvalsUsed?: readonly string[];
}

/** A forged session, or one in another person's folder, says nothing of others. */
export function traceOf(report: SessionReport): Trace {
  const { sid, size, head, openedAt, lastEntryAt, open, level, findings } = report;
  const forged = findings.some(({ severity, code }) => severity === 'failure' && impostorCodes.includes(code));
  const { previous } = forged ? {} : (open ?? {});
  const used = forged ? [] : (report.approvalsUsed ?? []);
  return {
    ...{ sid, size, head, openedAt, lastEntryAt, proven: level !== undefined },
    ...(previous ? { previous } : {}),
    ...(used.length > 0 ? { approvalsUsed: used } : {}),
  };
}

const impostorCodes: readonly FindingCode[] = [
  'open-unusable',
  'certificate-invalid',
  'identity-invalid',
  'wrong-place',
];

export interface Retention {
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
  /** After how many days the bucket's own rules let objects go. */
  readonly retentionDays?: number;
}

const DAY_MS = 86_400_000;
/** Clocks are set back by seconds all the time. */
const CLOCK_BACK_MS = 5 * 60_000;

/** True when rules would have let a session of that id go by now. */
export function hasExpired(sid: string, { now, retentionDays }: Retention): boolean {
  return retentionDays !== undefined && sessionTime(sid) < now - retentionDays * DAY_MS;
}

/** @param traces of one person: a session's id is its writer's choice, and only within one folder does it mean one session */
export function compareSessions(traces: readonly Trace[], retention: Retention): Finding[] {
  const byId = new Map(traces.map((trace) => [trace.sid, trace]));
  const successors = new Map<string, Trace[]>();
  const findings: Finding[] = [];
  for (const trace of traces) {
    const { previous } = trace;
    if (previous === undefined || previous.sid === trace.sid) continue; // the latter is said of the session itself
    successors.set(previous.sid, [...(successors.get(previous.sid) ?? []), trace]);
    const before = byId.get(previous.sid);
    const said = before === undefined ? [missing(trace, previous, retention)] : compare(trace, previous, before);
    findings.push(...said.map((finding) => weighed(finding, trace.proven)));
  }
  for (const [sid, after] of successors) {
    if (after.length < 2) continue;
    const sids = after.map((trace) => trace.sid).sort();
    const names = sids.slice(0, 4).join(', ');
    const message = `${after.length} sessions say that they came right after session ${sid}: ${names}. Only one can; the others were made to take its place, or on a copy of its machine`;
    const proven = after.filter((trace) => trace.proven).length > 1;
    findings.push(weighed({ severity: 'failure', code: 'session-forked', message }, proven));
  }
  return [...findings, ...usedTwice(traces)];
}

/** An approval is for one run of one statement. */
function usedTwice(traces: readonly Trace[]): Finding[] {
  const users = new Map<string, Trace[]>();
  for (const trace of traces)
    for (const id of trace.approvalsUsed ?? []) users.set(id, [...(users.get(id) ?? []), trace]);
  return [...users]
    .filter(([, used]) => used.length > 1)
    .map(([id, used]) => {
      const sids = used.map(({ sid }) => sid).sort();
      const message = `sessions ${sids.join(' and ')} both used the approval of request ${id}, which was for one of them`;
      return weighed(
        { severity: 'failure', code: 'approval-reused', message },
        used.every(({ proven }) => proven),
      );
    });
}

/** What somebody says whose name is not proven turns nobody's verdict to the worst. */
function weighed(finding: Finding, proven: boolean): Finding {
  return proven || finding.severity !== 'failure' ? finding : { ...finding, severity: 'warning' };
}

function missing({ sid }: Trace, previous: PreviousSession, retention: Retention): Finding {
  if (hasExpired(previous.sid, retention)) {
    const message = `session ${previous.sid}, before session ${sid}, has expired: sessions are kept for ${retention.retentionDays} days`;
    return { severity: 'note', code: 'session-expired', message };
  }
  const message = `session ${previous.sid} is missing: session ${sid} of the same person and machine came after it`;
  return { severity: 'failure', code: 'session-missing', message };
}

function compare(trace: Trace, { sid, size, head }: PreviousSession, before: Trace): Finding[] {
  const fail = (code: Finding['code'], message: string): Finding[] => [{ severity: 'failure', code, message }];
  const says = `session ${sid} ended with ${size} entries, as session ${trace.sid} says`;
  if (size !== undefined && before.size < size) {
    return fail('session-truncated', `${says}; the bucket has ${before.size}: its end was cut off`);
  }
  if (size !== undefined && before.size > size) {
    return fail(
      'session-replaced',
      `${says}; the bucket has ${before.size}: it was continued after its end, or replaced`,
    );
  }
  if (head !== undefined && before.head !== head) {
    return fail('session-replaced', `session ${sid} ended otherwise than session ${trace.sid} says: it was replaced`);
  }
  if (trace.openedAt < before.openedAt - CLOCK_BACK_MS || sessionTime(trace.sid) < sessionTime(sid) - CLOCK_BACK_MS) {
    return fail('session-order', `session ${trace.sid} names session ${sid} as the one before it, but is older`);
  }
  if (size !== undefined && trace.openedAt < before.lastEntryAt - CLOCK_BACK_MS) {
    return fail('session-order', `session ${trace.sid} knows how session ${sid} ended, and began before that`);
  }
  return [];
}

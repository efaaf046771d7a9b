/**
 * Every session of a bucket, and between them: each opening entry names the session before it, so one that was deleted
 * or cut short is missed by its successor.
 */
import type { Finding } from '../transcript/finding.js';
import { allSessionsPrefix } from '../transcript/object-key.js';
import { listSessions, type SessionObjects } from './catalog.js';
import type { VerifyOptions } from './verify-options.js';
import { type SessionReport, verifySession } from './verify-session.js';

export interface AllOptions extends VerifyOptions {
  /** Only keys under it; to check one person. */
  readonly prefix?: string;
  /** Default: here. */
  readonly verify?: (session: SessionObjects) => Promise<SessionReport>;
  /** Sessions at the same time: while one waits for the bucket, another one's signatures are checked. */
  readonly concurrency?: number;
  /** Reports come in the order in which they are done. */
  readonly onReport: (report: SessionReport) => void;
}

/** What is kept of each session: some 200 bytes. */
interface Trace {
  readonly sid: string;
  readonly subject: string;
  readonly size: number;
  readonly head: string;
  readonly previous?: { readonly sid: string; readonly size?: number; readonly head?: string };
}

/** Resolves to what is wrong between sessions. */
export async function verifyAll(options: AllOptions): Promise<Finding[]> {
  const traces = new Map<string, Trace>();
  const running = new Set<Promise<void>>();
  const here = (session: SessionObjects): Promise<SessionReport> => verifySession(session, options);
  const verify = async (session: SessionObjects): Promise<void> => {
    if (session.segments.length === 0) return; // redactions without a session are noise that anybody could make
    const report = await (options.verify ?? here)(session);
    traces.set(`${session.subject}/${session.sid}`, traceOf(session, report));
    options.onReport(report);
  };
  for await (const session of listSessions(options.source, options.prefix ?? allSessionsPrefix)) {
    const one = verify(session).finally(() => running.delete(one));
    one.catch(() => undefined); // the first failure ends everything; the others need not be heard
    running.add(one);
    if (running.size >= (options.concurrency ?? 8)) await Promise.race(running);
  }
  await Promise.all(running);
  return gaps(traces);
}

function traceOf(session: SessionObjects, { open, size, head }: SessionReport): Trace {
  const previous = open?.previous;
  return { sid: session.sid, subject: session.subject, size, head, ...(previous ? { previous } : {}) };
}

function gaps(traces: ReadonlyMap<string, Trace>): Finding[] {
  const findings: Finding[] = [];
  for (const { sid, subject, previous } of traces.values()) {
    if (previous === undefined) continue;
    // A session id is its writer's choice: only within one person's folder does it mean one session.
    const before = traces.get(`${subject}/${previous.sid}`);
    if (before === undefined) {
      const message = `session ${previous.sid} is missing: session ${sid} of the same person and machine came after it`;
      findings.push({ severity: 'failure', code: 'session-missing', message });
    } else if (previous.size !== undefined && previous.size > before.size) {
      const message = `session ${previous.sid} ended with ${previous.size} entries, the bucket has ${before.size}`;
      findings.push({ severity: 'failure', code: 'session-truncated', message });
    } else if (previous.size === before.size && previous.head !== before.head) {
      const message = `session ${previous.sid} ended with another entry than session ${sid} says`;
      findings.push({ severity: 'failure', code: 'session-truncated', message });
    }
  }
  return findings;
}

import type { SessionObjects } from '../catalog.js';
import type { SessionReport } from '../session-report.js';
import type { VerifyOptions } from '../verify-options.js';
import { verifySession } from '../verify-session.js';
import { type RowSink, SessionRows } from './session-rows.js';

/** Verifies a session; its rows go to `sink` while it is read, the session's own row last. */
export async function readSession(
  session: SessionObjects,
  options: VerifyOptions,
  sink: RowSink,
): Promise<SessionReport> {
  const rows = new SessionRows(session, sink);
  const report = await verifySession(session, { ...options, onEntry: rows.entry });
  await rows.end(report);
  return report;
}

/**
 * What the sessions around one say of it: the next session on the same machine knows how this one ended, and another one may
 * claim to come right after the same. Only openings are read, and only those sessions verified.
 */
import { DbguardError } from '../errors.js';
import type { Finding } from '../transcript/finding.js';
import { decodeLine, decodePayload } from '../transcript/line.js';
import { subjectPrefix } from '../transcript/object-key.js';
import { readOpen } from '../transcript/open-entry.js';
import { compareSessions, type Trace, traceOf } from './between-sessions.js';
import { listSessions, type ObjectSource, type SegmentObject, type SessionObjects } from './catalog.js';
import { readAhead } from './read-ahead.js';
import { segmentLines } from './segment-lines.js';
import type { SessionReport } from './session-report.js';
import type { Pieces } from './unpacked.js';
import type { VerifyOptions } from './verify-options.js';
import { verifySession } from './verify-session.js';

/** Sessions of the same person whose openings are read. */
const MAX_OPENINGS = 2_000;

export async function compareWithNeighbours(
  session: SessionObjects,
  report: SessionReport,
  options: VerifyOptions & { readonly source: ObjectSource },
): Promise<Finding[]> {
  const { source } = options;
  const traces: Trace[] = [];
  const later = new Map<string, SessionObjects>();
  const openings: SegmentObject[] = [];
  const before = report.open?.previous?.sid;
  for await (const other of listSessions(source, subjectPrefix(session.subject))) {
    if (other.sid === before) traces.push(await traceFrom(other, options));
    const opening = other.segments.find(({ segment }) => segment === 0);
    if (other.sid === session.sid || opening === undefined || openings.length >= MAX_OPENINGS) continue;
    later.set(opening.key, other);
    openings.push(opening);
  }
  for await (const { object, bytes } of readAhead(openings, source)) {
    const other = later.get(object.key);
    if (bytes === undefined || other === undefined) continue;
    const previous = await previousIn(bytes);
    // one that names the same session as this one does claims its place
    if (previous === undefined || (previous !== session.sid && previous !== before)) continue;
    if (other.sid !== before) traces.push(await traceFrom(other, options));
  }
  const findings = compareSessions([...traces, traceOf(report)], options);
  // What the others say of sessions that are not this one is another verification's.
  return findings.filter(({ message }) => message.includes(session.sid));
}

async function traceFrom(session: SessionObjects, { onEntry: _, ...options }: VerifyOptions): Promise<Trace> {
  return traceOf(await verifySession(session, options));
}

async function previousIn(bytes: Uint8Array | Pieces): Promise<string | undefined> {
  let sid: string | undefined;
  try {
    await segmentLines(bytes).each((text, passed) => {
      const line = decodeLine(text, passed);
      if (line.kind === 'entry') sid = readOpen(decodePayload(line.payload)).previous?.sid;
      return false;
    });
  } catch (error) {
    if (!(error instanceof DbguardError && error.code === 'transcript-invalid')) throw error;
  }
  return sid;
}

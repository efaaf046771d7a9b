/**
 * One pass over the bucket for a log collector: of each session that is new or has grown, what is proven and was not told yet.
 *
 * What lives here: how far each session has been told. What it must not know: forms of events, where they go.
 */
import { DbguardError } from '../../errors.js';
import { readCursor, writeCursor } from '../../io/files/cursor-file.js';
import { type IdSpan, type ObjectSource, objectsWithin, type SessionObjects } from '../../review/catalog.js';
import type { SessionReport } from '../../review/session-report.js';
import { openVerifierPool } from '../../review/verifier-pool.js';
import { verifyAll } from '../../review/verify-all.js';
import type { VerifyOptions } from '../../review/verify-options.js';
import type { RowEvent } from '../../review/views/row-event.js';
import { vouchedEntries } from '../../review/views/session-reading.js';
import type { ViewName } from '../../review/views/view-table.js';
import { isRecord } from '../../transcript/line.js';
import { listingOf } from './listing.js';

export interface PassOptions extends VerifyOptions {
  readonly source: ObjectSource;
  readonly span: IdSpan;
  /** False where nobody reads any more. */
  readonly emit: (event: RowEvent) => Promise<boolean>;
}

interface Told {
  readonly listing: string;
  /** Number of the entry that comes next. */
  readonly next: number;
  /** Verdict and state as they were told. */
  readonly said: string;
}

const VERSION = 1;

export class EventCursor {
  readonly #path: string | undefined;
  readonly #location: string;
  readonly sessions: Map<string, Told>;

  /** @param path undefined: everything is new. Throws `config-invalid`. */
  constructor(path: string | undefined, location: string) {
    this.#path = path;
    this.#location = location;
    const read = path === undefined ? undefined : readCursor(path);
    this.sessions = new Map(read === undefined ? [] : this.#told(read));
  }

  save(): void {
    if (this.#path === undefined) return;
    const sessions = Object.fromEntries(this.sessions);
    writeCursor(this.#path, { version: VERSION, bucket: this.#location, sessions });
  }

  #told(read: unknown): [string, Told][] {
    const { version, bucket, sessions } = isRecord(read) ? read : {};
    if (version === VERSION && bucket === this.#location && isRecord(sessions)) {
      const told = Object.entries(sessions).filter((entry): entry is [string, Told & Record<string, unknown>] =>
        isTold(entry[1]),
      );
      if (told.length === Object.keys(sessions).length) return told;
    }
    const why = version === VERSION && isRecord(sessions) ? `is of another bucket, ${String(bucket)}` : 'is no cursor';
    throw new DbguardError('config-invalid', `${this.#path} ${why}`, { hint: 'Name another file with --cursor.' });
  }
}

function isTold(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { listing, next, said } = value;
  return typeof listing === 'string' && Number.isSafeInteger(next) && typeof said === 'string';
}

/** Returns how many events were emitted, and how many sessions nothing proves. The caller saves the cursor once they are out. */
export async function eventPass(
  options: PassOptions,
  cursor: EventCursor,
): Promise<{ readonly events: number; readonly unproven: number }> {
  const { source, span, emit } = options;
  const rows = new Map<string, [ViewName, string][]>();
  let [events, unproven] = [0, 0];
  let turn = Promise.resolve();
  const pool = openVerifierPool({
    ...options,
    onRows: (session, view, lines) => void rows.get(nameOf(session))?.push([view, lines]),
  });
  const tell = async (session: SessionObjects, report: SessionReport, listing: string): Promise<void> => {
    const name = nameOf(session);
    const before = cursor.sessions.get(name);
    const vouched = vouchedEntries(report);
    if (vouched === 0) unproven++;
    const said = `${report.verdict} ${report.state}`;
    for (const event of eventsIn(rows.get(name) ?? [], report)) {
      const n = Number(event.row.n);
      const isNew = event.view === 'sessions' ? before?.said !== said : n >= (before?.next ?? 0) && n < vouched;
      if (!isNew) continue;
      events++;
      if (!(await emit(event))) throw new ReaderLeft();
    }
    rows.delete(name);
    cursor.sessions.set(name, { listing, next: Math.max(vouched, before?.next ?? 0), said });
  };
  try {
    await verifyAll({
      ...options,
      source: objectsWithin(source, span),
      verify: async (session) => {
        const listing = listingOf(session);
        const told = cursor.sessions.get(nameOf(session));
        if (told?.listing === listing && !told.said.endsWith(' open')) return alreadyTold(session);
        rows.set(nameOf(session), []);
        const report = await pool.verify(session);
        // one session after the other
        turn = turn.then(() => tell(session, report, listing));
        await turn;
        return report;
      },
      concurrency: 32,
      onReport: () => undefined,
      onFinding: () => undefined,
    });
  } catch (error) {
    if (!(error instanceof ReaderLeft)) throw error;
  } finally {
    await pool.close();
  }
  return { events, unproven };
}

class ReaderLeft extends Error {}

function nameOf({ subject, sid }: SessionObjects): string {
  return `${subject}/${sid}`;
}

/** The session's own row stands last, and says whose the others are. */
function* eventsIn(rows: readonly [ViewName, string][], report: SessionReport): Generator<RowEvent> {
  const parsed = rows.flatMap(([view, lines]) =>
    lines
      .trimEnd()
      .split('\n')
      .map((line) => ({ view, row: JSON.parse(line) as Record<string, unknown> })),
  );
  const session = parsed.find(({ view }) => view === 'sessions')?.row ?? {};
  parsed.sort((a, b) => Number(a.row.n ?? -1) - Number(b.row.n ?? -1));
  for (const { view, row } of parsed) yield { view, row, session, report };
}

/** Nothing is said of it: not even to other sessions. */
function alreadyTold({ sid }: SessionObjects): SessionReport {
  return {
    ...{ sid, verdict: 'proven', state: 'complete', sealedUnsigned: false, findings: [], head: '' },
    ...{ entries: 0, statements: 0, asked: 0, denied: 0, signatures: 0, redacted: 0, size: 0, signedSize: 0 },
    ...{ openedAt: 0, lastEntryAt: 0, firstStoredAt: 0 },
  };
}

/**
 * A whole bucket: every session, what sessions of a person say of each other, what nobody knows, and what was expected
 * and is not there. Memory does not grow with the bucket.
 */

import { parseApprovalKey } from '../transcript/approval-objects.js';
import type { Finding } from '../transcript/finding.js';
import type { VersionKeeping } from '../transcript/object-history.js';
import { issuerKeysFolder, revokedKeysPrefix, sessionPrefix } from '../transcript/object-key.js';
import { isChunkKey } from '../transcript/recording.js';
import { grouped } from '../words.js';
import { compareSessions, hasExpired, type Trace, traceOf } from './between-sessions.js';
import { listSessions, type ObjectSource, type SessionObjects, Tally } from './catalog.js';
import type { Expected } from './expectations.js';
import type { SessionReport } from './session-report.js';
import type { VerifyOptions } from './verify-options.js';
import { verifySession } from './verify-session.js';

export interface AllOptions extends VerifyOptions {
  readonly source: ObjectSource;
  /** Default: here. */
  readonly verify?: (session: SessionObjects) => Promise<SessionReport>;
  /** Sessions at the same time: while one waits for the bucket, another one's signatures are checked. */
  readonly concurrency?: number;
  /** Who has to be there; asked at the end what is missing. */
  readonly expected?: Expected;
  /** Objects that a person has looked at and that are none of dbguard's. */
  readonly known?: ReadonlySet<string>;
  /** Reports come in the order in which they are done; a promise is awaited. */
  readonly onReport: (report: SessionReport) => unknown;
  /** What is found between and beside the sessions; a promise is awaited. */
  readonly onFinding: (finding: Finding) => unknown;
}

/** Objects that are no session's and are known: the leads' archive, where it lies in the same bucket. */
const knownFolders = [issuerKeysFolder, revokedKeysPrefix];

export async function verifyAll(options: AllOptions): Promise<void> {
  const run = new BucketRun(options);
  await run.sessions();
  await run.beside();
}

/** What lives here: where the walk through a bucket is. What it must not know: what is wrong within a session. */
class BucketRun {
  readonly #options: AllOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #unknown = new Tally();
  /** Folders that look like sessions, and hold nothing that any session has signed. */
  readonly #empty = new Tally();
  /** Of the person whose folder is being read: sessions of different people say nothing of each other. */
  #subject = '';
  #traces: Trace[] = [];
  #found = 0;

  constructor(options: AllOptions) {
    this.#options = options;
  }

  async sessions(): Promise<void> {
    const { source, concurrency = 8 } = this.#options;
    for await (const session of listSessions(source, '', (key) => this.#onUnknown(key))) {
      if (session.subject !== this.#subject) await this.#endOfPerson(session.subject);
      if (session.segments.length === 0) {
        this.#countStrangers(session);
        continue;
      }
      const one = this.#verify(session).finally(() => this.#running.delete(one));
      one.catch(() => undefined); // the first failure ends everything; the others need not be heard
      this.#running.add(one);
      if (this.#running.size >= concurrency) await Promise.race(this.#running);
    }
    await this.#endOfPerson('');
  }

  async #verify(session: SessionObjects): Promise<void> {
    const { verify = (one) => verifySession(one, this.#options), onReport, expected } = this.#options;
    if (hasBegunToExpire(session, this.#options)) {
      this.#found++;
      const message = `session ${session.sid} is expiring: its beginning is gone, as the rules say; the rest cannot be verified`;
      await this.#options.onFinding({ severity: 'note', code: 'session-expired', message });
      return;
    }
    const report = await verify(session);
    if (!isEmpty(report)) this.#found++;
    this.#traces.push(traceOf(report));
    if (isEmpty(report)) {
      this.#empty.add(sessionPrefix(session.subject, session.sid));
      return;
    }
    expected?.sees(report);
    await onReport(report);
  }

  async #endOfPerson(next: string): Promise<void> {
    await Promise.all(this.#running);
    const { onFinding } = this.#options;
    for (const finding of compareSessions(this.#traces, this.#options)) await onFinding(finding);
    this.#traces = [];
    this.#subject = next;
  }

  /** A folder without a segment holds no session. */
  #countStrangers({ redactions, strangers }: SessionObjects): void {
    for (const { key } of redactions) this.#onUnknown(key);
    for (const key of strangers.keys) this.#onUnknown(key);
    this.#unknown.count += strangers.count - strangers.keys.length;
  }

  #onUnknown(key: string): void {
    if (knownFolders.some((folder) => key.startsWith(folder)) || this.#options.known?.has(key)) return;
    // what was asked and answered stands in the transcripts as well, and is judged there
    if (parseApprovalKey(key) !== undefined || isChunkKey(key)) return;
    this.#unknown.add(key);
  }

  async beside(): Promise<void> {
    const { source, onFinding, expected } = this.#options;
    if (this.#unknown.count > 0) {
      const what = this.#unknown.count === 1 ? 'object is' : 'objects are';
      const message = `${what} none that this dbguard knows, in no session’s folder`;
      await onFinding({ severity: 'warning', code: 'unknown-object', message: tallyWords(this.#unknown, message) });
    }
    if (this.#empty.count > 0) {
      const what = this.#empty.count === 1 ? 'folder holds' : 'folders hold';
      const message = `${what} no transcript, only objects that are none: nothing says that there was a session`;
      await onFinding({ severity: 'warning', code: 'nothing-there', message: tallyWords(this.#empty, message) });
    }
    if (this.#found === 0) {
      const message = `there is no session in ${source.location}: nothing was verified`;
      await onFinding({ severity: 'warning', code: 'nothing-there', message });
    }
    for (const finding of expected?.missing() ?? []) await onFinding(finding);
    const keeping = keepingFinding(await source.keeping());
    if (keeping) await onFinding(keeping);
  }
}

/** Nothing in its folder is a session's own, nor says that it ever was. */
function isEmpty({ verdict, firstStoredAt }: SessionReport): boolean {
  return firstStoredAt === undefined && verdict !== 'invalid';
}

function tallyWords({ count, keys }: Tally, what: string): string {
  const more = count > keys.length ? ` and ${grouped(count - keys.length)} more` : '';
  return `${grouped(count)} ${what}: ${keys.join(', ')}${more}`;
}

const DAY_MS = 86_400_000;
/** Lifecycle rules run once a day, and take their time. */
const LIFECYCLE_LAG_MS = 3 * DAY_MS;

/** Rules let objects go one by one: the first segment of a long session before the last. */
function hasBegunToExpire(session: SessionObjects, options: VerifyOptions): boolean {
  const { retentionDays, now } = options;
  if (retentionDays === undefined || !hasExpired(session.sid, options)) return false;
  const first = session.segments.find(({ segment }) => segment === 0);
  if (first !== undefined && !first.gone) return false;
  const oldest = session.segments.reduce((min, { createdAt }) => Math.min(min, createdAt), Number.POSITIVE_INFINITY);
  return oldest <= now - retentionDays * DAY_MS + LIFECYCLE_LAG_MS;
}

/** What the bucket itself does not prove; undefined when it keeps every version and shows them. */
function keepingFinding(keeping: VersionKeeping): Finding | undefined {
  switch (keeping) {
    case 'kept':
      return undefined;
    case 'none':
      return note('this bucket keeps no versions: an overwrite would not be seen');
    case 'suspended':
      return note('this bucket keeps no versions any more: an overwrite would not be seen');
    case 'hidden': {
      const message = 'these credentials may not list versions (s3:ListBucketVersions): an overwrite would not be seen';
      return { severity: 'warning', code: 'versions-hidden', message };
    }
  }
}

function note(message: string): Finding {
  return { severity: 'note', code: 'versions-hidden', message };
}

/**
 * The bucket as views that can be asked: every session is verified, or was before and lies there unchanged, and its rows are
 * in the cache. What is asked runs behind the engine's lock.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Engine } from '../../io/duckdb/engine.js';
import { cacheKey } from '../../io/files/vouched-files.js';
import { type IdSpan, type ObjectSource, objectsWithin, type SessionObjects } from '../../review/catalog.js';
import type { SessionReport, Verdict } from '../../review/session-report.js';
import { openVerifierPool } from '../../review/verifier-pool.js';
import { verifyAll } from '../../review/verify-all.js';
import type { VerifyOptions } from '../../review/verify-options.js';
import { columnsDigest, countUnproven, createViews, exportByDay, viewNames } from '../../review/views/duckdb-sql.js';
import type { ViewName } from '../../review/views/view-table.js';
import { sha256 } from '../../sha256.js';
import type { Finding } from '../../transcript/finding.js';
import { sessionTime } from '../../transcript/object-key.js';
import { type CachePlace, DayFiles } from './day-files.js';
import { listingOf } from './listing.js';

export interface ViewsOptions extends VerifyOptions {
  readonly source: ObjectSource;
  readonly span: IdSpan;
  /** The span is everything: what sessions say of each other can be judged. */
  readonly everything: boolean;
  readonly unproven: boolean;
  /** What decides how this reader verifies, beside the demands: with other keys the same session may be another. */
  readonly context: string;
  readonly folders: { readonly state: string; readonly cache: string };
  /** A file that will be exported to. */
  readonly writable?: string;
  /** An empty folder for everything that the views hold, as Parquet files. */
  readonly exportTo?: string;
  readonly onSession?: () => void;
}

export interface BucketViews {
  readonly engine: Engine;
  /** Sessions by what was proven of them. */
  readonly sessions: Readonly<Record<Verdict, number>>;
  /** How many of them were read now. */
  readonly read: number;
  /** Rows that nothing proves, and in how many sessions. */
  readonly unproven: { readonly lines: number; readonly sessions: number };
  /** Found between and beside sessions. */
  readonly findings: readonly Finding[];
  /** Days whose cache was not as this machine had left it: they were read again. */
  readonly changedDays: readonly string[];
  readonly reports: readonly SessionReport[];
}

/** Throws `part-missing` without DuckDB. The engine is the caller's to close. */
export async function openBucketViews(options: ViewsOptions): Promise<BucketViews> {
  const engine = await Engine.open();
  const reading = new Reading(options, engine);
  try {
    const found = await reading.readAll();
    for (const sql of createViews({ ...options, files: reading.files(), repeated: reading.repeated() })) {
      await engine.run(sql);
    }
    for (const sql of options.exportTo === undefined ? [] : exportByDay(options.exportTo)) await engine.run(sql);
    await engine.lock(Object.values(reading.files()).flat(), options.writable);
    const [unproven] = await engine.all(countUnproven());
    return { engine, ...found, unproven: { lines: Number(unproven?.[0]), sessions: Number(unproven?.[1]) } };
  } catch (error) {
    engine.close();
    throw error;
  } finally {
    reading.removeLines();
  }
}

/** What lives here: the days that are being read. What it must not know: what is asked of them. */
class Reading {
  readonly #options: ViewsOptions;
  readonly #engine: Engine;
  readonly #place: CachePlace;
  readonly #lines: string;
  readonly #days = new Map<string, DayFiles>();
  /** Folders by session id. */
  readonly #folders = new Map<string, string>();
  readonly #repeated = new Set<string>();

  constructor(options: ViewsOptions, engine: Engine) {
    const { source, demands, context, folders } = options;
    this.#options = options;
    this.#engine = engine;
    const name = sha256(JSON.stringify([source.location, demands, context, columnsDigest()]), 'hex').slice(0, 32);
    this.#place = { folder: join(folders.cache, 'views', name), key: cacheKey(folders.state) };
    this.#lines = join(folders.cache, 'views', `reading-${randomBytes(6).toString('hex')}`);
    mkdirSync(this.#lines, { recursive: true, mode: 0o700 });
  }

  async readAll(): Promise<Pick<BucketViews, 'sessions' | 'read' | 'findings' | 'changedDays' | 'reports'>> {
    const { source, span, everything } = this.#options;
    const sessions: Record<Verdict, number> = { proven: 0, local: 0, unproven: 0, invalid: 0 };
    const findings: Finding[] = [];
    const reports: SessionReport[] = [];
    let read = 0;
    const pool = openVerifierPool({
      ...this.#options,
      onRows: (session, view, lines) => this.#dayOf(session).add(view, lines),
    });
    const verify = async (session: SessionObjects): Promise<SessionReport> => {
      const name = `${session.subject}/${session.sid}`;
      this.#noteFolder(session);
      const day = this.#dayOf(session);
      const listing = listingOf(session);
      const known = day.known(name, listing, this.#options.now);
      if (known !== undefined && known.keys === (await this.#keysFor(known.report))) return known.report;
      const report = await pool.verify(session);
      const keys = await this.#keysFor(report);
      const found = { listing, verifiedAt: this.#options.now, report: withoutEvidence(report) };
      day.finished(name, { ...found, ...(keys === undefined ? {} : { keys }) });
      read++;
      return report;
    };
    try {
      await verifyAll({
        ...this.#options,
        source: everything ? source : objectsWithin(source, span),
        verify,
        concurrency: 32,
        onReport: (report) => {
          sessions[report.verdict]++;
          reports.push(withoutEvidence(report));
          this.#options.onSession?.();
        },
        onFinding: (finding) => void findings.push(finding),
      });
    } finally {
      await pool.close();
      // also after a failure: what was read to its end need not be read again
      for (const day of this.#days.values()) await day.commit(this.#engine, everything);
    }
    const changedDays = [...this.#days].flatMap(([name, { wasChanged }]) => (wasChanged ? [name] : []));
    return { sessions, read, findings, changedDays, reports };
  }

  /** What is not proven is so under these keys alone. Undefined where it is proven. */
  async #keysFor({ verdict, open }: SessionReport): Promise<string | undefined> {
    if (verdict === 'proven' || open === undefined) return undefined;
    const found = await this.#options.keys.keysOf(open.subject.iss).catch(() => []);
    return sha256(JSON.stringify(found.map(({ keys }) => keys)), 'base64url');
  }

  files(): Record<ViewName, string[]> {
    const days = [...this.#days.values()];
    const of = (view: ViewName) => [view, days.flatMap((day) => day.files(view))] as const;
    return Object.fromEntries(viewNames.map(of)) as Record<ViewName, string[]>;
  }

  repeated(): string[] {
    return [...this.#repeated];
  }

  removeLines(): void {
    rmSync(this.#lines, { recursive: true, force: true });
  }

  #dayOf({ sid }: SessionObjects): DayFiles {
    const name = new Date(sessionTime(sid)).toISOString().slice(0, -'T00:00:00.000Z'.length);
    let day = this.#days.get(name);
    if (day === undefined) {
      day = new DayFiles(this.#place, name, this.#lines);
      this.#days.set(name, day);
    }
    return day;
  }

  /** A session's id is its writer's choice: only within a folder it means one session. */
  #noteFolder({ sid, subject }: SessionObjects): void {
    const known = this.#folders.get(sid);
    if (known === undefined) this.#folders.set(sid, subject);
    else if (known !== subject) this.#repeated.add(sid);
  }
}

/** Tokens and keys have been looked at, and belong in no cache; what is recorded is in a view. */
function withoutEvidence({ open, recordings: _recordings, ...report }: SessionReport): SessionReport {
  if (open === undefined) return report;
  const none = { idToken: '', salt: '', certificate: '' };
  const key = { kty: 'OKP', crv: 'Ed25519', x: '' } as const;
  const { accessToken: _, ...rest } = open;
  return { ...report, open: { ...rest, ...none, loginKey: key, sessionKey: key } };
}

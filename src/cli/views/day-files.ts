/**
 * What was read of the sessions of one day, as Parquet files with a list that only this machine could have written: a cache,
 * of which nothing counts that does not fit the bucket's listing of now.
 *
 * What lives here: which sessions the files hold, as they lay in the bucket. What it must not know: SQL of the reader's, how
 * a session is verified.
 */
import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../io/duckdb/engine.js';
import {
  isAsListed,
  type ListedFile,
  listFile,
  readList,
  removeFile,
  writeList,
} from '../../io/files/vouched-files.js';
import type { SessionReport } from '../../review/session-report.js';
import { rowsIn, rowsWithout, viewNames, writeParquet } from '../../review/views/duckdb-sql.js';
import type { ViewName } from '../../review/views/view-table.js';

export interface CachePlace {
  /** Of the bucket, as this reader verifies it. */
  readonly folder: string;
  readonly key: Buffer;
}

export interface KnownSession {
  /** Digest of its objects' names, sizes and times. */
  readonly listing: string;
  /** Milliseconds since 1970 UTC. */
  readonly verifiedAt: number;
  /** Of the issuer's keys that were at hand, where it was not proven: with others it may be. */
  readonly keys?: string;
  readonly report: SessionReport;
}

interface DayList {
  readonly files: Readonly<Partial<Record<ViewName, readonly ListedFile[]>>>;
  readonly sessions: Readonly<Record<string, KnownSession>>;
}

const LIST = 'list';
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export class DayFiles {
  readonly #place: CachePlace;
  readonly #name: string;
  readonly #folder: string;
  /** Where lines wait for the end. */
  readonly #lines: string;
  readonly #list: DayList;
  readonly #seen = new Set<string>();
  readonly #read = new Map<string, KnownSession>();
  readonly #written = new Set<ViewName>();
  /** What lay there was not as this machine had written it. */
  readonly wasChanged: boolean;

  /** @param lines a folder of this process */
  constructor(place: CachePlace, name: string, lines: string) {
    this.#place = place;
    this.#name = name;
    this.#folder = join(place.folder, name);
    this.#lines = lines;
    const list = this.#readList();
    this.wasChanged = list === undefined && existsSync(join(this.#folder, LIST));
    this.#list = list ?? { files: {}, sessions: {} };
  }

  /** What was found when the session lay in the bucket as it does now; undefined where it has to be read. */
  known(session: string, listing: string, now: number): KnownSession | undefined {
    this.#seen.add(session);
    const known = this.#list.sessions[session];
    if (known?.listing !== listing) return undefined;
    return now - known.verifiedAt <= lifeOf(known.report) ? known : undefined;
  }

  /** Lines of JSON of a session that is being read. */
  add(view: ViewName, lines: string): void {
    this.#written.add(view);
    appendFileSync(this.#linesOf(view), lines, { mode: 0o600 });
  }

  /** It was read to its end. */
  finished(session: string, known: KnownSession): void {
    this.#read.set(session, known);
  }

  /** Puts what was read into the files. @param all every session of the day was listed: others are gone */
  async commit(engine: Engine, all: boolean): Promise<void> {
    const { files, sessions } = this.#list;
    const gone = all ? Object.keys(sessions).filter((session) => !this.#seen.has(session)) : [];
    const without = [...gone, ...[...this.#read.keys()].filter((session) => session in sessions)];
    if (this.#read.size === 0 && without.length === 0) return;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const written: Partial<Record<ViewName, readonly ListedFile[]>> = {};
    for (const view of viewNames) {
      const old = files[view] ?? [];
      const queries = old.map(({ name }) => rowsWithout(view, join(this.#folder, name), without));
      if (this.#written.has(view)) queries.push(rowsIn(view, this.#linesOf(view), this.#linesOf('sessions')));
      if (queries.length === 0) continue;
      const name = `${view}-${randomBytes(6).toString('hex')}.parquet`;
      await engine.run(writeParquet(queries, join(this.#folder, name)));
      written[view] = [listFile(this.#folder, name)];
    }
    const kept = Object.entries(sessions).filter(([session]) => !gone.includes(session));
    const list: DayList = {
      files: written,
      sessions: { ...Object.fromEntries(kept), ...Object.fromEntries(this.#read) },
    };
    writeList(join(this.#folder, LIST), JSON.stringify(list), this.#place.key, this.#placeName());
    Object.assign(this.#list, list);
    this.#removeOld();
  }

  /** Paths of Parquet files. */
  files(view: ViewName): string[] {
    return (this.#list.files[view] ?? []).map(({ name }) => join(this.#folder, name));
  }

  #readList(): DayList | undefined {
    const text = readList(join(this.#folder, LIST), this.#place.key, this.#placeName());
    if (text === undefined) return undefined;
    const list: DayList = JSON.parse(text);
    const files = Object.values(list.files).flat();
    return files.every((file) => isAsListed(this.#folder, file)) ? list : undefined;
  }

  #placeName(): string {
    return `${this.#place.folder}\0${this.#name}`;
  }

  #linesOf(view: ViewName): string {
    return join(this.#lines, `${this.#name}-${view}.jsonl`);
  }

  /** Another process may be reading what it replaced a moment ago. */
  #removeOld(): void {
    const current = new Set(Object.values(this.#list.files).flatMap((files) => files.map(({ name }) => name)));
    for (const name of readdirSync(this.#folder)) {
      if (name === LIST || current.has(name)) continue;
      const path = join(this.#folder, name);
      const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > 10 * MINUTE_MS) removeFile(path);
    }
  }
}

/** How long it may be taken for granted: what is not proven now may be later. */
function lifeOf({ verdict, state }: SessionReport): number {
  if (verdict === 'proven') return Number.POSITIVE_INFINITY;
  return state === 'open' ? MINUTE_MS : DAY_MS;
}

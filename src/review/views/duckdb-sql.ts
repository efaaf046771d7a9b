/** The views in DuckDB's words: how rows become Parquet files, and files become views. Text alone; nothing is run here. */
import { sha256 } from '../../sha256.js';
import type { Column, ColumnType } from './column.js';
import { sessionColumns } from './session-columns.js';
import { type EntryViewName, entryViewNames, entryViews, sharedColumns, type ViewName } from './view-table.js';

type AnyColumn = Pick<Column<never>, 'name' | 'type' | 'words'>;

export const viewNames: readonly ViewName[] = ['sessions', ...entryViewNames];

const duckTypes: Readonly<Record<ColumnType, string>> = {
  text: 'VARCHAR',
  texts: 'VARCHAR[]',
  whole: 'BIGINT',
  number: 'DOUBLE',
  flag: 'BOOLEAN',
  time: 'TIMESTAMP',
};

const sid: AnyColumn = { name: 'sid', type: 'text', words: 'the session’s id' };
const folder: AnyColumn = { name: 'folder', type: 'text', words: 'the hash in its key' };
const vouched: AnyColumn = { name: 'vouched', type: 'whole', words: 'entries that are proven to be the person’s' };
const verified: AnyColumn = {
  name: 'verified',
  type: 'flag',
  words: 'proven to be the person’s: signed by a key that is proven to be theirs, and unchanged',
};

/** What is stored of a view: nothing that only the whole session can say. */
export function storedColumns(view: ViewName): readonly AnyColumn[] {
  return view === 'sessions' ? [...sessionColumns, vouched] : [folder, sid, ...entryViews[view].columns];
}

/** What a reader sees of it. */
export function shownColumns(view: ViewName): readonly AnyColumn[] {
  if (view === 'sessions') {
    const [id, ...rest] = sessionColumns;
    return [...(id ? [id] : []), verified, ...rest];
  }
  const shared = sharedColumns.flatMap((name) => sessionColumns.filter((column) => column.name === name));
  const [id, ...more] = shared;
  return [...(id ? [id] : []), ...entryViews[view].columns, ...more, verified];
}

/** A query for the rows that stand in files of JSON lines. Of sessions that were read to their end. */
export function rowsIn(view: ViewName, lines: string, sessions: string): string {
  const columns = storedColumns(view);
  const types = columns.map(({ name, type }) => `${text(name)}: ${text(type === 'time' ? 'BIGINT' : duckTypes[type])}`);
  const values = columns.map(({ name, type }) =>
    type === 'time' ? `make_timestamp(${id(name)}) AS ${id(name)}` : id(name),
  );
  const read = (path: string, of: readonly string[]): string =>
    `read_json(${text(path)}, format = 'newline_delimited', columns = {${of.join(', ')}})`;
  const finished = `SELECT folder, sid FROM ${read(sessions, [`'folder': 'VARCHAR'`, `'sid': 'VARCHAR'`])}`;
  const of = view === 'sessions' ? '' : ` WHERE (folder, sid) IN (${finished})`;
  return `SELECT ${values.join(', ')} FROM ${read(lines, types)}${of}`;
}

/** A query for the rows of a Parquet file, without those of some sessions. */
export function rowsWithout(view: ViewName, file: string, sessions: readonly string[]): string {
  const columns = storedColumns(view).map(({ name }) => id(name));
  const without =
    sessions.length === 0 ? '' : ` WHERE (folder || '/' || sid) NOT IN (${sessions.map(text).join(', ')})`;
  return `SELECT ${columns.join(', ')} FROM read_parquet(${text(file)})${without}`;
}

export function writeParquet(queries: readonly string[], file: string): string {
  return `COPY (${queries.join(' UNION ALL ')}) TO ${text(file)} (FORMAT parquet, COMPRESSION zstd)`;
}

/** The same where files of another day can be read as files of today. */
export function columnsDigest(): string {
  const columns = viewNames.map((view) => [view, storedColumns(view).map(({ name, type }) => [name, type])]);
  return sha256(JSON.stringify([ROWS_VERSION, columns]), 'hex');
}

/** To be raised where rows come to mean something else under the same names. */
const ROWS_VERSION = 1;

export interface Shown {
  /** Parquet files by view. */
  readonly files: Readonly<Record<ViewName, readonly string[]>>;
  /** Also rows that nothing proves to be whose they say. */
  readonly unproven: boolean;
  /** Session ids that lie in several folders: there they are told apart by it. */
  readonly repeated: readonly string[];
  /** Session ids, both ends included. */
  readonly span: { readonly first: string; readonly last: string };
}

/** Statements that make the views. */
export function createViews(shown: Shown): string[] {
  const { unproven, span } = shown;
  const within = `sid BETWEEN ${text(span.first)} AND ${text(span.last)}`;
  const named =
    shown.repeated.length === 0
      ? 's.sid'
      : `CASE WHEN s.sid IN (${shown.repeated.map(text).join(', ')}) THEN s.folder || '/' || s.sid ELSE s.sid END`;
  const stored = viewNames.map(
    (view) => `CREATE VIEW ${storedName(view)} AS SELECT * FROM ${storedIn(view, shown.files[view])} WHERE ${within}`,
  );
  const column =
    (of: string) =>
    ({ name }: AnyColumn): string => {
      if (name === 'sid') return `${named} AS sid`;
      if (name === 'verified') return `${of === 's' ? 's.vouched > 0' : 'e.n < s.vouched'} AS verified`;
      const shared = of === 'e' && sharedColumns.some((one) => one === name);
      return `${shared ? 's' : of}.${id(name)}`;
    };
  const sessions = `CREATE VIEW sessions AS SELECT ${shownColumns('sessions').map(column('s')).join(', ')} FROM ${storedName('sessions')} s${unproven ? '' : ' WHERE s.vouched > 0'}`;
  const others = entryViewNames.map((view) => {
    const join = `${storedName(view)} e JOIN ${storedName('sessions')} s ON e.folder = s.folder AND e.sid = s.sid`;
    return `CREATE VIEW ${view} AS SELECT ${shownColumns(view).map(column('e')).join(', ')} FROM ${join}${unproven ? '' : ' WHERE e.n < s.vouched'}`;
  });
  return [...stored, sessions, ...others];
}

/** Statements that write what the views show, a folder a view and in it one a day: Hive's names. */
export function exportByDay(folder: string): string[] {
  return viewNames.map((view) => {
    const day = `strftime(${view === 'sessions' ? 'opened_at' : 'time'}, '%Y-%m-%d') AS day`;
    const how = 'FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day)';
    return `COPY (SELECT *, ${day} FROM ${view}) TO ${text(`${folder}/${view}`)} (${how})`;
  });
}

/** How many rows and sessions are there that nothing proves: one row. */
export function countUnproven(): string {
  const lines = entryViewNames.map(
    (view: EntryViewName) =>
      `SELECT e.folder, e.sid FROM ${storedName(view)} e JOIN ${storedName('sessions')} s ON e.folder = s.folder AND e.sid = s.sid WHERE e.n >= s.vouched`,
  );
  return `SELECT count(*) AS lines, count(DISTINCT folder || '/' || sid) AS sessions FROM (${lines.join(' UNION ALL ')})`;
}

function storedName(view: ViewName): string {
  return `stored_${view}`;
}

function storedIn(view: ViewName, files: readonly string[]): string {
  if (files.length > 0) return `read_parquet([${files.map(text).join(', ')}])`;
  const nothing = storedColumns(view).map(({ name, type }) => `NULL::${duckTypes[type]} AS ${id(name)}`);
  return `(SELECT ${nothing.join(', ')} WHERE false)`;
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function id(name: string): string {
  return `"${name}"`;
}

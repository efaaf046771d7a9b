/**
 * What a column of a view is: its type, its words, and what of a transcript it is made from. Engines, documents and
 * external tables are made from this; nothing else says it again.
 *
 * What lives here: the vocabulary. What it must not know: which views there are, any engine.
 */
import type { Entry } from '../../transcript/entry.js';
import { isRecord } from '../../transcript/line.js';
import type { Meant } from '../earlier-entries.js';
import type { FactsSummary } from './facts-columns.js';
import type { SessionReading } from './session-reading.js';

/** `time`: microseconds since 1970 UTC. `whole`: a 64-bit integer. */
export type ColumnType = 'text' | 'texts' | 'whole' | 'number' | 'flag' | 'time';

/** What a value is read from, for engines that read the objects themselves; `reading`: only dbguard's own reading has it. */
export type Source =
  /** Of the entry's payload; dots lead into objects. */
  | { readonly field: string; readonly unit?: 'ms' | 'us' }
  | { readonly disclosed: string }
  /** Of the session's opening entry. */
  | { readonly open: string; readonly unit?: 'ms' }
  | { readonly object: 'sid' | 'folder' }
  | { readonly reading: string };

export interface Column<Row> {
  readonly name: string;
  readonly type: ColumnType;
  readonly from: Source;
  readonly words: string;
  /** Attacker-controlled: what is of another type than the column's becomes NULL. */
  readonly of: (row: Row) => unknown;
}

/** An entry as it stands among the others of its session. */
export interface EntryReading {
  readonly entry: Entry;
  readonly disclosed: Readonly<Record<string, unknown>>;
  readonly meant: Meant;
  /** Of what the parser read, where it did. */
  readonly facts: FactsSummary | undefined;
}

export type EntryColumn = Column<EntryReading>;
export type SessionColumn = Column<SessionReading>;

export function field(name: string, type: ColumnType, words: string, path = name): EntryColumn {
  const of: EntryColumn['of'] = path.includes('.')
    ? ({ entry }) => at(entry.fields, path)
    : ({ entry: { fields } }) => (Object.hasOwn(fields, path) ? fields[path] : undefined);
  return { name, type, words, from: { field: path }, of };
}

export function disclosed(name: string, type: ColumnType, words: string): EntryColumn {
  return { name, type, words, from: { disclosed: name }, of: (reading) => reading.disclosed[name] };
}

export function made(name: string, type: ColumnType, words: string, of: EntryColumn['of']): EntryColumn {
  return { name, type, words, from: { reading: words }, of };
}

export function at(value: unknown, path: string): unknown {
  return path.split('.').reduce((inner: unknown, key) => {
    return isRecord(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined;
  }, value);
}

/** Characters of one text of a row: what is longer is cut, and its length said beside it. */
const LONGEST_TEXT = 256 * 1024;
/** Of a list, all elements together. */
const MOST_ELEMENTS = 10_000;

const checks: Readonly<Record<ColumnType, (value: unknown) => unknown>> = {
  text: (value) => (typeof value === 'string' ? wellFormed(value).slice(0, LONGEST_TEXT) : undefined),
  texts: (value) => (Array.isArray(value) ? texts(value) : undefined),
  whole: (value) => (Number.isSafeInteger(value) ? value : undefined),
  number: (value) => (typeof value === 'number' && Number.isFinite(value) ? value : undefined),
  flag: (value) => (typeof value === 'boolean' ? value : undefined),
  time: (value) => (typeof value === 'number' && Math.abs(value) < LATEST ? Math.round(value) : undefined),
};

/** Microseconds until the year 9999: later ones have no spelling that every engine reads. */
const LATEST = 253_402_300_800_000_000;

/** Columns, ready for their many rows. */
export interface RowForm<Row> {
  readonly columns: readonly { readonly key: string; check(value: unknown): unknown; of(row: Row): unknown }[];
}

export function rowForm<Row>(columns: readonly Column<Row>[]): RowForm<Row> {
  return {
    columns: columns.map(({ name, type, of }) => ({ key: `${JSON.stringify(name)}:`, check: checks[type], of })),
  };
}

/**
 * A row as one line of JSON, ended; what is of another type than its column is left out. By hand, because an object made for
 * each row, and JSON.stringify of its names, cost twice as much.
 *
 * @param before members, each with a comma behind it
 */
export function rowLine<Row>({ columns }: RowForm<Row>, before: string, row: Row): string {
  let text = before;
  for (const { key, check, of } of columns) {
    const value = of(row);
    if (value === undefined) continue;
    const checked = check(value);
    if (checked !== undefined) text += `${key}${json(checked)},`;
  }
  return `{${text.slice(0, -1)}}\n`;
}

/** Words and command tags: nothing in them is escaped. */
const isPlain = /^[\w :.-]{0,40}$/;

function json(value: unknown): string {
  if (typeof value === 'string' && isPlain.test(value)) return `"${value}"`;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : JSON.stringify(value);
}

function texts(values: readonly unknown[]): (string | null)[] {
  let room = LONGEST_TEXT;
  return values.slice(0, MOST_ELEMENTS).map((value) => {
    if (typeof value !== 'string') return null;
    const text = wellFormed(value).slice(0, room);
    room -= text.length;
    return text;
  });
}

/** Half a character is none, and no engine takes it. A zero ends a text in some of them. */
function wellFormed(text: string): string {
  return /[\ud800-\udfff\0]/.test(text) ? Buffer.from(text).toString().replaceAll('\0', '\u2400') : text;
}

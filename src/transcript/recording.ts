/**
 * Recordings: how their chunks are named, and what the lines of the two streams say. FORMAT.md describes them.
 *
 * What lives here: names and lines. What it must not know: how a chunk is packed and encrypted, who records.
 */
import type { EntryBody } from './entry.js';

export type RecordedStream = 'results' | 'terminal';
export const recordedStreams: readonly RecordedStream[] = ['results', 'terminal'];

/** Which objects of a session are a recording's chunks, beside what the chain says of each. */
export interface RecordingPlace {
  readonly subject: string;
  readonly sid: string;
  readonly stream: RecordedStream;
  /** Days that it is kept; undefined: until somebody deletes it. */
  readonly keepDays: number | undefined;
  readonly encrypted: boolean;
}

/** What of a chunk stands in the chain. */
export interface RecordedChunk {
  /** Number of the entry. */
  readonly n: number;
  readonly chunk: number;
  /** SHA-256 of the object, base64url. */
  readonly digest: string;
  /** Bytes of the object. */
  readonly size: number;
}

export const recordingsFolder = 'recordings/';

/** A rule of the bucket finds all that is kept equally long under one prefix. */
export function keepFolder(keepDays: number | undefined): string {
  return `${recordingsFolder}${keepDays === undefined ? 'kept' : `${keepDays}d`}/`;
}

/** @param digest of the object, base64url: whoever does not know it can take no name */
export function chunkKey(place: RecordingPlace, chunk: number, digest: string): string {
  const { subject, sid } = place;
  return `${keepFolder(place.keepDays)}${subject}/${sid}/${chunkName(place.stream, chunk, digest, place.encrypted)}`;
}

export function chunkName(stream: RecordedStream, chunk: number, digest: string, encrypted: boolean): string {
  const hex = Buffer.from(digest, 'base64url').toString('hex').slice(0, 16);
  return `${stream}-${String(chunk).padStart(8, '0')}-${hex}.jsonl.gz${encrypted ? '.age' : ''}`;
}

const CHUNK_KEY = /^recordings\/(?:kept|(\d{1,5})d)\//;

/** How long an object is meant to be kept, days; undefined for one that is no recording's, or is kept for good. */
export function keepDaysOf(key: string): number | undefined {
  const days = CHUNK_KEY.exec(key)?.[1];
  return days === undefined ? undefined : Number(days);
}

const WHOLE_KEY =
  /^recordings\/(?:kept|\d{1,5}d)\/[0-9a-f]{32}\/[0-7][0-9a-hjkmnp-tv-z]{25}\/(?:results|terminal)-\d{8,}-[0-9a-f]{16}\.jsonl\.gz(?:\.age)?$/;

/** Whether a chunk can be called so; whether one is, its session's chain says. */
export function isChunkKey(key: string): boolean {
  return WHOLE_KEY.test(key);
}

export interface RecordingBegin {
  readonly stream: RecordedStream;
  readonly keepDays?: number | undefined;
  /** Of the results of one statement. */
  readonly maxRows?: number | undefined;
  readonly maxBytes?: number | undefined;
  /** `age1...`, `ssh-ed25519 AAAA...`; undefined where nothing is encrypted. */
  readonly recipients?: readonly string[] | undefined;
}

export function beginEntry(begin: RecordingBegin): EntryBody {
  const { stream, keepDays, maxRows, maxBytes, recipients } = begin;
  return { k: 'recording', event: 'begin', stream, keepDays, maxRows, maxBytes, recipients };
}

export function chunkEntry(stream: RecordedStream, { chunk, digest, size }: Omit<RecordedChunk, 'n'>): EntryBody {
  return { k: 'recording', event: 'chunk', stream, chunk, digest, size };
}

export function endEntry(stream: RecordedStream, why: 'session' | 'failed'): EntryBody {
  return { k: 'recording', event: 'end', stream, why };
}

/** Name, OID of the type, its modifier (-1: none). */
export type RecordedColumn = readonly [name: string, typeOid: number, modifier: number];
/** A text; bytes of a value in binary format, or of a text that is no UTF-8; or NULL. */
export type RecordedCell = string | { readonly hex: string } | null;

/** One line of the stream `results`. `of`: the `statement` entry. */
export type ResultLine =
  | {
      readonly of: number;
      /** Microseconds since 1970 UTC. */
      readonly t: number;
      /** A result begins; missing where nobody described it. */
      readonly columns?: readonly RecordedColumn[];
      /** Places of columns whose values are in binary format, rising; missing where there are none. */
      readonly binary?: readonly number[];
      /** Data of COPY follows. */
      readonly copy?: 'text' | 'binary';
    }
  | { readonly of: number; readonly rows: readonly (readonly RecordedCell[])[] }
  | { readonly of: number; readonly lines: readonly RecordedCell[] }
  | { readonly of: number; readonly message: RecordedMessage }
  /** What came behind this many rows was not recorded. */
  | { readonly of: number; readonly cut: 'rows' | 'bytes'; readonly after: number };

export interface RecordedMessage {
  readonly severity: string;
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
}

/**
 * One line of the stream `terminal`: microseconds since 1970 UTC, what, and its text. `s` the screen begins, `r` it has
 * another size (`80x24`); `o` is drawn; `i` somebody typed within this second; `q` a question of dbguard's takes the screen, `a`
 * it is answered and the program has it again.
 */
export type TerminalLine = readonly [t: number, what: 's' | 'r' | 'o' | 'i' | 'q' | 'a', text: string];

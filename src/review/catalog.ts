/** Which sessions a bucket holds: object names put together, nothing opened; and which objects are no session's. */
import { DbguardError } from '../errors.js';
import type { Bucket } from '../transcript/entry.js';
import type { HistorySource, ObjectHistory, SkipTo } from '../transcript/object-history.js';
import {
  allSessionsPrefix,
  isProbeKey,
  parseObjectKey,
  sessionFolderOf,
  sessionPrefix,
} from '../transcript/object-key.js';

/** What reading needs of a bucket; the local spool can be read like one too. */
export interface ObjectSource extends ObjectReader, HistorySource {}

export type ObjectReader = Pick<Bucket, 'location' | 'read' | 'pieces'>;

export interface SegmentObject extends ObjectHistory {
  readonly segment: number;
}

export interface SessionObjects {
  /** Hash of the subject, as the key says. */
  readonly subject: string;
  readonly sid: string;
  /** By number; a number may come twice. */
  readonly segments: readonly SegmentObject[];
  readonly redactions: readonly ObjectHistory[];
  /** Names in its folder that dbguard gives to nothing. */
  readonly strangers: Tally;
}

/** Attacker-controlled names, counted; the first of them kept. */
export class Tally {
  readonly keys: string[] = [];
  count = 0;

  add(key: string): void {
    this.count++;
    if (this.keys.length < 3) this.keys.push(key);
  }
}

/** Objects of one session whose names are held in memory. A session of a year has fewer. */
const MAX_OBJECTS = 250_000;

/**
 * One session after the other, oldest first within a person; holds the names of one session at a time.
 *
 * @param onUnknown called with every key under `prefix` that belongs to no session's folder, and why where that is known
 */
export async function* listSessions(
  source: ObjectSource,
  prefix: string = allSessionsPrefix,
  onUnknown: (key: string) => void = () => undefined,
): AsyncGenerator<SessionObjects> {
  let current: Folder | undefined;
  for await (const object of source.history(prefix)) {
    const { key, odd } = object;
    const folder = sessionFolderOf(key);
    if (folder === undefined) {
      if (!isProbeKey(key) || odd !== undefined) onUnknown(odd === undefined ? key : `${key} (${odd})`);
      continue;
    }
    if (current?.sid !== folder.sid || current.subject !== folder.subject) {
      if (current) yield current;
      current = new Folder(folder.subject, folder.sid);
    }
    current.add(object);
  }
  if (current) yield current;
}

/** Session ids, both ends included; any text is a bound. */
export interface IdSpan {
  readonly first: string;
  readonly last: string;
}

/** Ids begin with their time: what lies outside is left out where the source can, without a look at it. */
export async function* sessionsWithin(source: ObjectSource, span: IdSpan): AsyncGenerator<SessionObjects> {
  yield* listSessions(objectsWithin(source, span));
}

/** The source without sessions outside of the span. */
export function objectsWithin(source: ObjectSource, { first, last }: IdSpan): ObjectSource {
  const skipTo: SkipTo = (key) => {
    const folder = sessionFolderOf(key);
    if (folder === undefined) return undefined;
    if (folder.sid < first) return sessionPrefix(folder.subject, first).slice(0, -1);
    return folder.sid > last ? sessionPrefix(folder.subject, afterAnyId).slice(0, -1) : undefined;
  };
  const isWithin = (key: string): boolean => {
    const sid = sessionFolderOf(key)?.sid;
    return sid === undefined || (sid >= first && sid <= last);
  };
  return {
    location: source.location,
    keeping: () => source.keeping(),
    read: (key, version) => source.read(key, version),
    ...(source.pieces ? { pieces: (key, version) => piecesFrom(source, key, version) } : {}),
    async *history(prefix) {
      for await (const object of source.history(prefix, skipTo)) if (isWithin(object.key)) yield object;
    },
  };
}

/** Greater than every character of an id. */
export const afterAnyId = '~';

/** What lives here: the objects of one session while they are listed. */
class Folder implements SessionObjects {
  readonly subject: string;
  readonly sid: string;
  readonly segments: SegmentObject[] = [];
  readonly redactions: ObjectHistory[] = [];
  readonly strangers = new Tally();

  constructor(subject: string, sid: string) {
    this.subject = subject;
    this.sid = sid;
  }

  add(object: ObjectHistory): void {
    const name = object.odd === undefined ? parseObjectKey(object.key) : undefined;
    const full = this.segments.length + this.redactions.length >= MAX_OBJECTS;
    if (name === undefined || full) this.strangers.add(object.odd ? `${object.key} (${object.odd})` : object.key);
    else if (name.segment === undefined) this.redactions.push(object);
    else this.segments.push({ ...object, segment: name.segment });
  }
}

/** Two sources as one, in the order of keys; where both have an object, the first one's is taken. */
export function mergeSources(first: ObjectSource, second: ObjectSource): ObjectSource {
  return {
    location: first.location,
    history: (prefix, skipTo) => mergeLists(first.history(prefix, skipTo), second.history(prefix, skipTo)),
    keeping: () => first.keeping(),
    read: async (key, version) => {
      try {
        return await first.read(key, version);
      } catch (error) {
        if (error instanceof DbguardError && error.code === 'transcript-unknown') return second.read(key);
        throw error;
      }
    },
    pieces: (key, version) => piecesOfEither(first, second, key, version),
  };
}

async function* piecesOfEither(
  first: ObjectReader,
  second: ObjectReader,
  key: string,
  version?: string,
): AsyncGenerator<Uint8Array> {
  let begun = false;
  try {
    for await (const piece of piecesFrom(first, key, version)) {
      begun = true;
      yield piece;
    }
  } catch (error) {
    if (begun || !(error instanceof DbguardError && error.code === 'transcript-unknown')) throw error;
    yield* piecesFrom(second, key);
  }
}

/** In one piece where the source has no others. */
export async function* piecesFrom(source: ObjectReader, key: string, version?: string): AsyncGenerator<Uint8Array> {
  if (source.pieces) yield* source.pieces(key, version);
  else yield await source.read(key, version);
}

async function* mergeLists(
  first: AsyncIterable<ObjectHistory>,
  second: AsyncIterable<ObjectHistory>,
): AsyncGenerator<ObjectHistory> {
  const others = second[Symbol.asyncIterator]();
  let other = await others.next();
  for await (const object of first) {
    for (; !other.done && other.value.key < object.key; other = await others.next()) yield other.value;
    if (!other.done && other.value.key === object.key) other = await others.next();
    yield object;
  }
  for (; !other.done; other = await others.next()) yield other.value;
}

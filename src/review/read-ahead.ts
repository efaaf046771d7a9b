/** Reads objects in order while earlier ones are being verified, in bounded memory. */
import { messageOf } from '../errors.js';
import type { ObjectHistory } from '../transcript/object-history.js';
import { type ObjectReader, piecesFrom } from './catalog.js';
import { isAboutContent } from './read-segment.js';
import { MAX_PACKED, MIN_PACKED } from './segment-lines.js';
import type { Pieces } from './unpacked.js';

/** Requests at the same time, and bytes that wait to be verified. */
const AT_ONCE = 16;
const MAX_WAITING = 4 * 1024 * 1024;
/** Bytes of an object that is held; a larger one is read when its lines are, a piece at a time. */
export const MAX_HELD = 1024 * 1024;

export interface ReadObject<T extends ObjectHistory> {
  readonly object: T;
  /** Undefined when there is a problem. */
  readonly bytes?: Uint8Array | Pieces;
  /** Why its content cannot be a segment; nothing was read where its size says so already. */
  readonly problem?: string;
}

/** Rejects when the way to the objects fails: a network that is away says nothing about a transcript. */
export async function* readAhead<T extends ObjectHistory>(
  objects: Iterable<T> | AsyncIterable<T>,
  source: ObjectReader,
): AsyncGenerator<ReadObject<T>> {
  const waiting: { readonly read: Promise<ReadObject<T>>; readonly size: number }[] = [];
  let bytes = 0;
  for await (const object of objects) {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      if (waiting.length < AT_ONCE && bytes + object.size <= MAX_WAITING) break;
      waiting.shift();
      yield await first.read;
      bytes -= first.size;
    }
    const read = readOne(object, source);
    read.catch(() => undefined); // is heard when its turn comes, if it comes
    const size = object.size > MAX_HELD ? 0 : object.size;
    waiting.push({ read, size });
    bytes += size;
  }
  for (const { read } of waiting) yield await read;
}

async function readOne<T extends ObjectHistory>(object: T, source: ObjectReader): Promise<ReadObject<T>> {
  if (object.gone) return { object, problem: 'it was deleted' };
  if (object.size < MIN_PACKED) return { object, problem: object.size === 0 ? 'it is empty' : 'it is too short' };
  if (object.size > MAX_PACKED) return { object, problem: 'it is larger than anything that dbguard writes' };
  if (object.size > MAX_HELD) return { object, bytes: () => piecesFrom(source, object.key, object.version) };
  try {
    return { object, bytes: await source.read(object.key, object.version) };
  } catch (error) {
    if (!isAboutContent(error)) throw error;
    return { object, problem: messageOf(error) };
  }
}

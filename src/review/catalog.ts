/** Which sessions a bucket holds: object names put together, nothing opened. */
import { DbguardError } from '../errors.js';
import type { Bucket, BucketObject } from '../transcript/entry.js';
import { allSessionsPrefix, parseObjectKey } from '../transcript/object-key.js';

/** What reading needs of a bucket; the local spool can be read like one too. */
export type ObjectSource = Pick<Bucket, 'location' | 'list' | 'read'>;

export interface SegmentObject extends BucketObject {
  readonly segment: number;
}

export interface SessionObjects {
  /** Hash of the subject, as the key says. */
  readonly subject: string;
  readonly sid: string;
  /** By number; a number may come twice. */
  readonly segments: readonly SegmentObject[];
  readonly redactions: readonly BucketObject[];
}

/** One session after the other, oldest first within a person; holds the names of one session at a time. */
export async function* listSessions(
  source: ObjectSource,
  prefix: string = allSessionsPrefix,
): AsyncGenerator<SessionObjects> {
  let current: { subject: string; sid: string; segments: SegmentObject[]; redactions: BucketObject[] } | undefined;
  for await (const object of source.list(prefix)) {
    const name = parseObjectKey(object.key);
    if (name === undefined) continue;
    if (current?.sid !== name.sid || current.subject !== name.subject) {
      if (current) yield current;
      current = { subject: name.subject, sid: name.sid, segments: [], redactions: [] };
    }
    if (name.segment === undefined) current.redactions.push(object);
    else current.segments.push({ ...object, segment: name.segment });
  }
  if (current) yield current;
}

/** Two sources as one, in the order of keys; where both have an object, the first one's is taken. */
export function mergeSources(first: ObjectSource, second: ObjectSource): ObjectSource {
  return {
    location: first.location,
    list: (prefix) => mergeLists(first.list(prefix), second.list(prefix)),
    read: async (key) => {
      try {
        return await first.read(key);
      } catch (error) {
        if (error instanceof DbguardError && error.code === 'transcript-unknown') return second.read(key);
        throw error;
      }
    },
  };
}

async function* mergeLists(
  first: AsyncIterable<BucketObject>,
  second: AsyncIterable<BucketObject>,
): AsyncGenerator<BucketObject> {
  const others = second[Symbol.asyncIterator]();
  let other = await others.next();
  for await (const object of first) {
    for (; !other.done && other.value.key < object.key; other = await others.next()) yield other.value;
    if (!other.done && other.value.key === object.key) other = await others.next();
    yield object;
  }
  for (; !other.done; other = await others.next()) yield other.value;
}

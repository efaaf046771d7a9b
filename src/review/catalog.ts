/** Which sessions a bucket holds: object names put together, nothing opened. */
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

/** A session id is a ULID: its first ten characters are milliseconds since 1970 UTC in Crockford's base32. */
export function sessionTime(sid: string): number {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  return [...sid.slice(0, 10)].reduce((time, character) => time * 32 + alphabet.indexOf(character), 0);
}

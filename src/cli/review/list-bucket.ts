/**
 * The bucket's sessions for the browser's list: at once what was known at the last look, then what the listing of now says, and
 * the ends of those sessions that lie there otherwise.
 */
import { join } from 'node:path';
import { cacheKey, readList, writeList } from '../../io/files/vouched-files.js';
import { type ListedSession, listedSession, nameOf, type Stored } from '../../review/browser/listed-session.js';
import { SessionIndex } from '../../review/browser/session-index.js';
import { type IdSpan, type ObjectSource, type SessionObjects, sessionsWithin } from '../../review/catalog.js';
import { endsOf, summarise } from '../../review/summary.js';
import { sha256 } from '../../sha256.js';
import { listingOf } from '../views/listing.js';

export interface IndexPlace {
  readonly path: string;
  readonly key: Buffer;
}

const readAtOnce = 16;
/** Sessions that are told of together, and milliseconds between two tellings. */
const together = 2000;
const tellMs = 150;
/** Milliseconds without a look at the keyboard: a folder lists faster than it lets go. */
const breathMs = 15;

/** @param folders of this user on this machine, made where they are not there */
export function indexPlace(folders: { readonly state: string; readonly cache: string }, location: string): IndexPlace {
  const name = sha256(location, 'hex').slice(0, 32);
  return { path: join(folders.cache, 'review', `${name}.index`), key: cacheKey(folders.state) };
}

/** @param tell gets sessions that are new or otherwise than they were told before */
export async function listBucket(
  source: ObjectSource,
  span: IdSpan,
  place: IndexPlace,
  tell: (sessions: readonly ListedSession[]) => void,
): Promise<void> {
  const index = new SessionIndex(readList(place.path, place.key, place.path));
  const isMeant = ({ sid }: ListedSession): boolean => sid >= span.first && sid <= span.last;
  tell(index.earlier.filter(isMeant));
  const teller = new Teller(tell);
  const reading = new Set<Promise<void>>();
  let breathed = 0;
  for await (const session of sessionsWithin(source, span)) {
    if (performance.now() - breathed > breathMs) {
      await new Promise((go) => setImmediate(go));
      breathed = performance.now();
    }
    if (session.segments.length === 0) continue;
    const stored = storedAs(session);
    if (index.known(nameOf(session), stored) !== undefined) continue;
    const read = summarise(endsOf(session), source).then((summary) => {
      teller.add(index.read(listedSession(summary, stored)));
      reading.delete(read);
    });
    reading.add(read);
    if (reading.size >= readAtOnce) await Promise.race(reading);
  }
  await Promise.all(reading);
  for (const gone of index.missing(Date.now(), isMeant)) teller.add(gone);
  teller.end();
  writeList(place.path, index.text, place.key, place.path);
}

export function storedAs(session: SessionObjects): Stored {
  const { segments, redactions, strangers } = session;
  const alone = { ...session, redactions: [], strangers: { keys: [], count: 0 } } as unknown as SessionObjects;
  return {
    segments: listingOf(alone).slice(0, 22),
    listing: listingOf(session).slice(0, 22),
    redactions: redactions.length,
    strangers: strangers.count + segments.filter(({ gone }) => gone).length,
  };
}

/** What lives here: what was read and not told yet. */
class Teller {
  readonly #tell: (sessions: readonly ListedSession[]) => void;
  #waiting: ListedSession[] = [];
  #last = performance.now();

  constructor(tell: (sessions: readonly ListedSession[]) => void) {
    this.#tell = tell;
  }

  add(session: ListedSession): void {
    this.#waiting.push(session);
    if (this.#waiting.length >= together || performance.now() - this.#last >= tellMs) this.end();
  }

  end(): void {
    this.#last = performance.now();
    if (this.#waiting.length > 0) this.#tell(this.#waiting);
    this.#waiting = [];
  }
}

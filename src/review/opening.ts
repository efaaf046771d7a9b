/** The opening entry of a session as it says itself, unverified: for finding a session's person or key. */
import { decodeLine, decodePayload } from '../transcript/line.js';
import { type OpenDetails, readOpen } from '../transcript/open-entry.js';
import type { ObjectReader, SessionObjects } from './catalog.js';
import { isAboutContent, linesOf, segmentText } from './read-segment.js';

/** Undefined where it cannot be read; rejects where the bucket cannot. */
export async function readOpening(session: SessionObjects, source: ObjectReader): Promise<OpenDetails | undefined> {
  const first = session.segments.findLast(({ segment }) => segment === 0); // its plain name is listed last
  if (first === undefined) return undefined;
  try {
    const [text = ''] = linesOf(await segmentText(await source.read(first.key, first.version)));
    const line = decodeLine(text);
    return line.kind === 'entry' ? readOpen(decodePayload(line.payload)) : undefined;
  } catch (error) {
    if (isAboutContent(error)) return undefined;
    throw error;
  }
}

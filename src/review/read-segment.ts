/** An object's bytes to lines. The bytes are attacker-controlled: sizes are bounded, damage has words. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DbguardError, messageOf } from '../errors.js';
import type { Entry } from '../transcript/entry.js';
import { decodeLine, decodePayload } from '../transcript/line.js';

const expand = promisify(gunzip);
/** Segments are some megabytes; one with the longest statements may be larger. */
const MAX_SEGMENT = 512 * 1024 * 1024;

/** The text of a segment, packed or (in the spool) not. Rejects with `transcript-invalid`. */
export async function segmentText(bytes: Uint8Array): Promise<string> {
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  try {
    const plain = packed ? await expand(bytes, { maxOutputLength: MAX_SEGMENT }) : bytes;
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain);
  } catch (error) {
    throw new DbguardError('transcript-invalid', `it cannot be unpacked: ${messageOf(error)}`, { cause: error });
  }
}

/** Lines without their newline, the last one also when its newline is missing. */
export function* linesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    if (end < 0) {
      yield text.slice(at);
      return;
    }
    yield text.slice(at, end);
    at = end + 1;
  }
}

/** What a segment says, without its signatures. Throws `transcript-invalid` at the first line that is no entry. */
export function* entriesIn(
  text: string,
): Generator<{ readonly entry: Entry; readonly disclosures: readonly string[] }> {
  for (const raw of linesOf(text)) {
    const line = decodeLine(raw);
    if (line.kind === 'entry') yield { entry: decodePayload(line.payload), disclosures: line.disclosures };
  }
}

/** Did reading fail for what an object is, or because it is not there, rather than for the way to it? */
export function isAboutContent(error: unknown): boolean {
  return error instanceof DbguardError && (error.code === 'transcript-invalid' || error.code === 'transcript-unknown');
}

/** An object's bytes to lines. The bytes are attacker-controlled: sizes are bounded, damage has words. */
import { type Gunzip, gunzip } from 'node:zlib';
import { DbguardError, messageOf } from '../errors.js';
import type { Entry } from '../transcript/entry.js';
import { decodeLine, decodePayload } from '../transcript/line.js';
import { isOneMember, isPacked, wholeObject } from '../transcript/one-member.js';

/** Segments are some megabytes; one with the longest statements may be larger. */
const MAX_SEGMENT = 512 * 1024 * 1024;

/** The text of a segment: whole lines. Rejects with `transcript-invalid`. */
export async function segmentText(bytes: Uint8Array): Promise<string> {
  if (!isPacked(bytes)) throw invalid('it is not packed with gzip');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await expand(bytes));
  } catch (error) {
    throw invalid(`it cannot be unpacked: ${messageOf(error)}`, error);
  }
  if (!text.endsWith('\n')) throw invalid(text === '' ? 'it is empty' : 'its last line is cut off');
  return text;
}

function expand(bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, result: unknown): void => {
      if (error) {
        reject(error);
        return;
      }
      const { buffer, engine } = result as { readonly buffer: Buffer; readonly engine: Gunzip };
      if (isOneMember(wholeObject(bytes), engine.bytesWritten, buffer.length)) resolve(buffer);
      else reject(new Error('it is not one gzip member'));
    };
    gunzip(bytes, { maxOutputLength: MAX_SEGMENT, info: true }, done);
  });
}

function invalid(message: string, cause?: unknown): DbguardError {
  return new DbguardError('transcript-invalid', message, cause === undefined ? {} : { cause });
}

/** Lines of a segment's text, without their newlines. */
export function* linesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
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

/**
 * The lines of an object, however large it says to be: small ones at once, large ones as they are unpacked. The bytes
 * are attacker-controlled: a megabyte may unpack to gigabytes.
 */
import { Readable } from 'node:stream';
import { createGunzip, type Gunzip, gunzipSync } from 'node:zlib';
import { DbguardError, messageOf } from '../errors.js';
import { isOneMember } from './one-member.js';
import { linesOf } from './read-segment.js';

/** Bytes of a packed object. Writers close segments at some megabytes; one statement may be longer. */
export const MAX_PACKED = 64 * 1024 * 1024;
/** A gzip member of nothing. */
export const MIN_PACKED = 20;
/** Unpacked bytes that are held at once. */
const AT_ONCE = 16 * 1024 * 1024;
/** Bytes of one line; a statement has at most 32 million characters. */
const MAX_LINE = 64 * 1024 * 1024;

const behindEnd = 'there are bytes behind its end';

export interface SegmentLines {
  /** The same where the lines are the same. */
  readonly text?: string;
  /**
   * Calls `visit` with one line after the other, until it returns false; a promise is awaited. May be called again. Rejects
   * with `transcript-invalid` where the bytes cannot be unpacked.
   */
  each(visit: (line: string) => Promise<unknown> | unknown): Promise<void>;
}

/** Throws `transcript-invalid` for what is no segment at first sight. */
export function segmentLines(bytes: Uint8Array): SegmentLines {
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!packed && bytes.length <= AT_ONCE) return ofText(decode(bytes));
  if (!packed) throw unusable('it is not packed');
  try {
    // with `info` the types do not say it: the bytes, and the engine that knows how many it took
    const unpacked: unknown = gunzipSync(bytes, { maxOutputLength: AT_ONCE, info: true });
    const { buffer, engine } = unpacked as { readonly buffer: Buffer; readonly engine: Gunzip };
    if (!isOneMember(bytes, engine.bytesWritten, buffer.length)) throw unusable(behindEnd);
    return ofText(decode(buffer));
  } catch (error) {
    if (error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      return { each: (visit) => eachUnpacked(bytes, visit) };
    }
    throw error instanceof DbguardError ? error : unusable(messageOf(error), error);
  }
}

function ofText(text: string): SegmentLines {
  if (text !== '' && !text.endsWith('\n')) throw unusable('its last line has no end');
  return {
    text,
    async each(visit) {
      for (const line of linesOf(text)) {
        const going = visit(line);
        if ((going instanceof Promise ? await going : going) === false) return;
      }
    },
  };
}

async function eachUnpacked(bytes: Uint8Array, visit: (line: string) => Promise<unknown> | unknown): Promise<void> {
  const pieces: Buffer[] = [];
  let length = 0;
  const line = (end: Buffer): string => {
    const whole = pieces.length === 0 ? end : Buffer.concat([...pieces, end]);
    pieces.length = 0;
    length = 0;
    return decode(whole);
  };
  try {
    let unpacked = 0;
    const engine = Readable.from([bytes]).pipe(createGunzip());
    for await (const chunk of engine as AsyncIterable<Buffer>) {
      unpacked += chunk.length;
      let from = 0;
      for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, from)) {
        const going = visit(line(chunk.subarray(from, at)));
        if ((going instanceof Promise ? await going : going) === false) return;
        from = at + 1;
      }
      pieces.push(chunk.subarray(from));
      length += chunk.length - from;
      if (length > MAX_LINE) throw unusable('a line in it is longer than any that dbguard writes');
    }
    if (length > 0) throw unusable('its last line has no end');
    if (!isOneMember(bytes, engine.bytesWritten, unpacked)) throw unusable(behindEnd);
  } catch (error) {
    throw isZlib(error) ? unusable(messageOf(error), error) : error;
  }
}

function isZlib(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw unusable('it is not UTF-8', error);
  }
}

function unusable(why: string, cause?: unknown): DbguardError {
  return new DbguardError('transcript-invalid', `it cannot be unpacked: ${why}`, { cause });
}

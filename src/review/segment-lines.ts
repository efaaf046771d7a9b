/**
 * The lines of an object, however large it says to be: small ones at once, large ones as they are unpacked, long lines
 * without being held. The bytes are attacker-controlled.
 */
import { DbguardError, messageOf } from '../errors.js';
import { gunzipAtOnce } from '../gzip.js';
import { newSha256, sha256 } from '../sha256.js';
import { LONGEST_PAYLOAD, type PassedDisclosure } from '../transcript/line.js';
import { isOneMember, isPacked, wholeObject } from '../transcript/one-member.js';
import { LongLine } from './long-line.js';
import { linesOf } from './read-segment.js';
import { notOne, type Pieces, unpacked, unpackedAlready, unusable } from './unpacked.js';

/** Bytes of a packed object. */
export const MAX_PACKED = 512 * 1024 * 1024;
/** A gzip member of nothing. */
export const MIN_PACKED = 20;
/** Unpacked bytes that are held at once: more than a segment of most sessions. */
const AT_ONCE = 512 * 1024;
/** Bytes of a line that is held; an entry without its disclosures has no more. */
const LONG = LONGEST_PAYLOAD;
/** Bytes of a line that is given as a whole. */
const MAX_LINE = 256 * 1024 * 1024;

/**
 * @param line without its newline; of a long one, what stands before the first disclosure
 * @param passed the disclosures of a long line
 */
export type LineVisitor = (line: string, passed?: readonly PassedDisclosure[]) => Promise<unknown> | unknown;

/** `checked`: what a long line discloses is looked at as it goes by, and gone. `whole`: all lines are given as they stand. */
export type LongLines = 'checked' | 'whole';

export interface SegmentLines {
  /** The same where the lines are the same. */
  readonly text?: string;
  /** SHA-256 of all of it, hex. Rejects with `transcript-invalid` where the bytes cannot be unpacked. */
  digest(): Promise<string>;
  /**
   * Calls `visit` with one line after the other, until it returns false; a promise is awaited. May be called again. Rejects
   * with `transcript-invalid` where the bytes cannot be unpacked.
   */
  each(visit: LineVisitor, long?: LongLines): Promise<void>;
}

/** Throws `transcript-invalid` for what is no segment at first sight. */
export function segmentLines(content: Uint8Array | Pieces): SegmentLines {
  if (typeof content === 'function') return ofPieces(content);
  if (!isPacked(content)) throw unusable(unpackedAlready);
  const bytes = unpackedAtOnce(content);
  if (bytes !== undefined) return ofText(decode(bytes));
  const pieces = async function* () {
    yield content;
  };
  return ofPieces(pieces);
}

function ofPieces(pieces: Pieces): SegmentLines {
  return {
    each: (visit, long) => eachOf(pieces(), visit, long),
    async digest() {
      const hash = newSha256();
      for await (const piece of unpacked(pieces())) hash.update(piece);
      return hash.digest('hex');
    },
  };
}

/** Undefined where that is too much. */
function unpackedAtOnce(bytes: Uint8Array): Uint8Array | undefined {
  let result: ReturnType<typeof gunzipAtOnce>;
  try {
    result = gunzipAtOnce(bytes, AT_ONCE);
  } catch (error) {
    throw unusable(messageOf(error), error);
  }
  if (result === 'too-much') return undefined;
  if (isOneMember(wholeObject(bytes), result.taken, result.bytes.length)) return result.bytes;
  throw unusable(notOne);
}

function ofText(text: string): SegmentLines {
  if (text !== '' && !text.endsWith('\n')) throw unusable(unended);
  return {
    text,
    digest: async () => sha256(text, 'hex'),
    async each(visit) {
      for (const line of linesOf(text)) {
        const going = visit(line);
        if ((going instanceof Promise ? await going : going) === false) return;
      }
    },
  };
}

async function eachOf(pieces: AsyncIterable<Uint8Array>, visit: LineVisitor, long: LongLines = 'checked') {
  const begun = new BegunLine(long);
  for await (const piece of unpacked(pieces)) {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    let from = 0;
    if (begun.length > 0) {
      const end = bytes.indexOf(NEWLINE);
      if (end >= 0) {
        const { line, passed } = begun.end(bytes.subarray(0, end));
        const going = visit(line, passed);
        if ((going instanceof Promise ? await going : going) === false) return;
        from = end + 1;
      }
    }
    // whole lines are decoded together: a decoder for each costs more than the reading
    const last = begun.length > 0 && from === 0 ? -1 : bytes.lastIndexOf(NEWLINE);
    if (last >= from) {
      for (const line of linesOf(decode(bytes.subarray(from, last + 1)))) {
        const going = visit(line);
        if ((going instanceof Promise ? await going : going) === false) return;
      }
      from = last + 1;
    }
    begun.add(bytes.subarray(from));
  }
  if (begun.length > 0) throw unusable(unended);
}

const NEWLINE = 0x0a;
const unended = 'its last line has no end';

/** What lives here: the line whose end has not come yet. */
class BegunLine {
  readonly #long: LongLines;
  #pieces: Buffer[] = [];
  #passing: LongLine | undefined;
  length = 0;

  constructor(long: LongLines) {
    this.#long = long;
  }

  add(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.length += bytes.length;
    if (this.length > MAX_LINE) throw unusable('a line in it is longer than any that dbguard writes');
    if (this.#passing) this.#passing.add(bytes);
    else {
      this.#pieces.push(bytes);
      if (this.#long === 'checked' && this.length > LONG) this.#pass();
    }
  }

  end(bytes: Buffer): { readonly line: string; readonly passed?: readonly PassedDisclosure[] } {
    this.add(bytes);
    const [pieces, passing] = [this.#pieces, this.#passing];
    this.#pieces = [];
    this.#passing = undefined;
    this.length = 0;
    if (passing) return passing.end();
    const whole = Buffer.concat(pieces);
    const tab = whole.indexOf('\t');
    if ((tab < 0 ? whole.length : tab) > LONGEST_PAYLOAD)
      throw unusable('an entry in it is longer than any that dbguard writes');
    return { line: decode(whole) };
  }

  #pass(): void {
    this.#passing = new LongLine();
    for (const piece of this.#pieces) this.#passing.add(piece);
    this.#pieces = [];
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw error instanceof DbguardError ? error : unusable('it is not UTF-8', error);
  }
}

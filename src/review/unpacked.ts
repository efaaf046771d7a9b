/**
 * An object's bytes as they unpack, a piece at a time. The bytes are attacker-controlled: a megabyte may unpack to
 * gigabytes.
 *
 * What lives here: gzip, and what may not stand around it. What it must not know: lines.
 */
import { DbguardError, messageOf } from '../errors.js';
import { GunzipPieces, isDamage } from '../gzip.js';
import { BEGINS_WITHIN, isOneMember, isPacked } from '../transcript/one-member.js';

/** Reads an object anew, a piece at a time. */
export type Pieces = () => AsyncIterable<Uint8Array>;

/** Unpacked bytes of one object. Writers close segments at some megabytes; one statement may be longer. */
const MAX_UNPACKED = 512 * 1024 * 1024;

/** Rejects with `transcript-invalid`; of what fails on the way, with that. */
export async function* unpacked(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const taken = new Taken(pieces);
  if (!isPacked(await taken.begin())) throw unusable(unpackedAlready);
  let length = 0;
  for await (const piece of gunzipped(taken)) {
    length += piece.length;
    if (length > MAX_UNPACKED) throw unusable('it is larger than anything that dbguard writes');
    yield piece;
  }
}

async function* gunzipped(taken: Taken): AsyncGenerator<Uint8Array> {
  const engine = new GunzipPieces(taken);
  let length = 0;
  try {
    for await (const piece of engine) {
      length += piece.length;
      yield piece;
    }
  } catch (error) {
    throw isDamage(error) ? unusable(messageOf(error), error) : error;
  }
  if (!taken.ended || !isOneMember(taken, engine.taken, length)) throw unusable(notOne);
}

/** What lives here: how much of an object was read, its beginning and its end. */
class Taken implements AsyncIterable<Uint8Array> {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #begun: Uint8Array[] = [];
  start: Uint8Array = new Uint8Array();
  length = 0;
  /** Its last bytes so far. */
  trailer: Uint8Array = new Uint8Array();
  ended = false;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** However small the pieces are. Once, before all else. */
  async begin(): Promise<Uint8Array> {
    for (let length = 0; length < BEGINS_WITHIN; ) {
      const next = await this.#pieces.next();
      if (next.done) break;
      this.#begun.push(next.value);
      length += next.value.length;
    }
    this.start = Buffer.concat(this.#begun).subarray(0, BEGINS_WITHIN);
    return this.start;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (const piece of this.#begun.splice(0)) yield this.#counted(piece);
      for (let next = await this.#pieces.next(); !next.done; next = await this.#pieces.next())
        yield this.#counted(next.value);
      this.ended = true;
    } finally {
      await this.#pieces.return?.();
    }
  }

  #counted(piece: Uint8Array): Uint8Array {
    this.length += piece.length;
    this.trailer = piece.length >= 4 ? piece.subarray(-4) : Buffer.concat([this.trailer, piece]).subarray(-4);
    return piece;
  }
}

export const unpackedAlready = 'it is not packed with gzip';
export const notOne = 'it is not one gzip member: there are bytes before it or behind its end';

export function unusable(why: string, cause?: unknown): DbguardError {
  return new DbguardError('transcript-invalid', `it cannot be unpacked: ${why}`, { cause });
}

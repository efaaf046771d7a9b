/**
 * An object's bytes as they unpack, a piece at a time. The bytes are attacker-controlled: a megabyte may unpack to
 * gigabytes.
 *
 * What lives here: gzip, and what may not stand around it. What it must not know: lines.
 */
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DbguardError, messageOf } from '../errors.js';
import { isOneMember } from './one-member.js';

/** Reads an object anew, a piece at a time. */
export type Pieces = () => AsyncIterable<Uint8Array>;

/** Unpacked bytes of one object. Writers close segments at some megabytes; one statement may be longer. */
const MAX_UNPACKED = 512 * 1024 * 1024;

export function isPacked(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}

/** As they are where they are not packed. Rejects with `transcript-invalid`; of what fails on the way, with that. */
export async function* unpacked(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const taken = new Taken(pieces);
  const packed = isPacked(await taken.start());
  let length = 0;
  for await (const piece of packed ? gunzipped(taken) : taken) {
    length += piece.length;
    if (length > MAX_UNPACKED) throw unusable('it is larger than anything that dbguard writes');
    yield piece;
  }
}

async function* gunzipped(taken: Taken): AsyncGenerator<Uint8Array> {
  const engine = createGunzip();
  // whoever stops reading the one ends the other; what went wrong is thrown where it is read
  pipeline(Readable.from(taken), engine, () => undefined);
  let length = 0;
  try {
    for await (const piece of engine as AsyncIterable<Buffer>) {
      length += piece.length;
      yield piece;
    }
  } catch (error) {
    throw isZlib(error) ? unusable(messageOf(error), error) : error;
  }
  if (!taken.ended || !isOneMember(taken, engine.bytesWritten, length))
    throw unusable('there are bytes behind its end');
}

/** What lives here: how much of an object was read, and its end. */
class Taken implements AsyncIterable<Uint8Array> {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #first: IteratorResult<Uint8Array> | undefined;
  length = 0;
  /** Its last bytes so far. */
  trailer: Uint8Array = new Uint8Array();
  ended = false;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  async start(): Promise<Uint8Array> {
    this.#first = await this.#pieces.next();
    return this.#first.done ? new Uint8Array() : this.#first.value;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (let next = this.#first ?? (await this.#pieces.next()); !next.done; next = await this.#pieces.next()) {
        const { value } = next;
        this.length += value.length;
        this.trailer = value.length >= 4 ? value.subarray(-4) : Buffer.concat([this.trailer, value]).subarray(-4);
        yield value;
      }
      this.ended = true;
    } finally {
      await this.#pieces.return?.();
    }
  }
}

function isZlib(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}

export function unusable(why: string, cause?: unknown): DbguardError {
  return new DbguardError('transcript-invalid', `it cannot be unpacked: ${why}`, { cause });
}

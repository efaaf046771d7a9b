/**
 * Unpacking of what others packed, in one place: by node:zlib here, by review/page/gzip-web.ts in the page that proves
 * itself. Both take any number of members, or one and no more; whoever calls holds that against how much was taken.
 */
import { pipeline, Readable } from 'node:stream';
import { constants, createGunzip, type Gunzip, gunzipSync, inflateRawSync } from 'node:zlib';

export interface Unpacked {
  readonly bytes: Uint8Array;
  /** Packed bytes that they came of. */
  readonly taken: number;
}

/** `too-much`: more than `most` bytes come of it. Throws where it cannot be unpacked. */
export function gunzipAtOnce(packed: Uint8Array, most: number): Unpacked | 'too-much' {
  try {
    // with `info` the types do not say it: the bytes, and the engine that knows how many it took
    const result: unknown = gunzipSync(packed, { maxOutputLength: most, info: true });
    const { buffer, engine } = result as { readonly buffer: Buffer; readonly engine: Gunzip };
    return { bytes: buffer, taken: engine.bytesWritten };
  } catch (error) {
    if (error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') return 'too-much';
    throw error;
  }
}

/** Packed bytes that it has taken are counted in `taken`. Rejects where they cannot be unpacked: `isDamage`. */
export class GunzipPieces implements AsyncIterable<Uint8Array> {
  readonly #packed: AsyncIterable<Uint8Array>;
  readonly #engine = createGunzip();

  constructor(packed: AsyncIterable<Uint8Array>) {
    this.#packed = packed;
  }

  get taken(): number {
    return this.#engine.bytesWritten;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    // whoever stops reading the one ends the other; what went wrong is thrown where it is read
    pipeline(Readable.from(this.#packed), this.#engine, () => undefined);
    return (this.#engine as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }
}

/** Is that about the bytes, rather than about the way to them? */
export function isDamage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}

/** Does anything come of the beginning of such a stream (RFC 1951)? */
export function inflatesToSomething(begun: Uint8Array): boolean {
  try {
    return inflateRawSync(begun, { finishFlush: constants.Z_SYNC_FLUSH }).length > 0;
  } catch {
    return false;
  }
}

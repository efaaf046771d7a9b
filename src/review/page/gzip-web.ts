/**
 * One gzip member (RFC 1952) and where it ends, in the page that proves itself in place of src/gzip.ts. What stands
 * behind it is not taken: whoever calls holds what was taken against the whole.
 */
import type * as native from '../../gzip.js';
import { DamagedStream, inflate, inflatesToAnything } from './inflate.js';

/** As the verifier's own limit for one object. */
const MOST = 512 * 1024 * 1024;
const PIECE = 256 * 1024;

export function gunzipAtOnce(packed: Uint8Array, most: number): native.Unpacked | 'too-much' {
  const begin = headerEnd(packed);
  const inflated = inflate(packed, begin, most);
  if (inflated === 'too-much') return inflated;
  const { bytes, end } = inflated;
  if (end + 8 > packed.length) throw new DamagedStream('unexpected end of file');
  const trailer = new DataView(packed.buffer, packed.byteOffset + end, 8);
  if (trailer.getUint32(0, true) !== crc32(bytes)) throw new DamagedStream('incorrect data check');
  if (trailer.getUint32(4, true) !== bytes.length % 2 ** 32) throw new DamagedStream('incorrect length check');
  return { bytes, taken: end + 8 };
}

export class GunzipPieces implements AsyncIterable<Uint8Array> {
  readonly #packed: AsyncIterable<Uint8Array>;
  taken = 0;

  constructor(packed: AsyncIterable<Uint8Array>) {
    this.#packed = packed;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.#packed) pieces.push(piece);
    const unpacked = gunzipAtOnce(joined(pieces), MOST);
    if (unpacked === 'too-much') throw new DamagedStream('it is larger than anything that dbguard writes');
    this.taken = unpacked.taken;
    for (let at = 0; at < unpacked.bytes.length; at += PIECE) yield unpacked.bytes.subarray(at, at + PIECE);
  }
}

export function isDamage(error: unknown): boolean {
  return error instanceof DamagedStream;
}

export function inflatesToSomething(begun: Uint8Array): boolean {
  return inflatesToAnything(begun);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only;
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const [HEADER_CRC, EXTRA, NAME, COMMENT, RESERVED] = [0b10, 0b100, 0b1000, 0b10000, 0b11100000];

function headerEnd(bytes: Uint8Array): number {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) throw new DamagedStream('incorrect header check');
  if (bytes[2] !== 8) throw new DamagedStream('unknown compression method');
  const flags = bytes[3] ?? 0;
  if (flags & RESERVED) throw new DamagedStream('unknown header flags set');
  let at = 10;
  if (flags & EXTRA) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  for (const text of [NAME, COMMENT]) {
    if ((flags & text) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) throw new DamagedStream('unexpected end of file');
    at = end + 1;
  }
  if (flags & HEADER_CRC) {
    const said = (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
    if (said !== crc32(bytes.subarray(0, at)) % 2 ** 16) throw new DamagedStream('header crc mismatch');
    at += 2;
  }
  if (at > bytes.length) throw new DamagedStream('unexpected end of file');
  return at;
}

const crcTable = Int32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});

function crc32(bytes: Uint8Array): number {
  let c = -1;
  for (let i = 0; i < bytes.length; i++) c = (c >>> 8) ^ (crcTable[(c ^ (bytes[i] as number)) & 0xff] as number);
  return (c ^ -1) >>> 0;
}

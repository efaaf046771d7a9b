/**
 * One gzip member (RFC 1952) and nothing around it: gunzip takes any number of them, and ignores what does not look like
 * another one.
 */
import { inflatesToSomething } from '../gzip.js';

/** Bytes of an object within which its content begins: a header with a name, and the first block. */
export const BEGINS_WITHIN = 4096;

/** The whole object: how long it is, and its first and its last bytes. */
export interface WholeObject {
  readonly length: number;
  /** `BEGINS_WITHIN`, or all of it. */
  readonly start: Uint8Array;
  /** Four. */
  readonly trailer: Uint8Array;
}

export function wholeObject(bytes: Uint8Array): WholeObject {
  return { length: bytes.length, start: bytes.subarray(0, BEGINS_WITHIN), trailer: bytes.subarray(-4) };
}

/**
 * @param taken bytes of it that the engine has read
 * @param unpacked bytes that came of them; the last member's last four bytes say how many came of it, modulo 2^32
 */
export function isOneMember({ length, start, trailer }: WholeObject, taken: number, unpacked: number): boolean {
  const size = new DataView(trailer.buffer, trailer.byteOffset, 4).getUint32(0, true);
  // what all members hold is what the last one holds: the others are empty, and none is where the first is not
  return (
    taken === length &&
    size === unpacked % 2 ** 32 &&
    (unpacked === 0 || inflatesToSomething(start.subarray(headerLength(start), BEGINS_WITHIN)))
  );
}

export function isPacked(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}

/** RFC 1952 section 2.3: ten bytes, then a field, two texts and a checksum, each where its flag is set. */
function headerLength(bytes: Uint8Array): number {
  const flags = bytes[3] ?? 0;
  let at = 10;
  if (flags & 0b00100) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  for (const text of [0b01000, 0b10000]) {
    if ((flags & text) === 0) continue;
    const end = bytes.indexOf(0, at);
    at = end < 0 ? bytes.length : end + 1;
  }
  return flags & 0b00010 ? at + 2 : at;
}

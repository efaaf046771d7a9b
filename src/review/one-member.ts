/** One gzip member (RFC 1952) and nothing behind it: gunzip ignores what does not look like another one. */

/** The whole object: how long it is, and its last four bytes. */
export interface WholeObject {
  readonly length: number;
  readonly trailer: Uint8Array;
}

export function wholeObject(bytes: Uint8Array): WholeObject {
  return { length: bytes.length, trailer: bytes.subarray(-4) };
}

/**
 * @param taken bytes of it that the engine has read
 * @param unpacked bytes that came of them; the member's last four bytes say how many, modulo 2^32
 */
export function isOneMember({ length, trailer }: WholeObject, taken: number, unpacked: number): boolean {
  const size = new DataView(trailer.buffer, trailer.byteOffset, 4).getUint32(0, true);
  return taken === length && size === unpacked % 2 ** 32;
}

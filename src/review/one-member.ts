/** One gzip member (RFC 1952) and nothing behind it: gunzip ignores what does not look like another one. */

/**
 * @param bytes the whole object
 * @param taken bytes of it that the engine has read
 * @param unpacked bytes that came of them; the member's last four bytes say how many, modulo 2^32
 */
export function isOneMember(bytes: Uint8Array, taken: number, unpacked: number): boolean {
  const size = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4).getUint32(0, true);
  return taken === bytes.length && size === unpacked % 2 ** 32;
}

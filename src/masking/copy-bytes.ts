/**
 * Short pieces of bytes, copied without a call into native code: that costs more than the piece. A DataView moves four at
 * a time, wherever they stand.
 */

/** Below this a loop is faster than the call that Buffer.copy() is. */
const short = 64;
const shortForWords = 200;

/** Copies `from[start, end)` to `to` at `at`, which may be the same buffer, not further on; returns the offset behind it. */
export function copyBytes(from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  if (from === to && start === at) return end;
  if (end - start > short) {
    from.copy(to, at, start, end);
    return at + end - start;
  }
  let write = at;
  for (let read = start; read < end; read++) to[write++] = from[read] as number;
  return write;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** As `copyBytes`, between views. */
export function copyWords(from: DataView, start: number, end: number, to: DataView, at: number): number {
  if (from === to && start === at) return end;
  const length = end - start;
  if (length > shortForWords) {
    const target = new Uint8Array(to.buffer, to.byteOffset + at, length);
    target.set(new Uint8Array(from.buffer, from.byteOffset + start, length));
    return at + length;
  }
  let read = start;
  let write = at;
  for (const last = end - 4; read <= last; read += 4) {
    to.setInt32(write, from.getInt32(read));
    write += 4;
  }
  for (; read < end; read++) to.setUint8(write++, from.getUint8(read));
  return write;
}

/** A view of what is written to again and again: to make one costs more than a value. */
export class LastView {
  #bytes: Uint8Array | undefined;
  #view = viewOf(new Uint8Array(0));

  of(bytes: Uint8Array): DataView {
    if (this.#bytes !== bytes) {
      this.#bytes = bytes;
      this.#view = viewOf(bytes);
    }
    return this.#view;
  }
}

/** Whether `bytes[start, end)` are ASCII. */
export function isAsciiIn(bytes: DataView, start: number, end: number): boolean {
  let seen = 0;
  let read = start;
  for (const last = end - 4; read <= last; read += 4) seen |= bytes.getInt32(read);
  for (; read < end; read++) seen |= bytes.getUint8(read);
  return (seen & 0x80808080) === 0;
}

/** Sets `to[start, end)` to one byte. */
export function fillBytes(to: DataView, byte: number, start: number, end: number): void {
  if (end - start > shortForWords) {
    new Uint8Array(to.buffer, to.byteOffset + start, end - start).fill(byte);
    return;
  }
  const four = byte * 0x01010101;
  let write = start;
  for (const last = end - 4; write <= last; write += 4) to.setInt32(write, four);
  for (; write < end; write++) to.setUint8(write, byte);
}

/** Whether `bytes[start, end)` hold nothing but this one. */
export function isFilled(bytes: Buffer, byte: number, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== byte) return false;
  return true;
}

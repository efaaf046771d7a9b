/** Below this a loop is faster than the call into native code that Buffer.copy() is. */
const short = 64;

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

/** Sets `to[start, end)` to one byte. */
export function fillBytes(to: Buffer, byte: number, start: number, end: number): void {
  if (end - start > short) to.fill(byte, start, end);
  else for (let at = start; at < end; at++) to[at] = byte;
}

/** Whether `bytes[start, end)` hold nothing but this one. */
export function isFilled(bytes: Buffer, byte: number, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== byte) return false;
  return true;
}

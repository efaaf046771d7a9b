/** The lines of a server's log, plain or gzip, in constant memory. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { DbguardError, reasonOf } from '../../errors.js';

/** Characters. */
const maxLine = 64 * 1024 * 1024;

export interface LogLines extends AsyncIterable<string> {
  /** When all were read: the last one has no end, so that more of it may have been written. */
  readonly isCut: boolean;
}

/**
 * Not node:readline: it also splits at \r and U+2028, which a client may write into a statement.
 * Reading rejects with `usage` for what cannot be read.
 */
export function logLines(path: string): LogLines {
  const lines = { isCut: false, [Symbol.asyncIterator]: () => linesOf(path, lines) };
  return lines;
}

async function* linesOf(path: string, lines: { isCut: boolean }): AsyncGenerator<string> {
  try {
    let rest = '';
    let begun = false;
    for await (const chunk of await textOf(path)) {
      // a byte order mark, which editors put there
      const text = begun ? chunk : chunk.replace(/^\uFEFF/, '');
      begun = true;
      const whole = `${rest}${text}`.split('\n');
      rest = whole.pop() ?? '';
      for (const line of whole) yield line.endsWith('\r') ? line.slice(0, -1) : line;
      if (rest.length > maxLine) throw new RangeError('it has a line of more than 64 MiB');
    }
    lines.isCut = rest !== '';
    if (rest !== '') yield rest;
  } catch (error) {
    throw new DbguardError('usage', `cannot read ${path}: ${reasonOf(error)}`);
  }
}

async function textOf(path: string): Promise<AsyncIterable<string>> {
  const packed = await isGzip(path);
  const bytes = createReadStream(path, { highWaterMark: 1 << 20 });
  if (!packed) return bytes.setEncoding('utf8') as AsyncIterable<string>;
  const plain = createGunzip();
  bytes.on('error', (error) => plain.destroy(error)).pipe(plain);
  return plain.setEncoding('utf8') as AsyncIterable<string>;
}

/** RFC 1952, section 2.3.1. */
async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}

/** The lines of a server's log, plain or gzip, in constant memory. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { DbguardError, reasonOf } from '../../errors.js';

/** Characters. */
const maxLine = 64 * 1024 * 1024;

/**
 * Not node:readline: it also splits at \r and U+2028, which a client may write into a statement.
 * Throws `usage` for what cannot be read.
 */
export async function* logLines(path: string): AsyncGenerator<string> {
  try {
    let rest = '';
    for await (const chunk of await textOf(path)) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
      if (rest.length > maxLine) throw new RangeError('it has a line of more than 64 MiB');
    }
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

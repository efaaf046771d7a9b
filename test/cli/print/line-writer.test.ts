import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { LineWriter } from '../../../src/cli/print/line-writer.js';

t.test('every line, in order, through a slow reader', async (t) => {
  const stream = new PassThrough({ highWaterMark: 10 });
  const read = text(stream);
  const writer = new LineWriter(stream);
  for (let line = 0; line < 50_000; line++) await writer.write(`${line}`);
  t.ok(await writer.flush());
  stream.end();
  const lines = (await read).trimEnd().split('\n');
  t.equal(lines.length, 50_000);
  t.equal(lines.at(-1), '49999');
});

function failing(code: string): Writable {
  const error = Object.assign(new Error(code), { code });
  return new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => done(error) });
}

t.test('a reader that leaves is the end, not an error', async (t) => {
  const writer = new LineWriter(failing('EPIPE'));
  await writer.write('a');
  t.equal(await writer.flush(), false);
  t.equal(await writer.write('b'), false);
});

t.test('any other failure is one', async (t) => {
  const writer = new LineWriter(failing('ENOSPC'));
  await writer.write('a');
  await t.rejects(writer.flush(), { code: 'output-failed', message: /ENOSPC/ });
});

t.test(
  'a stream that is closed under the writer, as a pager’s is when it ends, does not leave it waiting',
  async (t) => {
    const stream = new Writable({ highWaterMark: 1, write: () => undefined });
    const writer = new LineWriter(stream);
    await writer.write('a');
    const flushed = writer.flush();
    stream.destroy();
    t.equal(await flushed, false);
    t.equal(await writer.write('b'), false);
  },
);

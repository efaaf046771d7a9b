/** Objects that are too large to be unpacked at once are read like small ones, and refused for the same reasons. */
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { test } from 'tap';
import { segmentLines } from '../../src/review/segment-lines.js';
import { sha256 } from '../../src/sha256.js';

const MIB = 1024 * 1024;
/** Unpacks to more than is unpacked at once. */
const many = Array.from({ length: 20 }, (_, n) => `${n}\té😀 ${'x'.repeat(MIB - 7 * n)}`);

async function linesOf(bytes: Uint8Array): Promise<string[]> {
  const lines: string[] = [];
  await segmentLines(bytes).each((line) => void lines.push(line), 'whole');
  return lines;
}

const packed = (lines: readonly string[], end = '\n'): Buffer => gzipSync(`${lines.join('\n')}${end}`, { level: 1 });
const large = packed(many);
const small = packed(['a', 'b']);

test('the lines are the lines, and may be asked for again', async (t) => {
  const lines = segmentLines(large);
  t.equal(lines.text, undefined, 'it is not held at once');
  t.strictSame(await linesOf(large), many);
  let seen = 0;
  await lines.each(() => ++seen < 3);
  t.equal(seen, 3, 'reading ends where the reader ends');
  seen = 0;
  await lines.each(async () => void seen++);
  t.equal(seen, many.length);
});

test('lines that break anywhere across what is unpacked at a time', async (t) => {
  const piece = fc.integer({ min: 1, max: 3 * 16_384 });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 12 }), async (lengths) => {
      const lines = [...lengths.map((length, n) => `é${n}\t${'é'.repeat(length)}`), `z\t${'z'.repeat(16 * MIB)}`];
      t.strictSame(await linesOf(packed(lines)), lines);
    }),
    { numRuns: 10 },
  );
});

/** RFC 1952 section 2.3: FEXTRA, FNAME and FCOMMENT. */
function withName(member: Buffer): Buffer {
  const head = Buffer.from(member.subarray(0, 10));
  head[3] = 0b11100;
  const extra = Buffer.from([3, 0, 1, 0, 2]);
  return Buffer.concat([head, extra, Buffer.from('a.jsonl\0a comment\0'), member.subarray(10)]);
}

/** Of nothing, in stored blocks of nothing: RFC 1951 section 3.2.4. */
function padded(blocks: number): Buffer {
  const member = gzipSync('');
  const empty = Array.from({ length: blocks }, () => Buffer.from([0, 0, 0, 0xff, 0xff]));
  return Buffer.concat([member.subarray(0, 10), ...empty, member.subarray(10)]);
}

test('a member with a name is one, however small the pieces are', async (t) => {
  for (const bytes of [withName(small), withName(large), small, large]) {
    const pieces = async function* () {
      for (let at = 0; at < bytes.length; at += at < 5000 ? 1 : 65_536)
        yield bytes.subarray(at, at + (at < 5000 ? 1 : 65_536));
    };
    const read: string[] = [];
    await segmentLines(pieces).each((line) => void read.push(line), 'whole');
    t.strictSame(read, await linesOf(bytes));
    t.equal(await segmentLines(pieces).digest(), sha256(gunzipSync(bytes), 'hex'));
    t.equal(await segmentLines(bytes).digest(), sha256(gunzipSync(bytes), 'hex'));
  }
});

for (const [size, whole, unended] of [
  ['small', small, packed(['a', 'b'], '')],
  ['large', large, packed(many, '')],
] as const) {
  test(`${size}: what is no whole segment is none`, async (t) => {
    const member = gzipSync('{"n":9}\n');
    const broken = Buffer.from(whole);
    broken[broken.length - 8] = (broken[broken.length - 8] ?? 0) ^ 1; // its CRC, RFC 1952 section 2.3.1
    const wrong: readonly [string, Uint8Array][] = [
      ['an empty member before it', Buffer.concat([gzipSync(''), whole])],
      ['two empty members before it', Buffer.concat([gzipSync(''), gzipSync(''), whole])],
      ['an empty member with a name before it', Buffer.concat([withName(gzipSync('')), whole])],
      ['an empty member of many blocks before it', Buffer.concat([padded(2000), whole])],
      ['what it unpacks to', gunzipSync(whole)],
      ['a second member', Buffer.concat([whole, member])],
      ['an empty second member', Buffer.concat([whole, gzipSync('')])],
      ['the same twice', Buffer.concat([whole, whole])],
      ['bytes behind it', Buffer.concat([whole, Buffer.from('junk behind the end')])],
      ['zeros behind it', Buffer.concat([whole, Buffer.alloc(8)])],
      ['one byte behind it', Buffer.concat([whole, Buffer.from([0])])],
      ['its own trailer behind it', Buffer.concat([whole, whole.subarray(-8)])],
      ['a byte short', whole.subarray(0, -1)],
      ['without its trailer', whole.subarray(0, -8)],
      ['half of it', whole.subarray(0, whole.length >> 1)],
      ['another checksum', broken],
      ['a last line without an end', unended],
    ];
    for (const [what, bytes] of wrong) {
      await t.rejects(async () => linesOf(bytes), { code: 'transcript-invalid', message: /cannot be unpacked/ }, what);
    }
  });
}

test('a line longer than any that dbguard writes, text that is none', async (t) => {
  const endless = gzipSync(Buffer.alloc(65 * MIB, 'a'), { level: 1 });
  await t.rejects(
    segmentLines(endless).each(() => undefined),
    { code: 'transcript-invalid', message: /longer than any/ },
  );
  const bytes = Buffer.from(`${many.join('\n')}\n`);
  bytes[bytes.length - 5] = 0xff;
  await t.rejects(linesOf(gzipSync(bytes, { level: 1 })), { code: 'transcript-invalid', message: /not UTF-8/ });
});

/** Chunks that were swapped, cut, turned round, doubled, or are gone: none is told as what was recorded, and no session suffers. */
import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openDirectoryBucket } from '../../src/io/bucket/directory.js';
import { RecordingWriter } from '../../src/io/spool/recording-writer.js';
import type { WaitingChunk } from '../../src/io/spool/uploader.js';
import { heldRecordings } from '../../src/review/held-recordings.js';
import type { ProofLine } from '../../src/review/proof-words.js';
import { RecordingEntries, readRecording } from '../../src/review/recordings.js';
import { Contradictions } from '../../src/transcript/contradictions.js';
import type { Entry, EntryBody } from '../../src/transcript/entry.js';
import { Findings } from '../../src/transcript/finding.js';
import { chunkKey, isChunkKey, recordedStreams } from '../../src/transcript/recording.js';

const [subject, sid] = ['0'.repeat(32), '01jd0000000000000000000000'];
const digest = Buffer.alloc(32, 7).toString('base64url');

interface Made {
  readonly entries: Entry[];
  readonly bucket: string;
  readonly keys: string[];
}

/** A recording of `chunks` chunks as the writer writes it, uploaded. */
async function made(
  t: Test,
  chunks: number,
  how: Partial<ConstructorParameters<typeof RecordingWriter>[0]> = {},
): Promise<Made> {
  const root = t.testdir({ spool: {}, bucket: {} });
  const entries: Entry[] = [];
  const recorder = {
    append: (body: EntryBody) => {
      const { k, ...fields } = body;
      entries.push({ n: entries.length, t: 0, k, c: {}, fields: JSON.parse(JSON.stringify(fields)) });
      return entries.length - 1;
    },
  };
  const waiting: WaitingChunk[] = [];
  const writer = new RecordingWriter({
    begin: { stream: 'results', keepDays: 1 },
    ...{ subject, sid, folder: join(root, 'spool'), recorder, encrypt: undefined },
    onChunk: (chunk) => waiting.push(chunk),
    onFailure: () => undefined,
    limits: { chunkSize: 1 },
    ...how,
  } as ConstructorParameters<typeof RecordingWriter>[0]);
  for (let chunk = 0; chunk < chunks; chunk++) writer.write(JSON.stringify({ of: chunk, rows: [[`row ${chunk}`]] }));
  await writer.close();
  const bucket = openDirectoryBucket(join(root, 'bucket'));
  for (const { key, path } of waiting) await bucket.create(key, readFileSync(path));
  return { entries, bucket: join(root, 'bucket'), keys: waiting.map(({ key }) => key) };
}

async function read({ entries, bucket }: Made): Promise<string[]> {
  const collected = new RecordingEntries();
  for (const entry of entries) collected.add(entry);
  const recording = collected.of('results');
  if (!recording) return [];
  const said: string[] = [];
  for await (const chunk of readRecording({ subject, sid }, recording, openDirectoryBucket(bucket)))
    said.push(chunk.state === 'read' ? JSON.stringify(chunk.lines) : chunk.state);
  return said;
}

async function hold({ entries, bucket }: Made, now: number): Promise<ProofLine[]> {
  const collected = new RecordingEntries();
  for (const entry of entries) collected.add(entry);
  return heldRecordings({ subject, sid }, collected.recordings, openDirectoryBucket(bucket), now);
}

function replace(bucket: string, key: string, bytes: Uint8Array): void {
  chmodSync(join(bucket, key), 0o600);
  writeFileSync(join(bucket, key), bytes);
}

const line = (chunk: number): string => JSON.stringify([{ of: chunk, rows: [[`row ${chunk}`]] }]);

t.test('as it was written', async (t) => {
  const one = await made(t, 3);
  t.same(await read(one), [line(0), line(1), line(2)]);
  t.ok(one.keys.every((key) => key.startsWith('recordings/1d/')));
});

t.test('what became of a chunk is said, and of no other', async (t) => {
  const one = await made(t, 3);
  const [first = '', second = '', third = ''] = one.keys;
  const bytes = one.keys.map((key) => readFileSync(join(one.bucket, key)));
  const attacks: Readonly<Record<string, readonly [() => void, string[]]>> = {
    'two in each other’s place': [
      () => {
        replace(one.bucket, first, bytes[1] ?? Buffer.alloc(0));
        replace(one.bucket, second, bytes[0] ?? Buffer.alloc(0));
      },
      ['changed', 'changed', line(2)],
    ],
    'one twice': [() => replace(one.bucket, third, bytes[0] ?? Buffer.alloc(0)), [line(0), line(1), 'changed']],
    'one cut short': [
      () => replace(one.bucket, second, (bytes[1] ?? Buffer.alloc(0)).subarray(0, 20)),
      [line(0), 'changed', line(2)],
    ],
    'one with more behind it': [
      () => replace(one.bucket, second, Buffer.concat([bytes[1] ?? Buffer.alloc(0), Buffer.from('x')])),
      [line(0), 'changed', line(2)],
    ],
    'another one’s': [
      () => replace(one.bucket, first, randomBytes(bytes[0]?.length ?? 0)),
      ['changed', line(1), line(2)],
    ],
    'one gone': [() => rmSync(join(one.bucket, second), { force: true }), [line(0), 'gone', line(2)]],
  };
  for (const [name, [attack, expected]] of Object.entries(attacks)) {
    const before = `${one.bucket}-before`;
    cpSync(one.bucket, before, { recursive: true });
    attack();
    t.same(await read(one), expected, name);
    const [held] = await hold(one, Date.now());
    const holds = expected.includes('changed') ? 'no' : 'unknown';
    t.equal(held?.holds, holds, `${name}: ${held?.text}`);
    rmSync(one.bucket, { recursive: true, force: true });
    cpSync(before, one.bucket, { recursive: true });
    rmSync(before, { recursive: true, force: true });
  }
});

t.test('every name of a chunk is known in the bucket, and no other', async (t) => {
  for (const stream of recordedStreams)
    for (const keepDays of [undefined, 1, 90, 36_500])
      for (const encrypted of [true, false])
        for (const chunk of [0, 7, 123_456_789]) {
          const key = chunkKey({ subject, sid, stream, keepDays, encrypted }, chunk, digest);
          t.ok(isChunkKey(key), key);
          for (const other of [`x${key}`, `${key}x`, key.replace(sid, 'x'), key.replace(stream, 'other')])
            t.notOk(isChunkKey(other), other);
        }
});

t.test('what is gone is said as what it is', async (t) => {
  const one = await made(t, 3);
  t.match(await hold(one, 0), [{ holds: 'yes', text: /3 of 3 chunks there as recorded/ }]);
  rmSync(join(one.bucket, one.keys[1] ?? ''), { force: true });
  t.match(await hold(one, -1), [{ holds: 'unknown', text: /1 not there before the 1 day of its rule are over/ }]);
  t.match(await hold(one, 86_400_000), [{ holds: 'unknown', text: /1 expired after 1 day, as its rule says/ }]);
  const crashed = { ...one, entries: one.entries.slice(0, -1) };
  t.match(await hold(crashed, 0), [{ holds: 'unknown', text: /what came back after #3 may be missing/ }]);
});

t.test('a disk that takes no more ends the recording, and the chain says so', async (t) => {
  let room = 2;
  const failures: string[] = [];
  const one = await made(t, 5, {
    writeFile: async (path, bytes) => {
      if (room-- === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, bytes);
    },
    onFailure: ({ code, message }) => failures.push(`${code}: ${message}`),
  });
  t.same(failures, ['recording-unwritable: the recording cannot be written: no space left on device']);
  t.match(one.entries.at(-1)?.fields, { event: 'end', why: 'failed' });
  t.same(await read(one), [line(0), line(1)]);
  const findings = new Findings();
  const contradictions = new Contradictions(findings, (n) => ({ n, segment: 0 }));
  for (const entry of [
    ...one.entries,
    { n: one.entries.length, t: 0, k: 'seal', c: {}, fields: { totals: {}, final: true } },
  ])
    contradictions.add(entry);
  t.same(findings.list, [], 'it contradicts nothing');
});

t.test('encryption comes before the disk', async (t) => {
  const seen: Buffer[] = [];
  await made(t, 2, {
    encrypt: async (bytes) => Buffer.concat([Buffer.from('sealed '), Buffer.from(bytes).map((byte) => byte ^ 0x5a)]),
    writeFile: async (path, bytes) => {
      seen.push(Buffer.from(bytes));
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, bytes);
    },
  });
  t.equal(seen.length, 2);
  t.ok(seen.every((bytes) => bytes.toString('latin1').startsWith('sealed ')));
});

t.test('whoever records has to wait where more waits than may', async (t) => {
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const appended: EntryBody[] = [];
  const writer = new RecordingWriter({
    begin: { stream: 'terminal' },
    ...{ subject, sid, folder: t.testdir(), encrypt: undefined, onChunk: () => undefined, onFailure: () => undefined },
    recorder: { append: (body) => appended.push(body as EntryBody) },
    limits: { chunkSize: 1, waiting: 100 },
    writeFile: () => gate,
  });
  let drained = 0;
  writer.onDrain(() => drained++);
  writer.write(`"${'x'.repeat(200)}"`);
  t.equal(writer.full, true);
  release();
  await writer.close();
  t.equal(writer.full, false);
  t.equal(drained, 1);
  t.same(
    appended.map(({ event }) => event),
    ['begin', 'chunk', 'end'],
  );
});

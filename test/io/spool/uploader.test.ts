import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type Test, test } from 'tap';
import { DbguardError } from '../../../src/errors.js';
import { openBucket } from '../../../src/io/bucket/open.js';
import { Uploader } from '../../../src/io/spool/uploader.js';
import type { Bucket } from '../../../src/transcript/entry.js';
import { alternativeKey, segmentFileName, segmentKey } from '../../../src/transcript/object-key.js';
import { startS3, testKey } from '../../helpers/s3.js';

const prefix = `v1/${'0'.repeat(32)}/${'0'.repeat(26)}/`;
const quick = { firstMs: 1, maxMs: 4 };

async function setUp(t: Test, change: (bucket: Bucket) => Partial<Bucket> = () => ({})) {
  const root = t.testdir({ spool: {} });
  const real = await openBucket({ kind: 'file', path: join(root, 'bucket') }, { env: {} });
  const troubles: DbguardError[] = [];
  const bucket = { ...real, ...change(real) };
  const uploader = new Uploader({ bucket, prefix, backoff: quick, onTrouble: (error) => troubles.push(error) });
  const segment = (number: number, content = `segment ${number}\n`) => {
    const path = join(root, 'spool', segmentFileName(number));
    writeFileSync(path, content);
    return { number, path };
  };
  const read = async (key: string) => gunzipSync(await real.read(key)).toString();
  return { uploader, segment, real, read, troubles, spool: () => readdirSync(join(root, 'spool')) };
}

function away(times: number, real: Bucket): Partial<Bucket> {
  let left = times;
  return {
    create: (key, bytes) => {
      if (left-- > 0) return Promise.reject(new DbguardError('bucket-unreachable', 'away'));
      return real.create(key, bytes);
    },
  };
}

test('segments arrive in order, and only then leave the spool', async (t) => {
  const order: string[] = [];
  const { uploader, segment, read, spool } = await setUp(t, (real) => ({
    create: async (key, bytes) => {
      t.ok(spool().includes(segmentFileName(order.length)), 'still here while it is on its way');
      await real.create(key, bytes);
      order.push(key);
    },
  }));
  for (const number of [0, 1, 2]) uploader.offer(segment(number));
  const steps: number[] = [];
  const done = await uploader.finish(undefined, ({ uploaded }) => steps.push(uploaded));
  t.same(done, { uploaded: 3, left: 0 });
  t.same(steps, [0, 1, 2, 3]);
  t.same(
    order,
    [0, 1, 2].map((number) => segmentKey(prefix, number)),
  );
  t.equal(await read(segmentKey(prefix, 2)), 'segment 2\n');
  t.same(spool(), []);
});

test('a bucket that is away for a while loses nothing', async (t) => {
  const { uploader, segment, troubles, spool } = await setUp(t, (real) => away(6, real));
  uploader.offer(segment(0));
  uploader.offer(segment(1));
  await uploader.ready(10_000);
  t.same(await uploader.finish(), { uploaded: 2, left: 0 });
  t.equal(troubles.length, 6);
  t.same(spool(), []);
});

test('a bucket that stays away: ready says why, finish gives up when told, the spool stays', async (t) => {
  const { uploader, segment, spool } = await setUp(t, (real) => away(Number.POSITIVE_INFINITY, real));
  uploader.offer(segment(0));
  uploader.offer(segment(1));
  await t.rejects(uploader.ready(30), { code: 'bucket-unreachable', message: 'away' });
  t.same(await uploader.finish(AbortSignal.timeout(30)), { uploaded: 0, left: 2 });
  t.same(spool(), ['00000000.jsonl', '00000001.jsonl']);
});

test('a bucket that never answers', async (t) => {
  const { uploader, segment } = await setUp(t, () => ({ create: () => new Promise(() => {}) }));
  uploader.offer(segment(0));
  await t.rejects(uploader.ready(20), { code: 'bucket-unreachable', message: /did not answer/ });
});

test('each pause has jitter of its own', async (t) => {
  const asked: number[] = [];
  const root = t.testdir({ 's.jsonl': 'x\n' });
  const real = await openBucket({ kind: 'file', path: join(root, 'bucket') }, { env: {} });
  const bucket = { ...real, ...away(5, real) };
  const uploader = new Uploader({
    bucket,
    prefix,
    backoff: quick,
    random: () => {
      asked.push(asked.length);
      return 0.5;
    },
  });
  uploader.offer({ number: 0, path: join(root, 's.jsonl') });
  await uploader.finish();
  t.equal(asked.length, 5);
});

test('a key that is taken by the same content, packed by another zlib', async (t) => {
  const { uploader, segment, real, spool } = await setUp(t);
  await real.create(segmentKey(prefix, 0), gzipSync('segment 0\n', { level: 9 }));
  uploader.offer(segment(0));
  t.same(await uploader.finish(), { uploaded: 1, left: 0 });
  t.same(spool(), []);
  await t.rejects(real.read(alternativeKey(prefix, 0, Buffer.from('segment 0\n'))), { code: 'transcript-unknown' });
});

test('a key that a stranger took: the segment goes beside it', async (t) => {
  const { uploader, segment, real, read, spool } = await setUp(t);
  await real.create(segmentKey(prefix, 0), Buffer.from('squatter'));
  uploader.offer(segment(0));
  t.same(await uploader.finish(), { uploaded: 1, left: 0 });
  t.equal(await read(alternativeKey(prefix, 0, Buffer.from('segment 0\n'))), 'segment 0\n');
  t.same(spool(), []);
});

/** Unpacks to the segment's own text for everybody who is not careful, and is none for a reader. */
const decoys: Readonly<Record<string, (text: string) => Buffer>> = {
  'an empty member behind it': (text) => Buffer.concat([gzipSync(text), gzipSync('')]),
  'an empty member before it': (text) => Buffer.concat([gzipSync(''), gzipSync(text)]),
  'in two members': (text) => Buffer.concat([gzipSync(text.slice(0, 4)), gzipSync(text.slice(4))]),
  'a byte behind it': (text) => Buffer.concat([gzipSync(text), Buffer.from([0])]),
  'a header of 60 kB': (text) => {
    const [packed, extra] = [gzipSync(text), Buffer.alloc(60_000)];
    packed[3] = 0b100;
    const length = Buffer.from([extra.length & 0xff, extra.length >> 8]);
    return Buffer.concat([packed.subarray(0, 10), length, extra, packed.subarray(10)]);
  },
  'not packed': (text) => Buffer.from(text),
  'cut off': (text) => gzipSync(text).subarray(0, -4),
  'a line more': (text) => gzipSync(`${text}{}\n`),
  'a line less': () => gzipSync(''),
};

for (const [what, make] of Object.entries(decoys)) {
  test(`attack: a squatter’s object is not taken for the segment: ${what}`, async (t) => {
    const { uploader, segment, real, read, spool } = await setUp(t);
    const text = 'segment 0\n';
    await real.create(segmentKey(prefix, 0), make(text));
    uploader.offer(segment(0, text));
    t.same(await uploader.finish(), { uploaded: 1, left: 0 });
    t.equal(await read(alternativeKey(prefix, 0, Buffer.from(text))), text, 'it is in the bucket all the same');
    t.same(spool(), []);
  });
  test(`attack: nor where both names are taken: ${what}`, async (t) => {
    const { uploader, segment, real, troubles, spool } = await setUp(t);
    const text = 'segment 0\n';
    await real.create(segmentKey(prefix, 0), Buffer.from('squatter'));
    await real.create(alternativeKey(prefix, 0, Buffer.from(text)), make(text));
    uploader.offer(segment(0, text));
    t.same(await uploader.finish(), { uploaded: 0, left: 1 });
    t.match(troubles, [{ code: 'bucket-conflict', message: /both names of segment 0/ }]);
    t.same(spool(), ['00000000.jsonl'], 'it waits where it is');
  });
}

test('the other name is its own already, packed by another zlib: stored before a crash', async (t) => {
  const { uploader, segment, real, spool } = await setUp(t);
  await real.create(segmentKey(prefix, 0), Buffer.from('squatter'));
  await real.create(alternativeKey(prefix, 0, Buffer.from('segment 0\n')), gzipSync('segment 0\n', { level: 9 }));
  uploader.offer(segment(0));
  t.same(await uploader.finish(), { uploaded: 1, left: 0 });
  t.same(spool(), []);
});

test('both names are taken: the file stays, the others go on', async (t) => {
  const { uploader, segment, real, troubles, spool } = await setUp(t);
  await real.create(segmentKey(prefix, 0), Buffer.from('squatter'));
  await real.create(alternativeKey(prefix, 0, Buffer.from('segment 0\n')), Buffer.from('squatter'));
  uploader.offer(segment(0));
  uploader.offer(segment(1));
  t.same(await uploader.finish(), { uploaded: 1, left: 1 });
  t.match(troubles, [{ code: 'bucket-conflict' }]);
  t.same(spool(), ['00000000.jsonl']);
});

test('against S3: 500s, cut connections, a lost answer with a writer who may not read', async (t) => {
  const server = await startS3('evidence');
  t.teardown(() => server.close());
  process.env.AWS_ACCESS_KEY_ID = testKey.id;
  process.env.AWS_SECRET_ACCESS_KEY = testKey.secret;
  const root = t.testdir({ 'a.jsonl': 'a\n', 'b.jsonl': 'b\n' });
  const settings = { kind: 's3', bucket: 'evidence', prefix: '', endpoint: server.endpoint } as const;
  const uploader = new Uploader({ bucket: await openBucket(settings, { env: {} }), prefix, backoff: quick });
  const faults = [
    { status: 500, code: 'InternalError' },
    { status: 503, code: 'SlowDown' },
    'cut',
    'cut',
    'cut-after',
  ] as const;
  let next = 0;
  server.fault = () => faults[next++];
  server.allows = ({ method }) => method === 'PUT';
  uploader.offer({ number: 0, path: join(root, 'a.jsonl') });
  uploader.offer({ number: 1, path: join(root, 'b.jsonl') });
  t.same(await uploader.finish(), { uploaded: 2, left: 0 });
  const keys = [...(server.buckets.get('evidence')?.keys() ?? [])];
  t.same(keys, [alternativeKey(prefix, 0, Buffer.from('a\n')), segmentKey(prefix, 0), segmentKey(prefix, 1)]);
  t.notOk(existsSync(join(root, 'a.jsonl')), 'gone only after a receipt of its own');
});

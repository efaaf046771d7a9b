import { chmodSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { openBucket, parseBucketLocation } from '../../../src/io/bucket/open.js';
import type { BucketObject } from '../../../src/transcript/entry.js';

const bytes = Buffer.from('segment');

async function setUp(t: Test) {
  const path = join(t.testdir(), 'bucket');
  return { path, bucket: await openBucket({ kind: 'file', path }, { env: {} }) };
}

async function objects(list: AsyncIterable<BucketObject>): Promise<BucketObject[]> {
  const found: BucketObject[] = [];
  for await (const object of list) found.push(object);
  return found;
}

test('create, read, list in the order of keys', async (t) => {
  const { path, bucket } = await setUp(t);
  t.same(await objects(bucket.list('v1/')), [], 'the folder need not exist yet');
  for (const key of [
    'v1/b/2/00000000.jsonl.gz',
    'v1/a/1/00000001.jsonl.gz',
    'v1/a/1/00000000.jsonl.gz',
    'v1/a-b/1',
    'v1/a.b',
  ]) {
    await bucket.create(key, bytes);
  }
  const keys = (await objects(bucket.list('v1/'))).map(({ key }) => key);
  t.same(keys, [...keys].sort(), 'as S3 lists');
  t.same(
    (await objects(bucket.list('v1/a/'))).map(({ key }) => key),
    ['v1/a/1/00000000.jsonl.gz', 'v1/a/1/00000001.jsonl.gz'],
  );
  t.same((await objects(bucket.list('v1/a/1/00000000'))).length, 1);
  t.same(Buffer.from(await bucket.read('v1/a.b')), bytes);
  utimesSync(join(path, 'v1/a.b'), 1_700_000_000, 1_700_000_000);
  t.match((await objects(bucket.list('v1/a.b')))[0], { size: bytes.length, createdAt: 1_700_000_000_000 });
  await t.rejects(bucket.read('v1/none'), { code: 'transcript-unknown' });
});

test('nothing is overwritten, nobody can write to an object, nothing is left beside it', async (t) => {
  const { path, bucket } = await setUp(t);
  await bucket.create('v1/k', bytes);
  await bucket.create('v1/k', bytes);
  await t.rejects(bucket.create('v1/k', Buffer.from('other')), { code: 'bucket-conflict' });
  t.same(Buffer.from(await bucket.read('v1/k')), bytes);
  t.equal(statSync(join(path, 'v1/k')).mode & 0o222, 0);
  t.same(readdirSync(join(path, 'v1')), ['k']);
});

test('of many who create the same key at once, one wins, and readers see it whole', async (t) => {
  const { bucket } = await setUp(t);
  const contents = Array.from({ length: 20 }, (_, i) => Buffer.alloc(100_000, i));
  const results = await Promise.allSettled(contents.map((content) => bucket.create('v1/k', content)));
  const winners = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
  t.equal(winners.length, 1);
  t.same(Buffer.from(await bucket.read('v1/k')), contents[winners[0] ?? -1]);
  for (const result of results) if (result.status === 'rejected') t.equal(result.reason.code, 'bucket-conflict');
});

test('keys stay inside', async (t) => {
  const { bucket } = await setUp(t);
  for (const key of ['../x', '/x', 'a/../../x', 'a//b', '', '.hidden', 'a/.b', 'a\0b', 'a\\b']) {
    await t.rejects(bucket.create(key, bytes), RangeError, JSON.stringify(key));
    await t.rejects(bucket.read(key), RangeError);
  }
  await t.rejects(objects(bucket.list('../')), RangeError);
});

test('a folder that cannot be written to has words', { skip: process.getuid?.() === 0 }, async (t) => {
  const { path, bucket } = await setUp(t);
  await bucket.create('v1/k', bytes);
  chmodSync(join(path, 'v1'), 0o555);
  await t.rejects(bucket.create('v1/l', bytes), {
    code: 'bucket-unreachable',
    message: /permission denied/,
    hint: /may write/,
  });
  chmodSync(join(path, 'v1'), 0o755);
});

test('a bucket that is a file, or lies under one', async (t) => {
  const root = t.testdir({ file: 'x' });
  const bucket = await openBucket({ kind: 'file', path: join(root, 'file') }, { env: {} });
  await t.rejects(bucket.create('k', bytes), { code: 'bucket-unreachable' });
  await t.rejects(objects(bucket.list('')), { code: 'bucket-unreachable' });
});

test('what a person may write for --bucket', async (t) => {
  t.match(parseBucketLocation('s3://evidence/a/b/', '/w'), { kind: 's3', bucket: 'evidence', prefix: 'a/b' });
  t.match(parseBucketLocation('s3://evidence', '/w'), { kind: 's3', prefix: '' });
  t.match(parseBucketLocation('file:./x', '/w'), { kind: 'file', path: '/w/x' });
  t.match(parseBucketLocation('file:///x', '/w'), { kind: 'file', path: '/x' });
  t.match(parseBucketLocation('x/y', '/w'), { kind: 'file', path: '/w/x/y' });
  for (const wrong of ['', 'file:', 'http://x', 's3://UPPER', 'gs://x']) {
    t.throws(() => parseBucketLocation(wrong, '/w'), { code: 'usage' }, wrong);
  }
});

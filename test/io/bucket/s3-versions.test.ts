/** What a bucket keeps of its objects: versions, delete markers, and what it says about keeping them. */
import { type Test, test } from 'tap';
import { openBucket } from '../../../src/io/bucket/open.js';
import type { HistoryBucket, ObjectHistory } from '../../../src/transcript/object-history.js';
import { HistoryBuilder } from '../../../src/transcript/object-history.js';
import { type S3Server, startS3, testKey } from '../../helpers/s3.js';

async function setUp(t: Test, versioning: 'Enabled' | 'Suspended' | 'never' = 'Enabled') {
  const server = await startS3('evidence');
  t.teardown(() => server.close());
  process.env.AWS_ACCESS_KEY_ID = testKey.id;
  process.env.AWS_SECRET_ACCESS_KEY = testKey.secret;
  let seconds = 0;
  // S3 says when to the second
  server.clock = () => Math.floor(Date.now() / 1000) * 1000 + 1000 * seconds++;
  store(server).versioning = versioning === 'never' ? undefined : versioning;
  const settings = { kind: 's3', bucket: 'evidence', prefix: 'team', endpoint: server.endpoint } as const;
  return { server, bucket: await openBucket(settings, { env: {} }) };
}

function store(server: S3Server) {
  const found = server.buckets.get('evidence');
  if (found === undefined) throw new Error('no bucket');
  return found;
}

/** As somebody whom no bucket policy stops. */
function overwrite(server: S3Server, key: string, text: string): void {
  store(server).put(`team/${key}`, { body: Buffer.from(text), createdAt: new Date(server.clock()) });
}

function remove(server: S3Server, key: string): void {
  store(server).remove(`team/${key}`, new Date(server.clock()));
}

async function historyOf(bucket: HistoryBucket): Promise<ObjectHistory[]> {
  const found: ObjectHistory[] = [];
  for await (const object of bucket.history('')) found.push(object);
  return found;
}

const text = async (bucket: HistoryBucket, { key, version }: ObjectHistory) =>
  Buffer.from(await bucket.read(key, version)).toString();

test('the first version counts, whatever came after it, over any paging', async (t) => {
  for (const pageSize of [1, 2, 3, 1000]) {
    const { server, bucket } = await setUp(t);
    server.pageSize = pageSize;
    await bucket.create('v1/a', Buffer.from('first'));
    overwrite(server, 'v1/a', 'second!');
    remove(server, 'v1/a');
    overwrite(server, 'v1/a', 'third');
    await bucket.create('v1/b', Buffer.from('b'));
    remove(server, 'v1/c');
    const [a, b, c, ...rest] = await historyOf(bucket);
    t.same(rest, []);
    t.match(a, { key: 'v1/a', size: 5, otherCount: 3, others: [{ size: 7 }, { deletes: true }, { size: 5 }] });
    t.equal(a && (await text(bucket, a)), 'first');
    t.match(b, { key: 'v1/b', otherCount: 0, others: [] });
    t.match(c, { key: 'v1/c', gone: true }, 'only a delete marker is left');
    t.equal(await bucket.keeping(), 'kept');
  }
});

test('who may not list versions, and a bucket that keeps none, see what is there', async (t) => {
  const { server, bucket } = await setUp(t);
  await bucket.create('v1/a', Buffer.from('a'));
  overwrite(server, 'v1/a', 'other');
  server.allows = ({ query }) => !query.includes('versions') && !query.includes('versioning');
  t.equal(await bucket.keeping(), 'hidden');
  t.match(await historyOf(bucket), [{ key: 'v1/a', size: 5, otherCount: 0 }]);
  server.allows = ({ query }) => !query.includes('versioning');
  t.equal(await bucket.keeping(), 'kept', 'as the objects show');

  const none = await setUp(t, 'never');
  await none.bucket.create('v1/a', Buffer.from('a'));
  t.equal(await none.bucket.keeping(), 'none');
  t.match(await historyOf(none.bucket), [{ key: 'v1/a', version: 'null', otherCount: 0 }]);
  const suspended = await setUp(t, 'Suspended');
  t.equal(await suspended.bucket.keeping(), 'suspended');
  none.server.fault = ({ query }) => (query.includes('versions') ? { status: 501, code: 'NotImplemented' } : undefined);
  t.equal(await none.bucket.keeping(), 'none', 'a store that does not know the call');
  t.match(await historyOf(none.bucket), [{ key: 'v1/a' }]);
});

test('a network that goes away is no history', async (t) => {
  const { server, bucket } = await setUp(t);
  for (const key of ['a', 'b', 'c', 'd', 'e']) await bucket.create(key, Buffer.from(key));
  let pages = 0;
  server.fault = ({ query }) => (query.includes('versions') && ++pages > 1 ? { status: 500, code: 'Oops' } : undefined);
  await t.rejects(historyOf(bucket), { code: 'bucket-unreachable' });
  await server.close();
  await t.rejects(bucket.keeping(), { code: 'bucket-unreachable' });
});

test('keys that XML cannot hold, or that are ordered by bytes and not by characters', async (t) => {
  const { server, bucket } = await setUp(t);
  const keys = ['v1/\u0001', 'v1/a b+c', 'v1/a&<', 'v1/ä\n', 'v1/\uff5e', 'v1/\u{1f600}'];
  for (const key of keys) overwrite(server, key, 'x');
  t.same(
    (await historyOf(bucket)).map(({ key }) => key),
    keys,
  );
  const listed: string[] = [];
  for await (const { key } of bucket.list('v1/')) listed.push(key);
  t.same(listed, keys);
});

test('very many versions of one key cost bounded memory, and the first one still counts', (t) => {
  const builder = new HistoryBuilder('k');
  const count = 10_000;
  for (let n = count; n > 0; n--) builder.add({ version: `v${n}`, size: n, createdAt: n * 1000 });
  const history = builder.history();
  t.match(history, { version: 'v1', size: 1, otherCount: count - 1 });
  t.ok(history.others.length < 40);
  t.match(history.others.at(-1), { version: `v${count}` });
  t.end();
});

import { type Test, test } from 'tap';
import type { BucketAccess } from '../../../src/io/bucket/access.js';
import { openBucket } from '../../../src/io/bucket/open.js';
import type { S3BucketConfig } from '../../../src/policy/read-bucket.js';
import type { BucketObject } from '../../../src/transcript/entry.js';
import { type S3Server, startS3, testKey } from '../../helpers/s3.js';

const bytes = Buffer.from('segment');

async function setUp(t: Test, config: Partial<S3BucketConfig> = {}, access: Omit<BucketAccess, 'env'> = {}) {
  const server = await startS3('evidence');
  t.teardown(() => server.close());
  process.env.AWS_ACCESS_KEY_ID = testKey.id;
  process.env.AWS_SECRET_ACCESS_KEY = testKey.secret;
  const settings: S3BucketConfig = {
    kind: 's3',
    bucket: 'evidence',
    prefix: 'team',
    endpoint: server.endpoint,
    ...config,
  };
  const env = { AWS_ENDPOINT_URL_STS: server.endpoint };
  return { server, bucket: await openBucket(settings, { env, ...access }) };
}

function stored(server: S3Server, key: string) {
  return server.buckets.get('evidence')?.get(key);
}

async function keysOf(list: AsyncIterable<BucketObject>): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of list) keys.push(key);
  return keys;
}

test('create, read, list under a prefix, with real signatures and checksums', async (t) => {
  const { server, bucket } = await setUp(t);
  t.equal(bucket.location, 's3://evidence/team');
  for (const name of ['v1/a/1', 'v1/a/2', 'v1/b/3', 'other']) await bucket.create(name, bytes);
  t.ok(stored(server, 'team/v1/a/1'));
  t.same(Buffer.from(await bucket.read('v1/a/1')), bytes);
  t.same(await keysOf(bucket.list('v1/')), ['v1/a/1', 'v1/a/2', 'v1/b/3'], 'over several pages');
  await t.rejects(bucket.read('v1/none'), { code: 'transcript-unknown' });
});

test('nothing is ever overwritten; the same again is no error', async (t) => {
  const { server, bucket } = await setUp(t);
  await bucket.create('k', bytes);
  await bucket.create('k', bytes);
  await t.rejects(bucket.create('k', Buffer.from('other')), { code: 'bucket-conflict', message: /other content/ });
  t.same(stored(server, 'team/k')?.body, bytes);
  server.allows = ({ method }) => method !== 'GET';
  await t.rejects(bucket.create('k', bytes), { code: 'bucket-conflict', message: /may not be read/ });
});

test('an answer that was lost after the object was stored', async (t) => {
  const { server, bucket } = await setUp(t);
  let cut = false;
  server.fault = ({ method }) => {
    if (method !== 'PUT' || cut) return undefined;
    cut = true;
    return 'cut-after';
  };
  await bucket.create('k', bytes);
  t.same(
    server.requests.map(({ method }) => method),
    ['PUT', 'PUT', 'GET'],
    'tried again, met itself',
  );
});

test('Object Lock and encryption where asked', async (t) => {
  const { server, bucket } = await setUp(t, { objectLockDays: 400, sse: 'AES256' });
  await bucket.create('k', bytes);
  const object = stored(server, 'team/k');
  t.equal(object?.lock?.mode, 'COMPLIANCE');
  const days = ((object?.lock?.until.getTime() ?? 0) - Date.now()) / 86_400_000;
  t.ok(days > 399 && days <= 400);
  t.equal(object?.encryption, 'AES256');
});

test('faults have words, and never a secret', async (t) => {
  const { server, bucket } = await setUp(t);
  const meets = async (code: string, status: number, hint: RegExp) => {
    server.fault = () => ({ status, code });
    const error = await bucket.create('k', bytes).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    t.match(error, { code: 'bucket-unreachable', hint }, code);
    t.notMatch(`${String(error)} ${JSON.stringify(error)}`, testKey.secret);
  };
  await meets('AccessDenied', 403, /s3:PutObject/);
  await meets('ExpiredToken', 400, /expired/);
  await meets('BadDigest', 400, /changed on their way/);
  await meets('NoSuchBucket', 404, /Check the name/);
  await meets('InvalidStorageClass', 400, /its reason says why/);
  await meets('InternalError', 500, /network/);
  server.fault = () => 'cut';
  await t.rejects(bucket.create('k', bytes), { code: 'bucket-unreachable' });
  // Ceph gives the code alone
  server.fault = () => ({ status: 400, code: 'InvalidRequest', message: '' });
  await t.rejects(bucket.create('k', bytes), { message: /s3:\/\/evidence\/team: InvalidRequest$/ });
  server.fault = () => undefined;
  await bucket.create('k', bytes);
});

test('a store that heeds the condition is asked once more, once', async (t) => {
  const { server, bucket } = await setUp(t);
  // a role that may only create
  server.allows = ({ method, onlyIfNew }) => method === 'PUT' && onlyIfNew;
  for (const key of ['k1', 'k2', 'k3']) await bucket.create(key, bytes);
  t.same(
    server.requests.map(({ key }) => key),
    ['team/k1', 'team/k1', 'team/k2', 'team/k3'],
  );
});

test('a store that takes no notice of the condition is refused, and is sent nothing more', async (t) => {
  const { server, bucket } = await setUp(t);
  server.conditions = 'deaf';
  const refusal = { code: 'bucket-unsuitable', exitCode: 78, message: /not write-once/, hint: /check-bucket/ };
  await t.rejects(bucket.create('k', bytes), refusal);
  t.same(stored(server, 'team/k')?.body, bytes, 'the bytes are the same');
  await t.rejects(bucket.create('other', bytes), refusal);
  t.equal(server.requests.length, 2);
});

test('a store that does not know a header of ours is told apart from a bad network', async (t) => {
  const refusals: readonly [number, string, string?][] = [
    [501, 'NotImplemented'],
    [501, 'NotImplemented', 'A header you provided implies functionality that is not implemented'],
    [501, 'Unknown'],
    [405, 'MethodNotAllowed'],
    [400, 'InvalidArgument', "Unsupported header 'x-amz-checksum-sha256' received for this API call."],
    [400, 'InvalidRequest', 'If-None-Match is not supported'],
    [400, 'InvalidRequest', 'Bucket is missing Object Lock Configuration'],
  ];
  for (const [status, code, message] of refusals) {
    const { server, bucket } = await setUp(t, { objectLockDays: 1 });
    server.fault = () => ({ status, code, ...(message === undefined ? {} : { message }) });
    await t.rejects(bucket.create('k', bytes), {
      code: 'bucket-unsuitable',
      exitCode: 78,
      message: new RegExp(`s3://evidence/team lacks .*If-None-Match.*SHA-256.*object_lock_days.*: .*${code}`),
      hint: /choose a store that has them/,
    });
  }
});

test('a network that fails at the proof proves nothing; the next attempt does', async (t) => {
  const { server, bucket } = await setUp(t);
  server.fault = () => (server.requests.length === 1 ? undefined : 'cut');
  await t.rejects(bucket.create('k', bytes), { code: 'bucket-unreachable', hint: /network/ });
  server.fault = () => undefined;
  await bucket.create('k', bytes);
  const held = await setUp(t);
  held.server.allows = () => held.server.requests.length === 1;
  await held.bucket.create('k', bytes);
  t.equal(held.server.requests.length, 2, 'what denies the second PUT replaces nothing');
});

test('a bucket that cannot be reached', async (t) => {
  const { server, bucket } = await setUp(t);
  await server.close();
  await t.rejects(bucket.create('k', bytes), { code: 'bucket-unreachable', message: /s3:\/\/evidence\/team/ });
  await t.rejects(keysOf(bucket.list('')), { code: 'bucket-unreachable' });
});

test('a store that is slow is waited for, one that hangs is not; nor is either when nobody waits any more', async (t) => {
  const { server, bucket } = await setUp(t, {}, { requestTimeoutMs: 400 });
  server.fault = () => ({ slowMs: 150 });
  await bucket.create('slow', bytes);
  t.same(Buffer.from(await bucket.read('slow')), bytes);
  server.fault = () => 'hang';
  await t.rejects(bucket.create('hangs', bytes), { code: 'bucket-unreachable' });
  await t.rejects(keysOf(bucket.list('')), { code: 'bucket-unreachable' });
  const patient = await setUp(t);
  patient.server.fault = () => 'hang';
  const leave = new AbortController();
  setTimeout(() => leave.abort(), 50);
  await t.rejects(patient.bucket.create('hangs', bytes, leave.signal), { code: 'bucket-unreachable' });
});

test('a clock that is wrong on this machine: signed again by the store’s', async (t) => {
  for (const hours of [-3, 3]) {
    const { server, bucket } = await setUp(t);
    server.clock = () => Date.now() + hours * 3_600_000;
    await bucket.create('k', bytes);
    t.same(await keysOf(bucket.list('')), ['k']);
    for await (const { createdAt } of bucket.list('')) {
      t.ok(Math.abs(createdAt - server.clock()) < 60_000, 'the time that counts is the store’s');
    }
  }
});

test('the developer’s own token takes on the role, again when the credentials have run out', async (t) => {
  let token = 'good-1';
  const role = { roleArn: 'arn:aws:iam::123456789012:role/dbguard-writer' };
  const { server, bucket } = await setUp(t, role, { idToken: async () => token });
  const accepted: string[] = [];
  server.acceptsToken = (given) => {
    accepted.push(given);
    return given.startsWith('good');
  };
  await bucket.create('k1', bytes);
  await bucket.create('k2', bytes);
  t.same(accepted, ['good-1'], 'kept while they last');
  t.match(server.requests[0], { caller: /^ASIA/ });

  const short = await setUp(t, role, { idToken: async () => token });
  short.server.roleMs = 1000;
  short.server.acceptsToken = server.acceptsToken;
  await short.bucket.create('k1', bytes);
  token = 'good-2';
  await short.bucket.create('k2', bytes);
  t.equal(accepted.at(-1), 'good-2', 'the token of that moment');
  const callerOf = (name: string) => short.server.requests.find(({ key }) => key.endsWith(name))?.caller;
  t.not(callerOf('k1'), callerOf('k2'));

  const { server: strict, bucket: refused } = await setUp(t, role, { idToken: async () => 'secret-token-value' });
  strict.acceptsToken = () => false;
  const error = await refused.create('k', bytes).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  t.match(error, { code: 'bucket-unreachable', message: /InvalidIdentityToken/, hint: /OIDC provider/ });
  t.notMatch(String(error), 'secret-token-value');
});

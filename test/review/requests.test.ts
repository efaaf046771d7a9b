/** What reading a bucket over S3 asks of it: its pages once, and of each session no object twice. */
import { test } from 'tap';
import { runTranscripts } from '../bench/transcripts-command.js';
import { startS3, testKey } from '../helpers/s3.js';
import { testIssuer } from '../transcript/people.js';
import { objectsOf, record } from '../transcript/recorded.js';

const sessions = 30;
const pageSize = 20;

test('requests grow with pages and objects, and by nothing else', { timeout: 300_000 }, async (t) => {
  const s3 = await startS3('evidence');
  t.teardown(() => s3.close());
  s3.pageSize = pageSize;
  const issuer = await testIssuer();
  const root = t.testdir({ 'keys.json': JSON.stringify(issuer.keys) });
  const first = Date.UTC(2026, 0, 1, 9);
  const login = await issuer.login('dev', { at: first });
  let objects = 0;
  for (let n = 0; n < sessions; n++) {
    const at = first + n * 60_000;
    for (const { key, bytes } of objectsOf(record({ ...login, loggedInAt: at - 1000 }, { at }), at)) {
      s3.buckets.get('evidence')?.put(key, { body: Buffer.from(bytes), createdAt: new Date(at) });
      objects++;
    }
  }
  const env = {
    AWS_ACCESS_KEY_ID: testKey.id,
    AWS_SECRET_ACCESS_KEY: testKey.secret,
    AWS_ENDPOINT_URL: s3.endpoint,
    AWS_REGION: 'us-east-1',
  };
  const commands = [
    { args: ['list'], reads: 2 * sessions },
    { args: ['search', 'no such text'], reads: objects },
    { args: ['verify', '--all', '--offline', '--keys', 'keys.json'], reads: objects },
  ];
  for (const { args, reads } of commands) {
    s3.requests.length = 0;
    await runTranscripts(root, [...args, '--bucket', 's3://evidence'], env);
    const lists = s3.requests.filter(({ query, key }) => key === '' && !query.includes('versioning')).length;
    const read = s3.requests.filter(({ key }) => key !== '').map(({ key }) => key);
    const pages = Math.ceil(objects / pageSize);
    t.ok(lists >= pages && lists <= pages + 2, `${args[0]}: ${lists} requests for ${pages} pages`);
    t.equal(new Set(read).size, read.length, `${args[0]} reads no object twice`);
    t.equal(read.length, reads, `${args[0]} reads what it needs`);
  }
});

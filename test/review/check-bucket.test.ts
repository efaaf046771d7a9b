/** What `check-bucket` says of each kind of store and policy: exactly what it found, and what it left. */
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { type Test, test } from 'tap';
import { run } from '../../src/cli/commands/transcripts-check-bucket.js';
import type { OptionsOf } from '../../src/cli/table.js';
import { openTokenStore } from '../../src/io/login/token-store.js';
import { nobodysFolder, subjectHash } from '../../src/transcript/object-key.js';
import { type S3Request, type S3Server, startS3, testKey } from '../helpers/s3.js';
import { clientId, issuerUrl, testIssuer } from '../transcript/people.js';

const issuer = await testIssuer();
const folder = subjectHash({ iss: issuerUrl, sub: 'ada' });

async function setUp(t: Test) {
  const server = await startS3('evidence');
  t.teardown(() => server.close());
  process.env.AWS_ACCESS_KEY_ID = testKey.id;
  process.env.AWS_SECRET_ACCESS_KEY = testKey.secret;
  const root = t.testdir({
    'dbguard.yaml': `version: 1\nidentity:\n  issuer: ${issuerUrl}\n  client_id: ${clientId}\nbucket: { url: s3://evidence/team, endpoint: "${server.endpoint}" }\n`,
  });
  // a file that the person names needs no word of trust
  const env = {
    DBGUARD_HOME: join(root, 'home'),
    DBGUARD_TOKEN_STORE: 'file',
    DBGUARD_CONFIG: join(root, 'dbguard.yaml'),
  };
  await openTokenStore(env).set(`${issuerUrl} ${clientId}`, await issuer.login('ada'));
  const check = async (options: OptionsOf<'transcripts check-bucket'> = {}) => {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const out = readAll(stdout);
    const code = await run({ stdin, stdout, stderr, env, cwd: root }, [], options).finally(() => stdout.end());
    return { code, out: await out };
  };
  return { server, check };
}

function store(server: S3Server) {
  const found = server.buckets.get('evidence');
  if (found === undefined) throw new Error('no bucket');
  return found;
}

/** The policy of src/io/bucket/README.md, for a writer who may also ask about the bucket. */
function policy({ method, key, onlyIfNew }: S3Request): boolean {
  if (method === 'PUT') return onlyIfNew && key.startsWith(`team/v1/${folder}/`);
  return method === 'GET';
}

/** The bucket that the documentation describes; each case below has one thing wrong with it. */
function asDocumented(server: S3Server): void {
  store(server).versioning = 'Enabled';
  store(server).lockDays = 400;
  server.allows = policy;
}

interface Case {
  readonly name: string;
  readonly change: (server: S3Server) => void;
  readonly code: number;
  /** The lines that are not ✓. */
  readonly finds: readonly RegExp[];
  /** Objects that stay. */
  readonly left: number;
}

const cases: readonly Case[] = [
  { name: 'as documented', change: () => undefined, code: 0, finds: [], left: 1 },
  {
    name: 'no policy at all',
    change: (server) => (server.allows = () => true),
    code: 1,
    finds: [/✗ plain PUT .*must deny it/, /✗ own folder .*other people’s folders/, /✗ deletion .*may delete/],
    left: 1,
  },
  {
    name: 'plain PUT is allowed',
    change: (server) => (server.allows = (asked) => policy({ ...asked, onlyIfNew: true })),
    code: 1,
    finds: [/✗ plain PUT/],
    left: 1,
  },
  {
    name: 'every folder is open',
    change: (server) =>
      (server.allows = ({ method, onlyIfNew }) => method === 'GET' || (method === 'PUT' && onlyIfNew)),
    code: 1,
    finds: [/✗ own folder/],
    left: 2,
  },
  {
    name: 'a store that takes no notice of If-None-Match',
    change: (server) => (server.conditions = 'deaf'),
    code: 1,
    finds: [/✗ write-once .*took no notice of If-None-Match/],
    left: 1,
  },
  {
    name: 'a store that takes no notice of If-None-Match where it keeps versions',
    change: (server) => (server.conditions = 'deaf-with-versions'),
    code: 1,
    finds: [/✗ write-once .*took no notice of If-None-Match/],
    left: 1,
  },
  {
    name: 'a store that heeds If-None-Match because it keeps no versions',
    change: (server) => {
      server.conditions = 'deaf-with-versions';
      store(server).versioning = undefined;
    },
    code: 1,
    finds: [/✗ versions .*keeps no versions/],
    left: 1,
  },
  {
    name: 'a store without If-None-Match',
    change: (server) => (server.conditions = 'unable'),
    code: 1,
    finds: [/✗ records .*dbguard cannot use it/],
    left: 0,
  },
  {
    name: 'a store that does not check checksums',
    change: (server) => (server.checksums = false),
    code: 1,
    finds: [/✗ checksum/],
    left: 2,
  },
  {
    name: 'no versions',
    change: (server) => (store(server).versioning = undefined),
    code: 1,
    finds: [/✗ versions .*keeps no versions: an overwrite would not be seen/],
    left: 1,
  },
  {
    name: 'versions suspended',
    change: (server) => (store(server).versioning = 'Suspended'),
    code: 1,
    finds: [/✗ versions .*suspended/],
    left: 1,
  },
  {
    name: 'no Object Lock',
    change: (server) => (store(server).lockDays = undefined),
    code: 1,
    finds: [/✗ Object Lock off/],
    left: 1,
  },
  {
    name: 'Object Lock that locks nothing',
    change: (server) => (store(server).lockDays = 0),
    code: 1,
    finds: [/✗ Object Lock on, but without a default retention/],
    left: 1,
  },
  {
    name: 'a writer who may do nothing but record',
    change: (server) => (server.allows = (asked) => asked.method === 'PUT' && policy(asked)),
    code: 2,
    finds: [/\? versions .*ask as a lead/, /\? Object Lock .*ask as a lead/],
    left: 1,
  },
  {
    name: 'a reader',
    change: (server) => (server.allows = ({ method }) => method === 'GET'),
    code: 1,
    finds: [/✗ records .*right for a reader, not for a writer/],
    left: 0,
  },
];

for (const { name, change, code, finds, left } of cases) {
  test(name, async (t) => {
    const { server, check } = await setUp(t);
    asDocumented(server);
    change(server);
    const { code: got, out } = await check();
    const open = out.split('\n').filter((line) => /^ {2}[✗?] /.test(line));
    t.equal(open.length, finds.length, out);
    for (const one of finds) t.match(out, one);
    t.equal(got, code);
    const stays = store(server).keys();
    t.equal(stays.length, left, 'what is left in the bucket');
    for (const key of stays) t.match(out, `  ${key.slice('team/'.length)}\n`, 'is named');
    for (const { method, key } of server.requests) {
      const own = new RegExp(`^team/v1/(?:${folder}|${nobodysFolder})/probes/[\\w-]+\\.txt$`);
      if (method !== 'GET') t.match(key, own, 'nothing but its own probes is touched');
    }
  });
}

test('the settings alone store nothing and want no login', async (t) => {
  const { server, check } = await setUp(t);
  asDocumented(server);
  t.match(await check({ readOnly: true }), { code: 0, out: /✓ versions[\s\S]*✓ Object Lock on, 400 days/ });
  t.notOk(server.requests.some(({ method }) => method !== 'GET'));
  const { out } = await check({ readOnly: true, json: true });
  t.match(JSON.parse(out), { bucket: 's3://evidence/team', checks: [{ holds: 'yes' }, { holds: 'yes' }], left: [] });
});

test('a folder says what it is; a bucket that is away or missing is no finding', async (t) => {
  const { server, check } = await setUp(t);
  t.match(await check({ bucket: 'file:./x' }), { code: 1, out: /a folder can be changed/ });
  server.fault = () => ({ status: 404, code: 'NoSuchBucket' });
  await t.rejects(check(), { code: 'bucket-unreachable', hint: /Check the name/ });
  server.fault = () => ({ status: 403, code: 'InvalidAccessKeyId' });
  await t.rejects(check(), { code: 'bucket-unreachable', hint: /access key/ });
});

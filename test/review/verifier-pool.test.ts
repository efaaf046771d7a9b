/** Verification on several threads says what verification on one says, and ends as it does when the bucket goes away. */
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { listSessions, type ObjectSource } from '../../src/review/catalog.js';
import type { SessionReport } from '../../src/review/session-report.js';
import type { VerifyOptions } from '../../src/review/verify-options.js';
import { repositoryRoot } from '../helpers/repository.js';
import { clientId, testIssuer } from '../transcript/people.js';
import { editPayload, memorySource, objectsOf, record, type StoredObject } from '../transcript/recorded.js';

/** As it is built: a thread reads no TypeScript. All from one place, so that an error is of one class. */
const built = (module: string) => import(join(repositoryRoot, 'dist/src', module));
const { DbguardError }: typeof import('../../src/errors.js') = await built('errors.js');
const { openVerifierPool }: typeof import('../../src/review/verifier-pool.js') = await built('review/verifier-pool.js');
const { verifyAll }: typeof import('../../src/review/verify-all.js') = await built('review/verify-all.js');
const { verifySession }: typeof import('../../src/review/verify-session.js') = await built('review/verify-session.js');

const issuer = await testIssuer();
const login = await issuer.login('dev');
const now = Date.now();
const keys = { keysOf: async () => [{ ...issuer.keys, origin: 'test' }] };

const onFinding = () => undefined;

/** Sound sessions, and one of each kind of trouble. */
async function bucketOf(): Promise<StoredObject[]> {
  const sound = Array.from({ length: 8 }, () => record(login, { statements: 20 }));
  const edited = record(login);
  edited.segments = edited.segments.map((lines) =>
    lines.map((line) => editPayload(line, (p) => p.replace('"allow"', '"alloy"'))),
  );
  const holed = record(login);
  const weak = record(await issuer.login('weak', { level: 'asserted' }));
  const impostor = record(await (await testIssuer()).login('dev'));
  const objects = [...sound, edited, weak, impostor].flatMap((session) => objectsOf(session, now));
  return [...objects, ...objectsOf(holed, now).slice(1)];
}

function optionsFor(source: ObjectSource): VerifyOptions & { readonly source: ObjectSource } {
  return { source, keys, demands: { issuer: issuer.url, clientId }, now };
}

function pool(t: Test, how: VerifyOptions) {
  const opened = openVerifierPool(how, 2, 0);
  t.teardown(() => opened.close());
  return opened;
}

test('the same reports as on one thread, whatever is wrong', async (t) => {
  const how = optionsFor(memorySource(await bucketOf()));
  const { verify } = pool(t, how);
  const verdicts = new Set<string>();
  for await (const session of listSessions(how.source)) {
    const [there, here] = await Promise.all([verify(session), verifySession(session, how)]);
    t.strictSame(there, here);
    verdicts.add(there.verdict);
  }
  t.strictSame([...verdicts].sort(), ['invalid', 'proven', 'unproven']);
});

test('all of a bucket, many at a time', async (t) => {
  const how = optionsFor(memorySource(await bucketOf()));
  const reports: SessionReport[] = [];
  const onReport = (report: SessionReport) => reports.push(report);
  await verifyAll({ ...how, verify: pool(t, how).verify, concurrency: 32, onReport, onFinding });
  t.equal(reports.length, 12);
  t.equal(reports.filter(({ verdict }) => verdict === 'proven').length, 8);
});

test('a bucket that goes away is no verdict', async (t) => {
  const source = memorySource(await bucketOf());
  let reads = 0;
  const away: ObjectSource = {
    ...source,
    read: async (key) => {
      if (++reads > 7) throw new DbguardError('bucket-unreachable', 'the network is gone', { hint: 'wait' });
      return source.read(key);
    },
  };
  const how = optionsFor(away);
  const expected = { code: 'bucket-unreachable', message: 'the network is gone', hint: 'wait', exitCode: 69 };
  const onReport = () => undefined;
  await t.rejects(verifyAll({ ...how, onReport, onFinding }), expected);
  reads = 0;
  await t.rejects(verifyAll({ ...how, verify: pool(t, how).verify, onReport, onFinding }), expected);
});

test('issuer keys that cannot be had, asked from a thread', async (t) => {
  const source = memorySource(objectsOf(record(login), now));
  const none = { keysOf: () => Promise.reject(new DbguardError('login-failed', 'the issuer is away')) };
  const how = { ...optionsFor(source), keys: none };
  const { verify } = pool(t, how);
  for await (const session of listSessions(source)) {
    t.match(await verify(session), {
      verdict: 'unproven',
      findings: [{ code: 'identity-unproven', message: /is away/ }],
    });
  }
});

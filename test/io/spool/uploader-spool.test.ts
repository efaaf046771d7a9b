import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { createSession } from '../../../src/identity/session.js';
import { openBucket } from '../../../src/io/bucket/open.js';
import { listSpool, recoverSpool } from '../../../src/io/spool/recovery.js';
import { spoolSource } from '../../../src/io/spool/source.js';
import { openTranscript, type Transcript, type TranscriptOptions } from '../../../src/io/spool/spool.js';
import { claimSpool, lockSpool } from '../../../src/io/spool/spool-lock.js';
import { listSessions, mergeSources, type ObjectSource, type SessionObjects } from '../../../src/review/catalog.js';
import type { SessionReport } from '../../../src/review/session-report.js';
import { verifyAll } from '../../../src/review/verify-all.js';
import { verifySession } from '../../../src/review/verify-session.js';
import type { Bucket } from '../../../src/transcript/entry.js';
import { clientId, testIssuer } from '../../transcript/people.js';

const issuer = await testIssuer();
const login = await issuer.login('dev');
const keys = { keysOf: async () => [{ ...issuer.keys, origin: 'test' }] };
const quick = { firstMs: 1, maxMs: 4 };

async function setUp(t: Test) {
  const state = t.testdir();
  const bucket = await openBucket({ kind: 'file', path: join(state, 'bucket') }, { env: {} });
  const start = (options: Partial<TranscriptOptions> = {}): Transcript => {
    const credential = createSession(login, { now: Date.now(), lifetimeMs: 60_000 });
    return openTranscript({ state, bucket, credential, version: '0.0.0', agent: 'psql', backoff: quick, ...options });
  };
  return { state, bucket, start };
}

const offline: Partial<Bucket> = { create: () => new Promise(() => {}) };

function statement({ recorder }: Transcript, sql = 'SELECT 1'): Promise<void> {
  const of = recorder.append({ k: 'statement', decision: 'allow' }, { sql });
  recorder.append({ k: 'outcome', of, how: 'done' });
  return new Promise((resolve, reject) => recorder.commit(false, (error) => (error ? reject(error) : resolve())));
}

const filesOf = (path: string) =>
  readdirSync(path, { recursive: true, withFileTypes: true }).filter((it) => it.isFile());

async function reports(source: ObjectSource): Promise<SessionReport[]> {
  const found: SessionReport[] = [];
  for await (const session of listSessions(source)) {
    found.push(await verifySession(session, { source, keys, demands: { clientId }, now: Date.now() }));
  }
  return found;
}

test('a session from open to finish is proven from the bucket, and leaves nothing here', async (t) => {
  const { state, bucket, start } = await setUp(t);
  const transcript = start();
  await transcript.ready(10_000);
  t.match(
    await reports(bucket),
    [{ entries: 2, state: 'open' }],
    'the opening entry is there before the first statement',
  );
  await statement(transcript);
  t.match(await transcript.finish(), { left: 0 });
  t.match(await reports(bucket), [{ verdict: 'proven', state: 'complete', statements: 1 }]);
  t.same(listSpool(state), []);
  t.same(filesOf(join(state, 'spool', 'v1')), []);
});

test('sessions that begin at the same moment come one after the other', async (t) => {
  const { state, bucket } = await setUp(t);
  const child = join(import.meta.dirname, 'previous-session-child.ts');
  const children = [1, 2, 3].map(() => fork(child, [state], { execArgv: ['--import=tsx'] }));
  for (const [code] of await Promise.all(children.map((one) => once(one, 'exit')))) t.equal(code, 0);
  const all = await reports(bucket);
  const before = all.map(({ open }) => open?.previous?.sid);
  t.equal(all.length, 45);
  t.equal(before.filter((sid) => sid === undefined).length, 1, 'one is the first');
  t.equal(new Set(before).size, 45, 'no two name the same one');
});

test('each session names the one before it', async (t) => {
  const { bucket, start } = await setUp(t);
  const first = start();
  await first.finish();
  const second = start();
  const third = start(); // begins while the second one runs
  await Promise.all([second.finish(), third.finish()]);
  const between: string[] = [];
  await verifyAll({
    source: bucket,
    keys,
    demands: { clientId },
    now: Date.now(),
    onReport: () => {},
    onFinding: ({ code }) => between.push(code),
  });
  t.same(between, ['versions-hidden'], 'nothing but that a folder keeps no versions');
  const all = await reports(bucket);
  const previous = (sid: string) => all.find((report) => report.sid === sid)?.open?.previous;
  t.equal(previous(first.recorder.sid), undefined);
  t.same(previous(second.recorder.sid), {
    sid: first.recorder.sid,
    size: first.recorder.size,
    head: first.recorder.head,
  });
  t.same(previous(third.recorder.sid), { sid: second.recorder.sid });
});

test('offline: the session ends, its spool waits, the next run brings it', async (t) => {
  const { state, bucket, start } = await setUp(t);
  const transcript = start({ bucket: { ...bucket, ...offline } });
  await statement(transcript);
  t.same(await transcript.finish({ signal: AbortSignal.timeout(20) }), { uploaded: 0, left: 2 });
  t.same(await reports(bucket), []);
  t.match(
    await reports(mergeSources(bucket, spoolSource(state))),
    [{ verdict: 'proven', statements: 1 }],
    'can be read here',
  );
  t.match(await recoverSpool({ state, bucket }), [{ state: 'uploaded', uploaded: 2 }]);
  t.match(await reports(bucket), [{ verdict: 'proven', state: 'complete', statements: 1 }]);
  t.same(listSpool(state), []);
});

test('a running session is left alone; another bucket’s too', async (t) => {
  const { state, bucket, start } = await setUp(t);
  const transcript = start({ bucket: { ...bucket, ...offline } });
  await statement(transcript);
  t.same(await recoverSpool({ state, bucket }), [], 'it is ours, and we live');
  await transcript.finish({ signal: AbortSignal.timeout(20) });
  const elsewhere = await openBucket({ kind: 'file', path: join(state, 'other') }, { env: {} });
  t.match(await recoverSpool({ state, bucket: elsewhere }), [{ state: 'elsewhere', uploaded: 0, left: 2 }]);
  t.match(await recoverSpool({ state, bucket: elsewhere, anyBucket: true }), [{ state: 'uploaded', uploaded: 2 }]);
});

test('killed at any byte: whole lines are recovered and verify, the torn one is cut off', async (t) => {
  const { state, bucket, start } = await setUp(t);
  const transcript = start({ bucket: { ...bucket, ...offline } });
  for (let i = 0; i < 3; i++) await statement(transcript, `SELECT ${i}`);
  const folder = join(state, 'spool', transcript.prefix);
  const saved = join(state, 'saved');
  cpSync(join(state, 'spool', 'v1'), saved, { recursive: true });
  await transcript.finish({ signal: AbortSignal.timeout(20) });
  const journal = readFileSync(join(saved, transcript.prefix.slice(3), '00000001.jsonl'));
  let bad = 0;
  for (let size = 0; size <= journal.length; size += size > journal.length - 20 ? 1 : 17) {
    const here = join(state, `cut-${size}`);
    const spool = join(here, 'spool', 'v1');
    mkdirSync(spool, { recursive: true });
    cpSync(saved, spool, { recursive: true });
    const path = join(here, 'spool', transcript.prefix);
    truncateSync(join(path, '00000001.jsonl'), size);
    writeFileSync(join(path, 'lock'), JSON.stringify({ pid: 2 ** 22 + 1, start: '', host: hostname() }));
    const target = await openBucket({ kind: 'file', path: join(here, 'bucket') }, { env: {} });
    await recoverSpool({ state: here, bucket: target, anyBucket: true });
    const [report] = await reports(target);
    const whole = journal.subarray(0, size).toString().split('\n').slice(0, -1);
    const statements = whole.filter((line) => line.includes('"k":"statement"')).length;
    const sound = report?.findings.every(({ code }) => code === 'still-open' || code === 'unsigned-tail');
    if (report === undefined || !sound || report.statements !== statements || listSpool(here).length > 0) bad++;
  }
  t.equal(bad, 0);
  t.ok(existsSync(folder));
});

test('kill -9 of a real run: the next one recovers what was acknowledged', async (t) => {
  const { state, bucket } = await setUp(t);
  const child = fork(join(import.meta.dirname, 'uploader-spool-child.ts'), [state], { execArgv: ['--import=tsx'] });
  let acknowledged = 0;
  child.on('message', () => {
    if (++acknowledged === 50) child.kill('SIGKILL');
  });
  await once(child, 'exit');
  t.equal(listSpool(state).length, 1);
  const [recovered] = await recoverSpool({ state, bucket, anyBucket: true });
  t.match(recovered, { state: 'uploaded', left: 0 });
  const session: SessionObjects | undefined = (await listSessions(bucket).next()).value ?? undefined;
  t.ok(session);
  const report =
    session &&
    (await verifySession(session, {
      source: bucket,
      keys: { keysOf: async () => [] },
      demands: { clientId },
      now: Date.now(),
    }));
  t.ok((report?.statements ?? 0) >= acknowledged);
  t.same(
    report?.findings.filter(({ severity }) => severity === 'failure'),
    [],
  );
});

test('two that recover at once never have the same folder', async (t) => {
  const folder = t.testdir({ lock: JSON.stringify({ pid: 2 ** 22 + 1, start: '', host: hostname() }) });
  const claims = [claimSpool(folder), claimSpool(folder)];
  t.same(claims, [true, false]);
  t.throws(() => lockSpool(folder), { code: 'EEXIST' });
});

test('whose lock it is', async (t) => {
  const own = t.testdir({});
  lockSpool(own);
  t.notOk(claimSpool(own), 'we live');
  const lock = JSON.parse(readFileSync(join(own, 'lock'), 'utf8'));
  writeFileSync(join(own, 'lock'), JSON.stringify({ ...lock, start: 'another boot' }));
  t.equal(claimSpool(own), process.platform === 'linux', 'a later process with the same id is not its owner');

  const foreign = join(own, 'foreign');
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'lock'), JSON.stringify({ pid: 1, start: '', host: 'another-machine' }));
  t.notOk(claimSpool(foreign));
  const longAgo = Date.now() / 1000 - 3600;
  utimesSync(foreign, longAgo, longAgo);
  t.ok(claimSpool(foreign), 'silent for an hour');

  const fresh = join(own, 'fresh');
  mkdirSync(fresh);
  t.notOk(claimSpool(fresh), 'perhaps being set up');
  utimesSync(fresh, longAgo, longAgo);
  t.ok(claimSpool(fresh));
});

test('the bucket is full of trouble: the session says so and goes on', async (t) => {
  const { state, bucket, start } = await setUp(t);
  const troubles: string[] = [];
  let broken = true;
  const flaky: Partial<Bucket> = {
    create: (key, bytes) =>
      broken ? Promise.reject(Object.assign(new Error('no route'), { code: 'x' })) : bucket.create(key, bytes),
  };
  const transcript = start({ bucket: { ...bucket, ...flaky }, onTrouble: (error) => troubles.push(error.code) });
  await statement(transcript);
  while (troubles.length === 0) await new Promise(setImmediate);
  broken = false;
  const { left } = await transcript.finish();
  t.equal(left, 1, 'a foreign error is no reason to try for ever');
  t.same(troubles, ['internal']);
  t.match(await recoverSpool({ state, bucket }), [{ state: 'uploaded' }]);
  t.match(await reports(bucket), [{ verdict: 'proven', state: 'complete' }]);
});

test('no journal, no session: a state folder that is a file, or where nothing can be made', async (t) => {
  const { bucket } = await setUp(t);
  const root = join(t.testdirName, 'blocked');
  mkdirSync(root);
  writeFileSync(join(root, 'spool'), 'a file');
  const credential = createSession(login, { now: Date.now(), lifetimeMs: 60_000 });
  const start = () => openTranscript({ state: root, bucket, credential, version: '0.0.0' });
  t.throws(start, { code: 'config-invalid' });
});

test('the disk fills up during a session: what is acknowledged is uploaded, the rest waits, and it is said', async (t) => {
  const { state, bucket, start } = await setUp(t);
  const failures: string[] = [];
  const transcript = start({ onFailure: (error) => failures.push(error.code) });
  await transcript.ready(10_000);
  await statement(transcript);
  // The next segment's name is taken: it cannot be created.
  writeFileSync(join(state, 'spool', transcript.prefix, '00000002.jsonl'), '');
  transcript.recorder.closeSegment();
  t.throws(() => transcript.recorder.append({ k: 'statement' }), { code: 'journal-unwritable' });
  t.same(failures, ['journal-unwritable']);
  await t.rejects(transcript.finish(), { code: 'journal-unwritable' });
  t.match(await reports(bucket), [{ statements: 1, state: 'open' }]);
  t.match(await recoverSpool({ state, bucket }), [{ state: 'uploaded' }]);
  t.same(listSpool(state), []);
});

/**
 * Twenty thousand objects in one session's folder: whatever they are, the session keeps its verdict, they become one line,
 * and few of them are held at a time.
 */
import { type Test, test } from 'tap';
import type { ObjectSource } from '../../src/review/catalog.js';
import { listSessions } from '../../src/review/catalog.js';
import type { IssuerKeySource } from '../../src/review/issuer-keys.js';
import type { SessionReport } from '../../src/review/session-report.js';
import { verifySession } from '../../src/review/verify-session.js';
import { alternativeKey, redactionKey } from '../../src/transcript/object-key.js';
import { startS3 } from '../helpers/s3.js';
import { clientId, testIssuer } from '../transcript/people.js';
import { besideKey, objectsOf, pack, type Recorded, record, type StoredObject } from '../transcript/recorded.js';
import { s3Vault } from './vaults.js';

const many = 20_000;
const now = Date.UTC(2026, 10, 23, 12);
const stored = now + 10_000;
const issuer = await testIssuer();
const login = await issuer.login('dev', { at: now });
const other = await issuer.login('stranger', { at: now });
const keys: IssuerKeySource = { keysOf: async () => [{ ...issuer.keys, origin: 'test' }] };

/** Objects are made when they are read: only what verification holds is in memory. */
function drowned(session: Recorded, count: number, keyOf: (n: number) => string, content: (n: number) => Uint8Array) {
  const own = new Map(objectsOf(session, stored).map((object) => [object.key, object]));
  const flood = new Map(Array.from({ length: count }, (_, n) => [keyOf(n), n]));
  const reading = { now: 0, most: 0 };
  const sizeOf = (key: string): number => own.get(key)?.bytes.length ?? content(0).length;
  const source: ObjectSource = {
    location: 'memory',
    keeping: async () => 'kept',
    async read(key) {
      reading.most = Math.max(reading.most, ++reading.now);
      await new Promise(setImmediate);
      reading.now--;
      return own.get(key)?.bytes ?? content(flood.get(key) ?? 0);
    },
    async *history(prefix) {
      for (const key of [...own.keys(), ...flood.keys()].sort()) {
        if (key.startsWith(prefix)) yield { key, size: sizeOf(key), createdAt: stored, others: [], otherCount: 0 };
      }
    },
  };
  return { source, reading };
}

async function verified(source: ObjectSource): Promise<SessionReport> {
  for await (const session of listSessions(source)) {
    return verifySession(session, { source, keys, demands: { clientId }, now: stored });
  }
  throw new Error('no session');
}

const sid = (n: number): string => `01${String(n).padStart(24, '0')}`;
const beside = (number: number) => (prefix: string, n: number) => alternativeKey(prefix, number, Buffer.from(`${n}`));
const strangers = record(other).segments;

/** Under the name that its text asks for. */
const named = (number: number) => (prefix: string, _: number, content: Uint8Array) =>
  besideKey(prefix, number, content);

interface Flood {
  key(prefix: string, n: number, content: Uint8Array): string;
  content(n: number): Uint8Array;
  /** Fewer where each costs a signature. */
  readonly count?: number;
}

const floods: Record<string, Flood> = {
  'empty objects': { key: beside(1), content: () => new Uint8Array() },
  'garbage that is not packed': { key: beside(1), content: (n) => Buffer.from(`garbage garbage garbage ${n}\n`) },
  'garbage that is packed': { key: named(1), content: (n) => pack([`garbage ${n}`]) },
  'names that are not those of their texts': { key: beside(1), content: (n) => pack([`garbage ${n}`]) },
  'somebody else’s lines': {
    key: named(1),
    content: (n) => pack([...(strangers[1] ?? []), `{"n":${n}}`]),
    count: 4_000,
  },
  'openings of somebody else': {
    key: named(0),
    content: (n) => pack([...(strangers[0] ?? []), `{"n":${n}}`]),
    count: 4_000,
  },
  'segments behind the end': {
    key: (prefix, n) => `${prefix}${String(n + 100).padStart(8, '0')}.jsonl.gz`,
    content: (n) => pack([`garbage ${n}`]),
  },
  redactions: { key: (prefix, n) => redactionKey(prefix, sid(n)), content: (n) => pack([`garbage ${n}`]) },
  'names that nobody knows': { key: (prefix, n) => `${prefix}note-${n}.txt`, content: () => Buffer.from('a note') },
};

for (const [what, { key, content, count = many }] of Object.entries(floods)) {
  test(`attack: a session is drowned in ${what}`, async (t) => {
    const session = record(login);
    const { source, reading } = drowned(session, count, (n) => key(session.prefix, n, content(n)), content);
    const report = await verified(source);
    t.match(report, { verdict: 'proven', state: 'complete', statements: 4, size: session.size });
    oneLine(t, report, count);
    t.ok(reading.most <= 64, `at most ${reading.most} objects were read at the same time`);
  });
}

test('attack: twenty thousand entries that are each worth a finding', async (t) => {
  const outcomes = Array.from({ length: many }, () => [{ k: 'outcome', of: 999_999, how: 'done' }] as const);
  const session = record(login, { extra: outcomes });
  const objects = new Map(objectsOf(session, stored).map((object): [string, StoredObject] => [object.key, object]));
  const { source } = drowned(
    session,
    0,
    (n) => `${n}`,
    () => new Uint8Array(),
  );
  const report = await verified({ ...source, read: async (key) => objects.get(key)?.bytes ?? new Uint8Array() });
  t.equal(report.verdict, 'invalid');
  t.ok(report.findings.length < 10, `${report.findings.length} findings`);
  t.ok(
    report.findings.some(({ more }) => (more ?? 0) >= many - 1),
    'the rest is counted',
  );
});

test('attack: ten thousand later versions and delete markers of one object', async (t) => {
  const server = await startS3();
  server.pageSize = 1000; // as a store's is
  t.teardown(() => server.close());
  const vault = await s3Vault(server);
  const session = record(login);
  for (const object of objectsOf(session, stored)) await vault.put(object);
  const [, { key } = { key: '' }] = objectsOf(session, stored);
  for (let n = 0; n < 10_000; n += 2) {
    await vault.put({ key, bytes: Buffer.from(`junk ${n}`), createdAt: stored + n + 1 });
    await vault.remove(key, stored + n + 2);
  }
  const report = await verified(vault.bucket);
  t.match(report, { verdict: 'invalid', statements: 4, size: session.size });
  const message = /\.jsonl\.gz was .* one of 10,000 later versions and delete markers.*stored first, version /;
  t.match(report.findings, [
    { code: 'object-overwritten', message },
    { code: 'object-deleted', message },
  ]);
  t.equal(report.findings.length, 2);
});

/** The objects are one finding of one line, in which the first are named. */
function oneLine(t: Test, { findings }: SessionReport, count: number): void {
  const foreign = findings.filter(({ code }) => code === 'foreign-object');
  t.equal(foreign.length, 1);
  t.match(foreign[0]?.message, count.toLocaleString('en'));
  t.ok(JSON.stringify(findings).length < 4_000, 'what is said of them fits on a screen');
}

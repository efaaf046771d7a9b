/** Ways to have a statement run without the second person who is named for it, each tried on real objects in a bucket. */
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { putClaim } from '../../src/approval/second-person/objects.js';
import { OpenRequest } from '../../src/approval/second-person/open-request.js';
import type { TeamRequest } from '../../src/approval/second-person/team.js';
import { DbguardError } from '../../src/errors.js';
import { thumbprint } from '../../src/identity/binding.js';
import { createSession, evidenceOf, sessionSigner } from '../../src/identity/session.js';
import { openDirectoryBucket } from '../../src/io/bucket/directory.js';
import { openBucket } from '../../src/io/bucket/open.js';
import { sha256 } from '../../src/sha256.js';
import { approvalText, type ClaimsOf } from '../../src/transcript/approval-objects.js';
import type { Bucket } from '../../src/transcript/entry.js';
import { subjectHash } from '../../src/transcript/object-key.js';
import { realClock } from '../approval/clock.js';
import { startS3, testKey } from '../helpers/s3.js';
import type { LoginOptions } from '../transcript/people.js';
import { asked, config, type Stage, stage } from './second-person-stage.js';

const never = new AbortController().signal;
const HOUR = 3_600_000;

/** The only open request, as that person sees it. */
async function shownTo(one: Stage, sub: string, options: LoginOptions = {}) {
  const team = one.team(await one.issuer.login(sub, options));
  const [found] = await team.waiting();
  if (!found) throw new Error('nothing is open');
  return { team, found };
}

async function approve(one: Stage, sub = 'lead', options: LoginOptions = {}): Promise<void> {
  const { team, found } = await shownTo(one, sub, options);
  await team.answer(found, 'allow');
}

interface Forgery {
  readonly sub?: string;
  readonly login?: LoginOptions;
  readonly claims?: Partial<ClaimsOf['verdict']>;
  readonly signedAt?: number;
}

/** A verdict as a program of somebody's own would write it, past every check of ours. */
async function forge(
  one: Stage,
  open: OpenRequest,
  { sub = 'lead', login = {}, claims = {}, signedAt }: Forgery,
): Promise<void> {
  const person = await one.issuer.login(sub, login);
  const credential = createSession(person, { now: signedAt ?? Date.now(), lifetimeMs: HOUR });
  const text = approvalText(
    'verdict',
    {
      ...{ id: open.id, sid: credential.sid, request: open.request.digest, decision: 'allow', at: Date.now() },
      seen: sha256('', 'base64url'),
      who: evidenceOf(credential),
      ...claims,
    },
    { keyid: thumbprint(credential.sessionJwk), ...sessionSigner(credential) },
  );
  await one.bucket.create(`approvals/${open.id}/verdict-${subjectHash(person.subject)}`, Buffer.from(text));
}

t.test('an approval of a second person lets exactly this statement run, once', async (t) => {
  const one = await stage(t.testdir());
  const first = await one.publish();
  await approve(one);
  const answer = await one.asker.ask(asked(), never);
  t.match(answer, { decision: 'allow', scope: 'once', by: { kind: 'second-person', name: 'lead@example.test' } });
  t.same(one.entries.map(({ object }) => object).slice(-3), ['request', 'verdict', 'claim']);
  t.equal((await first.look(one.bucket, one.judge, Date.now())).kind, 'used');
  // the same statement again has to be asked for again
  const again = await one.publish();
  t.not(again.id, first.id);
});

t.test('verdicts that do not count', async (t) => {
  const before = Date.now() - 20 * 60_000;
  const forgeries: Readonly<Record<string, readonly [RegExp, Forgery]>> = {
    'by the one who asks': [/nobody approves what they ask/, { sub: 'ada' }],
    'by a second account of theirs': [
      /nobody approves what they ask/,
      { sub: 'u7', login: { email: 'Ada+lead@example.test' } },
    ],
    'by somebody who is not named': [/none of those who may/, { sub: 'boss' }],
    'by somebody who looks like the lead': [
      /none of those who may/,
      { sub: 'x', login: { email: 'lead@example.test.evil.example' } },
    ],
    'with a token that names no key': [/level asserted/, { login: { level: 'asserted' } }],
    'with a login of yesterday': [/older than allowed/, { login: { at: Date.now() - 24 * HOUR } }],
    'of another request': [/about another request/, { claims: { request: sha256('other', 'base64url') } }],
    'under another id': [/about another request/, { claims: { id: '01m8mzcsy6zc910mm22w2515g3' } }],
    'dated back': [
      /at another time than it says/,
      { login: { at: before - 60_000 }, signedAt: before - 30_000, claims: { at: before } },
    ],
    'dated ahead': [/at another time than it says|expired/, { claims: { at: Date.now() + 30 * 60_000 } }],
    'with a key made after the fact': [/not valid yet/, { claims: { at: Date.now() - 60_000 }, signedAt: Date.now() }],
    'after the request had ended': [/after the request had ended|expired/, { claims: { at: Date.now() + 9 * HOUR } }],
    'signed by another session': [/certificate|not signed/, { claims: { sid: '01m8mzcsy6zc910mm22w2515g3' } }],
  };
  for (const [name, [why, forgery]] of Object.entries(forgeries)) {
    const one = await stage(t.testdir(), { clock: { ...realClock, now: () => before - 60_000 } });
    const open = await one.publish();
    await forge(one, open, forgery);
    const fresh = new OpenRequest(open);
    t.same(await fresh.look(one.bucket, one.judge, Date.now()), { kind: 'waiting' }, name);
    t.match(fresh.ignored, why, name);
  }
});

t.test('an issuer of the approver’s own', async (t) => {
  const one = await stage(t.testdir());
  const open = await one.publish();
  const other = await stage(t.testdir());
  await forge({ ...one, issuer: other.issuer }, open, {});
  const fresh = new OpenRequest(open);
  t.same(await fresh.look(one.bucket, one.judge, Date.now()), { kind: 'waiting' });
  t.match(fresh.ignored, /signature|not proven|not count/);
});

t.test('two have to be two people, and nobody overrules a no', async (t) => {
  const one = await stage(t.testdir(), {
    config: { ...config, min: 2, approvers: [...config.approvers, 'lead+b@example.test'] },
  });
  const open = await one.publish();
  await approve(one, 'lead');
  await forge(one, open, { sub: 'u9', login: { email: 'lead+b@example.test' } });
  t.equal((await new OpenRequest(open).look(one.bucket, one.judge, Date.now())).kind, 'waiting');
  await forge(one, open, { sub: 'dba' });
  t.equal((await new OpenRequest(open).look(one.bucket, one.judge, Date.now())).kind, 'approved');
  t.equal(
    (await new OpenRequest(open).look(one.bucket, one.judge, Date.now() + 31 * 60_000)).kind,
    'over',
    'for its time',
  );

  const two = await stage(t.testdir());
  const denied = await two.publish();
  await approve(two, 'dba');
  await forge(two, denied, { sub: 'lead', claims: { decision: 'deny' } });
  t.equal((await new OpenRequest(denied).look(two.bucket, two.judge, Date.now())).kind, 'denied');
});

t.test('what the others see: a no ends it, and nobody’s word but theirs does', async (t) => {
  const one = await stage(t.testdir(), {
    config: { ...config, min: 2, approvers: [...config.approvers, 'lead+b@example.test'] },
  });
  const open = await one.publish();
  await forge(one, open, { sub: 'boss', claims: { decision: 'deny' } });
  t.match((await shownTo(one, 'dba')).found, { approvals: 0 }, 'a no of somebody who is not named');
  await approve(one, 'lead');
  await forge(one, open, { sub: 'u9', login: { email: 'lead+b@example.test' } });
  t.match((await shownTo(one, 'dba')).found, { approvals: 1, answered: false }, 'two accounts of one person');
  await forge(one, open, { sub: 'dba', claims: { decision: 'deny' } });
  t.same(await one.team(await one.issuer.login('lead')).waiting(), [], 'what was denied is open to nobody');
});

t.test('a replayed verdict, and one under somebody else’s name', async (t) => {
  const one = await stage(t.testdir());
  const first = await one.publish();
  await approve(one);
  const second = await one.publish(asked('DROP TABLE orders'));
  const [key] = await keysOf(one.bucket, `approvals/${first.id}/verdict`);
  const bytes = await one.bucket.read(key ?? '');
  await one.bucket.create(`approvals/${second.id}/verdict-${key?.split('verdict-')[1]}`, bytes);
  await one.bucket.create(`approvals/${second.id}/verdict-${'0'.repeat(32)}`, bytes);
  const fresh = new OpenRequest(second);
  t.same(await fresh.look(one.bucket, one.judge, Date.now()), { kind: 'waiting' });

  const folder = t.testdir({});
  const other = await stage(folder);
  const open = await other.publish();
  await approve(other);
  const [own = ''] = await keysOf(other.bucket, `approvals/${open.id}/verdict`);
  await other.bucket.create(`approvals/${open.id}/verdict-${'0'.repeat(32)}`, await other.bucket.read(own));
  rmSync(join(folder, own));
  t.equal((await new OpenRequest(open).look(other.bucket, other.judge, Date.now())).kind, 'waiting');
});

t.test('another statement, other values, another role: each is asked for by itself', async (t) => {
  const one = await stage(t.testdir());
  await one.publish();
  await approve(one);
  const { ruling } = asked();
  const role = { role: 'shop_owner', access: 'fix', lacking: [] };
  for (const other of [
    asked('DELETE FROM customers'),
    asked('DELETE FROM orders '),
    asked('DELETE FROM orders', { bindValues: ['1'] }),
    asked('DELETE FROM orders', { ruling: { ...ruling, as: role } }),
    asked('DELETE FROM orders', { user: 'admin' }),
    asked('DELETE FROM orders', { database: 'other' }),
    asked('DELETE FROM orders', { searchPath: 'evil' }),
    asked('DELETE FROM orders', { sessionDigest: 'a temporary table' }),
    // data that moved beyond what was shown
    asked('DELETE FROM orders', { impact: { lines: [], estimatedRows: 10_482 + 101 } }),
    asked('DELETE FROM orders', { impact: { lines: [] } }),
  ]) {
    const open = await one.publish(other);
    t.equal((await open.look(one.bucket, one.judge, Date.now())).kind, 'waiting', JSON.stringify(other.sql));
  }
});

t.test('two at once: one runs', async (t) => {
  const one = await stage(t.testdir());
  await one.publish();
  await approve(one);
  const answers = await Promise.all([1, 2, 3].map(() => one.asker.ask(asked(), never)));
  t.equal(answers.filter(({ decision }) => decision === 'allow').length, 1);
  t.equal(one.entries.filter(({ object }) => object === 'claim').length, 1);
});

t.test('an approval that was used elsewhere', async (t) => {
  const one = await stage(t.testdir());
  const open = await one.publish();
  await approve(one);
  await one.bucket.create(`approvals/${open.id}/claim`, Buffer.from('somebody else’s'));
  t.match(await one.asker.ask(asked(), never), { decision: 'deny', by: { kind: 'nobody' } });
});

t.test('a bucket that hides the use of an approval cannot have it used twice', async (t) => {
  const folder = t.testdir();
  const real = openDirectoryBucket(folder);
  const hiding: Bucket = {
    ...real,
    async *list(prefix) {
      for await (const object of real.list(prefix)) if (!object.key.endsWith('/claim')) yield object;
    },
  };
  const one = await stage(folder, { bucket: hiding });
  const open = await one.publish();
  await approve(one);
  await real.create(`approvals/${open.id}/claim`, Buffer.from('used'));
  t.match(await one.asker.ask(asked(), never), { decision: 'deny' });
  t.notOk(one.entries.some(({ object }) => object === 'claim'));
});

t.test('a bucket that hides, delays or is away: neither yes nor no', async (t) => {
  const folder = t.testdir();
  const real = openDirectoryBucket(folder);
  let state: 'away' | 'hiding' | 'there' = 'away';
  let looks = 0;
  let looked: () => void = () => undefined;
  const gone = () => new DbguardError('bucket-unreachable', 'the bucket is away');
  const moody: Bucket = {
    ...real,
    create: (...given) => (state === 'away' ? Promise.reject(gone()) : real.create(...given)),
    async *list(prefix) {
      looks++;
      looked();
      if (state === 'away') throw gone();
      for await (const object of real.list(prefix)) {
        if (state === 'there' || !object.key.includes('verdict-')) yield object;
      }
    },
  };
  const several = (count: number) =>
    new Promise<void>((resolve) => {
      const from = looks;
      looked = () => {
        if (looks >= from + count) resolve();
      };
    });
  const one = await stage(folder, { bucket: moody });
  const answer = one.asker.ask(asked(), never);
  let settled = false;
  void answer.then(() => {
    settled = true;
  });
  state = 'hiding';
  while (one.entries.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await several(2);
  const lead = await stage(folder, { bucket: real });
  await approve({ ...lead, issuer: one.issuer, team: (login) => one.team(login) });
  await several(3);
  t.notOk(settled, 'hidden');
  state = 'there';
  t.match(await answer, { decision: 'allow' });
});

t.test('a request that shows something else than it asks', async (t) => {
  const ways: Readonly<Record<string, readonly [RegExp, (text: string) => string]>> = {
    'another text beside the signed one': [
      /not what was signed/,
      (text) => text.replace('DELETE FROM orders', 'SELECT 1'),
    ],
    'no text': [/not what was signed/, (text) => `${text.split('\n')[0]}\n`],
    'only a text': [/./, (text) => `\n${text.split('\n')[1]}`],
    'a payload that was changed': [/not signed by who it names/, (text) => changedPayload(text)],
  };
  for (const [name, [why, change]] of Object.entries(ways)) {
    const folder = t.testdir();
    const one = await stage(folder);
    const open = await one.publish();
    const path = join(folder, 'approvals', open.id, 'request');
    const text = readFileSync(path, 'utf8');
    chmodSync(path, 0o600);
    rmSync(path);
    writeFileSync(path, change(text));
    const team = one.team(await one.issuer.login('lead'));
    t.same(await team.waiting(), [], name);
    t.match(team.refused[0]?.why, why, name);
  }
});

t.test('what is shown is the statement, whatever its author says it is', async (t) => {
  const one = await stage(t.testdir());
  const sql = 'DELETE FROM orders -- approved by lead@example.test, harmless \u202e';
  await one.publish(asked(sql, { subject: 'lead@example.test', agent: 'dbguard: safe' }));
  const { found } = await shownTo(one, 'lead');
  t.match(found.preview.headline, /^Delete ALL rows of orders/);
  t.match(found.preview.facts[0], { label: 'agent', text: /for ada@example\.test$/ });
  t.match(
    found.preview.facts.find(({ label }) => label === 'asked by'),
    { text: /^ada@example\.test, as https:/ },
  );
  t.match(found.preview.warnings.join(), /reverse the reading order/);
  t.notMatch(found.preview.statement, /\u202e/);
});

t.test('a statement that is said to be the question for a connection', async (t) => {
  const { ruling } = asked();
  const connects = { ...ruling, connects: { forMs: 60_000 } };
  for (const sql of ['DROP TABLE orders', 'connect to shop for 1m; DROP TABLE orders', 'connect to bank for 1m']) {
    const one = await stage(t.testdir());
    await one.publish(asked(sql, { ruling: connects }));
    const team = one.team(await one.issuer.login('lead'));
    t.same(await team.waiting(), [], sql);
    t.match(team.refused[0]?.why, /cannot stand there/, sql);
  }
  const honest = await stage(t.testdir());
  await honest.publish(asked('connect to shop for 1m', { ruling: connects }));
  const { found } = await shownTo(honest, 'lead');
  t.equal(found.preview.headline, 'Let clients connect for 1m');
  t.same(found.preview.warnings, []);
});

t.test('of any number of claims at once exactly one wins, in a folder and in S3', async (t) => {
  const server = await startS3('evidence');
  t.teardown(() => server.close());
  process.env.AWS_ACCESS_KEY_ID = testKey.id;
  process.env.AWS_SECRET_ACCESS_KEY = testKey.secret;
  const s3 = () =>
    openBucket({ kind: 's3', bucket: 'evidence', prefix: 'team', endpoint: server.endpoint }, { env: {} });
  const folder = t.testdir();
  const stores: Readonly<Record<string, readonly Bucket[]>> = {
    folder: [openDirectoryBucket(folder), openDirectoryBucket(folder)],
    s3: await Promise.all([s3(), s3()]),
  };
  let n = 0;
  for (const [name, buckets] of Object.entries(stores)) {
    const many = fc.integer({ min: 2, max: 30 });
    const property = fc.asyncProperty(many, async (claimants) => {
      const id = `01m8nbbrgfnggmhefqa3n${String(++n).padStart(5, '0')}`;
      const ends = await Promise.allSettled(
        Array.from({ length: claimants }, (_, i) =>
          putClaim(buckets[i % buckets.length] as Bucket, id, JSON.stringify({ claimant: i }), never),
        ),
      );
      const lost = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason.code] : []));
      t.equal(lost.length, claimants - 1, `${name}: ${claimants} claimants`);
      t.ok(
        lost.every((code) => code === 'bucket-conflict'),
        lost.join(),
      );
    });
    await fc.assert(property, { numRuns: 8 });
  }
});

t.test('nobody approves what they cannot see whole', async (t) => {
  const one = await stage(t.testdir());
  const long = `DELETE FROM orders -- ${'x'.repeat(260_000)}`;
  t.match(await one.asker.ask(asked(long), never), { decision: 'deny', reason: /cannot be shown all of it/ });
  t.match(await one.asker.ask(asked('DELETE FROM orders', { bindValues: ['y'.repeat(2001)] }), never), {
    decision: 'deny',
  });
  t.same(one.entries, []);
});

t.test('whoever may not answer is told so, and nothing is written', async (t) => {
  const one = await stage(t.testdir());
  const open = await one.publish();
  for (const [sub, options] of [
    ['ada', {}],
    ['boss', {}],
    ['lead', { at: Date.now() - 13 * HOUR }],
    ['dba', { level: 'asserted' }],
  ] as const) {
    const { team, found } = await shownTo(one, sub, options);
    for (const decision of ['allow', 'deny'] as const) {
      await t.rejects(team.answer({ ...found, obstacle: undefined } as TeamRequest, decision), { code: 'denied' }, sub);
    }
  }
  t.same(await keysOf(one.bucket, `approvals/${open.id}/verdict`), []);
});

t.test('no change of a verdict leaves one that counts', async (t) => {
  const folder = t.testdir();
  const one = await stage(folder);
  const open = await one.publish();
  await approve(one);
  const path = join(folder, 'approvals', open.id);
  const name = readdirSync(path).find((file) => file.startsWith('verdict-')) ?? '';
  const text = readFileSync(join(path, name), 'utf8');
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  chmodSync(join(path, name), 0o600);
  const { payload, signatures } = JSON.parse(text);
  const bytesOf = (of: string) => {
    const read = JSON.parse(of);
    return [read.payload, read.signatures[0].sig]
      .map((part: string) => Buffer.from(part, 'base64').toString('hex'))
      .join();
  };
  const whole = bytesOf(text);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<readonly string[]>(['payload', payload], ['sig', signatures[0].sig]),
      fc.nat(),
      fc.constantFrom(...alphabet),
      async ([, part = ''], at, letter) => {
        const place = text.indexOf(part) + (at % part.length);
        const changed = `${text.slice(0, place)}${letter}${text.slice(place + 1)}`;
        rmSync(join(path, name));
        writeFileSync(join(path, name), changed);
        const { kind } = await new OpenRequest(open).look(one.bucket, one.judge, Date.now());
        const isSame = isJson(changed) && bytesOf(changed) === whole;
        if (kind !== (isSame ? 'approved' : 'waiting')) throw new Error(`${kind} at ${place}`);
      },
    ),
    { numRuns: 60 },
  );
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function changedPayload(text: string): string {
  const [head = '', shown = ''] = text.split('\n');
  const envelope = JSON.parse(head);
  const claims = JSON.parse(Buffer.from(envelope.payload, 'base64').toString());
  const payload = Buffer.from(JSON.stringify({ ...claims, connection: 'a harmless one' })).toString('base64');
  return `${JSON.stringify({ ...envelope, payload })}\n${shown}`;
}

async function keysOf(bucket: Bucket, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of bucket.list(prefix)) keys.push(key);
  return keys;
}

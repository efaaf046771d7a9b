/** An approval that came too late for the session that asked: what another session of the same person may take it for, and what not. */
import t from 'tap';
import { readRequest } from '../../src/approval/second-person/objects.js';
import { thumbprint } from '../../src/identity/binding.js';
import { createSession, evidenceOf, sessionSigner } from '../../src/identity/session.js';
import type { ApprovalRequest } from '../../src/proxy/statement/asker.js';
import { sha256 } from '../../src/sha256.js';
import { type ApprovalRequestClaims, approvalText } from '../../src/transcript/approval-objects.js';
import { realClock } from '../approval/clock.js';
import { asked, config, type Stage, stage } from './second-person-stage.js';

const never = new AbortController().signal;
const HOUR = 3_600_000;

/** Ada's first session asks and is gone before the lead answers. */
async function answeredLate(folder: string, about = asked(), decision: 'allow' | 'deny' = 'allow') {
  const first = await stage(folder);
  const { id } = await first.publish(about);
  const team = first.team(await first.issuer.login('lead'));
  await team.answer(await team.find(id), decision);
  return { first, id };
}

/** What another session does with the statement: it runs on the approval of that request, or is asked about as that one. */
async function tried(
  one: Stage,
  about: ApprovalRequest,
): Promise<{ readonly runsOn?: string; readonly asks?: string }> {
  const leave = new AbortController();
  const answer = one.asker.ask({ ...about, expiresAt: one.parts.clock.now() + 30_000 }, leave.signal);
  const idOf = (object: string) => one.entries.find((entry) => entry.of === about.entry && entry.object === object)?.id;
  for (let settled = false; !settled && idOf('request') === undefined; ) {
    await Promise.race([
      new Promise((resolve) => setTimeout(resolve, 10)),
      answer.then(() => {
        settled = true;
      }),
    ]);
  }
  const asks = String(idOf('request'));
  const first = await one.parts.bucket.read(`approvals/${asks}/request`);
  // only a request of its own waits for somebody
  if (
    JSON.parse(Buffer.from(JSON.parse(Buffer.from(first).toString().split('\n')[0] ?? '').payload, 'base64').toString())
      .sid === one.parts.sid
  ) {
    leave.abort('cancel');
    await answer;
    return { asks };
  }
  return (await answer).decision === 'allow' ? { runsOn: asks } : { asks };
}

function isNotTaken({ runsOn, asks }: Awaited<ReturnType<typeof tried>>, id: string, name: string): void {
  t.equal(runsOn, undefined, name);
  t.not(asks, id, name);
}

t.test('the retry runs in the next session of the same person, once', async (t) => {
  const folder = t.testdir();
  const { first, id } = await answeredLate(folder);
  const next = await stage(folder, {}, first.issuer);
  const about = asked();
  const answer = await next.asker.ask(about, never);
  t.match(answer, { decision: 'allow', by: { kind: 'second-person', name: 'lead@example.test' }, rowsShown: 10_482 });
  t.same(
    next.entries.map(({ object, id: of }) => [object, of]),
    [
      ['request', id],
      ['verdict', id],
      ['claim', id],
    ],
  );
  const third = await stage(folder, {}, first.issuer);
  isNotTaken(await tried(third, asked()), id, 'used up');
});

t.test('one that waits is gone on with, and nobody is asked twice', async (t) => {
  const folder = t.testdir();
  const first = await stage(folder);
  const { id } = await first.publish();
  const next = await stage(folder, {}, first.issuer);
  const answer = next.asker.ask(asked(), never);
  const team = first.team(await first.issuer.login('lead'));
  while (next.entries.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  t.same(
    (await team.waiting()).map((one) => one.id),
    [id],
  );
  await team.answer(await team.find(id), 'allow');
  t.match(await answer, { decision: 'allow' });
});

t.test('sessions at once: one runs', async (t) => {
  const folder = t.testdir();
  const { first } = await answeredLate(folder);
  const sessions = await Promise.all([1, 2, 3].map(() => stage(folder, {}, first.issuer)));
  const ended = new AbortController();
  const answers = sessions.map((one) => one.asker.ask(asked(), ended.signal));
  await Promise.any(answers.map(async (one) => ((await one).decision === 'allow' ? true : Promise.reject())));
  ended.abort('cancel');
  t.equal((await Promise.all(answers)).filter(({ decision }) => decision === 'allow').length, 1);
});

const { ruling } = asked();
const role = { role: 'shop_owner', access: 'fix', lacking: [] };
const sql = 'DELETE FROM orders';
const otherStatements: Readonly<Record<string, Partial<ApprovalRequest>>> = {
  'another text': { sql: 'DELETE FROM orders ' },
  'other values': { bindValues: ['1'] },
  'another role': { ruling: { ...ruling, decision: 'second-person', rule: 'two', as: role } },
  'another rule': { ruling: { ...ruling, decision: 'second-person', rule: 'three' } },
  'another login': { user: 'admin' },
  'another database': { database: 'other' },
  'another connection': { connection: 'bank' },
  'another search_path': { searchPath: 'evil' },
  'other settings, objects or code': { meaning: 'another' },
  'texts that it runs by name': { runs: ['DROP TABLE orders'] },
  'secrets, which the digest does not tell apart': { meaning: undefined as never },
  'more rows than were shown': { impact: { lines: [], estimatedRows: 10_482 + 101 } },
  'rows that nobody can estimate any more': { impact: { lines: [] } },
};

t.test('what it is not taken for', async (t) => {
  for (const [name, change] of Object.entries(otherStatements)) {
    const folder = t.testdir();
    const { first, id } = await answeredLate(folder);
    const next = await stage(folder, {}, first.issuer);
    const { runsOn, asks } = await tried(next, asked(sql, change));
    t.equal(runsOn, undefined, name);
    t.not(asks, id, name);
  }
  const otherSessions: Readonly<Record<string, Parameters<typeof stage>[1]>> = {
    'a connection of that name to another server': { target: 'other.example 5432' },
    'a policy that names others': { config: { ...config, approvers: ['dba@example.test'] } },
    'a policy that wants two': { config: { ...config, min: 2 } },
    'a policy by which it would be over': { config: { ...config, validForMs: 60_000 } },
    'a policy that wants a fresher login': { config: { ...config, maxLoginAgeMs: HOUR } },
    'after its time': { clock: { ...realClock, now: () => Date.now() + config.validForMs + 1000 } },
  };
  for (const [name, changes] of Object.entries(otherSessions)) {
    const folder = t.testdir();
    const { first, id } = await answeredLate(folder);
    const next = await stage(folder, changes, first.issuer);
    isNotTaken(await tried(next, asked()), id, name);
  }
  const folder = t.testdir();
  const { first, id } = await answeredLate(folder);
  const boss = await stage(folder, {}, first.issuer, 'boss');
  isNotTaken(await tried(boss, asked()), id, 'somebody else');
  const known = await stage(folder, {}, first.issuer);
  t.equal((await tried(known, asked())).runsOn, id, 'and it was good all the time');
});

t.test('a denial that nobody was left to hear is told in the next session, once', async (t) => {
  const folder = t.testdir();
  const { first, id } = await answeredLate(folder, asked(), 'deny');
  const next = await stage(folder, {}, first.issuer);
  t.match(await next.asker.ask(asked(), never), {
    decision: 'deny',
    by: { kind: 'second-person', name: 'lead@example.test' },
  });
  t.same(
    next.entries.map(({ object, id: of }) => [object, of]),
    [
      ['request', id],
      ['verdict', id],
    ],
  );
  isNotTaken(await tried(next, asked()), id, 'then it is asked about anew');
});

t.test('nobody is told of a denial that was long ago', async (t) => {
  const folder = t.testdir();
  const { first, id } = await answeredLate(folder, asked(), 'deny');
  const later = await stage(folder, { clock: { ...realClock, now: () => Date.now() + 0.75 * HOUR } }, first.issuer);
  isNotTaken(await tried(later, asked()), id, 'an old denial');
});

t.test('requests that a program of the requester’s own has made', async (t) => {
  const forgeries: Readonly<Record<string, (shown: Record<string, unknown>) => object>> = {
    'that shows a harmless statement beside the digest of this one': (shown) => ({
      ...shown,
      sql: 'DELETE FROM orders WHERE id = 1',
    }),
    'that shows other values': (shown) => ({ ...shown, bind: ['1'] }),
    'with the digest of another statement': (shown) => ({ ...shown, exact: sha256('x', 'base64url') }),
    'without a digest': ({ exact: _, ...shown }) => shown,
    'that shows no role': (shown) => ({ ...shown, ruling: { rule: 'two', origin: 'x', reason: 'x', as: role } }),
  };
  for (const [name, forged] of Object.entries(forgeries)) {
    const folder = t.testdir();
    const { first, id } = await requestMadeOf(folder, forged);
    const next = await stage(folder, {}, first.issuer);
    isNotTaken(await tried(next, asked()), id, name);
  }
  const claims: Readonly<Record<string, Partial<ApprovalRequestClaims>>> = {
    'whose text is not the one that was signed': { shown: sha256('x', 'base64url') },
    'that anybody may approve': {
      demands: {
        approvers: ['lead@example.test', 'dba@example.test', 'mallory@example.test'],
        min: 1,
        level: 'dpop',
        maxAge: config.maxLoginAgeMs,
        validFor: config.validForMs,
      },
    },
    'that is open for years': { expiresAt: Date.now() + 10_000 * HOUR },
    'for another role': { role: 'postgres' },
    'for another connection': { connection: 'bank' },
  };
  for (const [name, change] of Object.entries(claims)) {
    const folder = t.testdir();
    const { first, id } = await requestMadeOf(folder, (shown) => shown, change);
    const next = await stage(folder, {}, first.issuer);
    isNotTaken(await tried(next, asked()), id, name);
  }
  const folder = t.testdir();
  const { first, id } = await requestMadeOf(folder, (shown) => shown);
  t.equal((await tried(await stage(folder, {}, first.issuer), asked())).runsOn, id, 'unchanged it counts');
  const stranger = t.testdir();
  const byMallory = await requestMadeOf(stranger, (shown) => shown, {}, 'mallory');
  const next = await stage(stranger, {}, byMallory.first.issuer);
  isNotTaken(await tried(next, asked()), byMallory.id, 'signed by somebody else in their name');
});

/** A request of ada's with an approval of the lead's, of which something was made before it was put there. */
async function requestMadeOf(
  folder: string,
  forged: (shown: Record<string, unknown>) => object,
  changes: Partial<ApprovalRequestClaims> = {},
  signer = 'ada',
) {
  const draft = await stage(`${folder}/draft`);
  const { id } = await draft.publish();
  const { request, shown } = await readRequest(draft.bucket, id);
  const text = JSON.stringify(forged(JSON.parse(shown)));
  const credential = createSession(await draft.issuer.login(signer), { now: Date.now(), lifetimeMs: HOUR });
  const own = signer === 'ada' ? { who: evidenceOf(credential), sid: credential.sid, at: Date.now() } : {};
  const envelope = approvalText(
    'request',
    { ...request.claims, ...own, shown: sha256(text, 'base64url'), ...changes },
    { keyid: thumbprint(credential.sessionJwk), ...sessionSigner(credential) },
  );
  const first = await stage(folder, {}, draft.issuer);
  await first.bucket.create(`approvals/${id}/request`, Buffer.from(`${envelope}\n${text}`));
  const { digest } = (await readRequest(first.bucket, id)).request;
  const lead = createSession(await draft.issuer.login('lead'), { now: Date.now(), lifetimeMs: HOUR });
  const verdict = approvalText(
    'verdict',
    {
      ...{ id, sid: lead.sid, request: digest, decision: 'allow', at: Date.now(), seen: sha256('', 'base64url') },
      who: evidenceOf(lead),
    },
    { keyid: thumbprint(lead.sessionJwk), ...sessionSigner(lead) },
  );
  const { putVerdict } = await import('../../src/approval/second-person/objects.js');
  await putVerdict(first.bucket, verdict);
  return { first, id };
}

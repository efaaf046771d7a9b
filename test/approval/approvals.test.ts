import { test } from 'tap';
import {
  type ApprovalChannel,
  createApprovals,
  type PendingApproval,
  type Verdict,
} from '../../src/approval/approvals.js';
import type { ApprovalRequest } from '../../src/proxy/statement/asker.js';
import { HandClock } from './clock.js';
import { facts, request } from './requests.js';

/** A person who answers when told to. */
class HandChannel implements ApprovalChannel {
  readonly name = 'terminal';
  here = true;
  shown: PendingApproval | undefined;
  gone = false;
  answer: (verdict: Verdict) => void = () => undefined;

  attended(): boolean {
    return this.here;
  }

  present(pending: PendingApproval, gone: AbortSignal): Promise<Verdict> {
    this.shown = pending;
    this.gone = false;
    return new Promise((resolve, reject) => {
      this.answer = resolve;
      gone.addEventListener('abort', () => {
        this.gone = true;
        reject(new Error('gone'));
      });
    });
  }
}

function desk(options: { unattended?: 'deny' | 'wait'; maxPending?: number } = {}) {
  const clock = new HandClock();
  const person = new HandChannel();
  const approvals = createApprovals({
    channels: [person],
    clock,
    unattended: options.unattended ?? 'deny',
    howToApprove: 'Run "dbguard approvals".',
    denialMemoryMs: 60_000,
    ...(options.maxPending === undefined ? {} : { maxPending: options.maxPending }),
  });
  const ask = (changes: Partial<ApprovalRequest> = {}, signal = new AbortController().signal) =>
    approvals.ask(request({ askedAt: clock.now(), expiresAt: clock.now() + 60_000, ...changes }), signal);
  return { clock, person, approvals, ask };
}

const once: Verdict = { decision: 'allow', scope: 'once' };
const forSession: Verdict = { decision: 'allow', scope: 'session' };
const later = () => new Promise((resolve) => setImmediate(resolve));

test('an approval is used once', async (t) => {
  const { person, ask } = desk();
  const first = ask();
  person.answer(once);
  t.match(await first, { decision: 'allow', scope: 'once', by: { kind: 'person', channel: 'terminal' } });
  let settled = false;
  void ask().then(() => {
    settled = true;
  });
  await later();
  t.equal(settled, false, 'the same statement is asked again');
});

test('the verdict carries the digest of what was shown; other values show another', async (t) => {
  const { person, ask } = desk();
  const first = ask({ bindValues: ['1'] });
  const shown = person.shown?.digest;
  person.answer(once);
  t.match(await first, { previewDigest: shown });
  await later();
  void ask({ bindValues: ['2'] });
  t.not(person.shown?.digest, shown);
});

test('asks are shown in order, with one at a time on the screen', async (t) => {
  const { person, approvals, ask } = desk();
  const answers = [ask({ id: '1' }), ask({ id: '2', sql: 'DELETE FROM b' }), ask({ id: '3', sql: 'DELETE FROM c' })];
  t.strictSame(
    approvals.pending.map((one) => one.request.id),
    ['1', '2', '3'],
  );
  for (const [index, answer] of answers.entries()) {
    t.equal(person.shown?.request.id, `${index + 1}`);
    person.answer(index === 1 ? { decision: 'deny', reason: 'not this' } : once);
    await answer;
    await later();
  }
  t.match(await answers[1], { decision: 'deny', reason: 'not this' });
  t.match(approvals.totals, { asked: 3, allowed: 2, denied: 1 });
});

test('silence denies', async (t) => {
  const { clock, person, ask } = desk();
  const answer = ask();
  clock.advance(59_999);
  t.equal(person.gone, false);
  clock.advance(1);
  t.match(await answer, { decision: 'deny', by: { kind: 'timeout' } });
  t.equal(person.gone, true, 'the prompt goes away');
});

for (const why of ['cancel', 'disconnect'] as const) {
  test(`attack: an approval that comes after ${why} does nothing`, async (t) => {
    const { person, approvals, ask } = desk();
    const abort = new AbortController();
    const answer = ask({}, abort.signal);
    abort.abort(why);
    person.answer(once);
    t.equal(approvals.settle('1-1', once, { channel: 'dbguard approvals' }), 'unknown');
    t.match(await answer, { decision: 'deny', by: { kind: why } });
    t.equal(person.gone, true);
    t.match(await ask({}, abort.signal), { decision: 'deny', by: { kind: why } }, 'left before it was asked');
  });
}

test('the first answer wins', async (t) => {
  const { person, approvals, ask } = desk();
  const answer = ask();
  t.equal(
    approvals.settle('1-1', { decision: 'deny', reason: 'from afar' }, { channel: 'second', name: 'ben' }),
    'settled',
  );
  person.answer(once);
  t.match(await answer, { decision: 'deny', by: { kind: 'person', channel: 'second', name: 'ben' } });
});

test('exactly this statement for the session, and nothing near it', async (t) => {
  const { person, ask } = desk();
  const first = ask();
  person.answer(forSession);
  const { previewDigest } = await first;
  await later();
  t.match(await ask(), { decision: 'allow', by: { kind: 'earlier-approval' }, previewDigest });
  const near: Readonly<Record<string, Partial<ApprovalRequest>>> = {
    'other bytes': { sql: 'DELETE FROM orders ' },
    'other values': { bindValues: ['1'] },
    'other search_path': { searchPath: 'private, public' },
    'other role': { user: 'admin' },
    'other database': { database: 'billing' },
    'other connection': { connection: 'billing' },
    'other session': { sid: 'session-2' },
  };
  for (const [name, changes] of Object.entries(near)) {
    const abort = new AbortController();
    const answer = ask(changes, abort.signal);
    await later();
    t.match(person.shown?.request, changes, `${name} is asked`);
    abort.abort('disconnect');
    t.match(await answer, { decision: 'deny' });
    await later();
  }
});

test('attack: what may mean another thing later is not approved for the session', async (t) => {
  const execute = facts('delete', 'orders').statements.map((one) => ({
    ...one,
    handle: { op: 'execute' as const, name: 'p' },
  }));
  const { searchPath: _path, ...withoutPath } = request();
  const cases: Readonly<Record<string, ApprovalRequest>> = {
    'EXECUTE of a name': request({ facts: { statements: execute } }),
    'names without schema, search_path not known': withoutPath,
    'a text that nobody can read': request({
      facts: { statements: [], unparseable: { reason: 'syntax', message: 'syntax error' } },
    }),
    'a second person’s part': request({ ruling: { ...request().ruling, decision: 'second-person' } }),
  };
  for (const [name, asked] of Object.entries(cases)) {
    const { approvals } = desk();
    void approvals.ask(asked, new AbortController().signal);
    t.equal(approvals.settle('1-1', forSession, { channel: 'x' }), 'not-for-session', name);
    t.equal(approvals.pending.length, 1, `${name} still waits`);
  }
});

test('a statement that was denied is refused without asking, for a while', async (t) => {
  const { clock, person, approvals, ask } = desk();
  const first = ask();
  person.answer({ decision: 'deny', reason: 'keep 2024' });
  await first;
  clock.advance(5000);
  const again = await ask({ sql: 'delete  FROM\n orders ;' });
  t.match(again, {
    decision: 'deny',
    by: { kind: 'earlier-denial' },
    reason: /denied the same one 5 s ago \(keep 2024\).*55 s more/,
  });
  t.equal(approvals.totals.repeated, 1);
  clock.advance(55_000);
  void ask();
  t.equal(approvals.pending.length, 1, 'then it is asked again');
});

test('silence and disconnects are not remembered as denials', async (t) => {
  const { clock, approvals, ask } = desk();
  const first = ask();
  clock.advance(60_000);
  await first;
  void ask();
  t.equal(approvals.pending.length, 1);
});

test('attack: a thousand asks make fifty prompts', async (t) => {
  const { approvals } = desk();
  const answers = Array.from({ length: 1000 }, (_, i) =>
    approvals.ask(request({ id: `${i}`, sql: `DELETE FROM t${i}` }), new AbortController().signal),
  );
  t.equal(approvals.pending.length, 50);
  t.match(await answers[999], { decision: 'deny', by: { kind: 'nobody' }, reason: /50 statements wait/ });
});

test('nobody there: denied at once, or kept until somebody comes', async (t) => {
  const empty = desk();
  empty.person.here = false;
  t.match(await empty.ask(), { decision: 'deny', by: { kind: 'nobody' }, reason: 'Run "dbguard approvals".' });
  t.match(empty.approvals.totals, { asked: 0, denied: 0, unanswered: 1 });
  const patient = desk({ unattended: 'wait' });
  patient.person.here = false;
  const answer = patient.ask();
  t.equal(patient.approvals.pending.length, 1);
  patient.approvals.settle('1-1', once, { channel: 'dbguard approvals' });
  t.match(await answer, { decision: 'allow' });
});

test('a place to answer may come later than the question', async (t) => {
  const clock = new HandClock();
  const approvals = createApprovals({ channels: [], clock, unattended: 'wait', howToApprove: '' });
  const answer = approvals.ask(request(), new AbortController().signal);
  const person = new HandChannel();
  approvals.attach(person);
  t.equal(person.shown?.request.id, '1-1');
  person.answer(once);
  t.match(await answer, { decision: 'allow', by: { channel: 'terminal' } });
});

test('a prompt that cannot be drawn denies', async (t) => {
  const clock = new HandClock();
  const approvals = createApprovals({
    channels: [{ name: 'terminal', attended: () => true, present: () => Promise.reject(new Error('no terminal')) }],
    clock,
    unattended: 'deny',
    howToApprove: '',
  });
  t.match(await approvals.ask(request(), new AbortController().signal), { decision: 'deny', by: { kind: 'nobody' } });
});

test('whoever ends the session is not asked about what still comes', async (t) => {
  const { person, approvals, ask } = desk();
  const first = ask();
  const second = ask({ id: '1-2', sql: 'DELETE FROM customers' });
  person.answer({ decision: 'abort' });
  const ended = { decision: 'abort', by: { kind: 'person', channel: 'terminal' } };
  t.match(await first, ended);
  t.match(await second, ended);
  t.match(await ask({ id: '1-3' }), ended);
  t.equal(approvals.pending.length, 0);
});

test('silence does not deny whoever is at work on it, within bounds', async (t) => {
  const { clock, approvals, ask } = desk();
  const asked = ask();
  const shown = approvals.pending[0]?.request ?? request();
  const end = shown.expiresAt;
  clock.advance(10_000);
  approvals.busy(shown.id);
  t.equal(approvals.pending[0]?.expiresAt, end, 'there is time enough');
  let answer: unknown;
  void asked.then((one) => {
    answer = one;
  });
  for (let second = 10; second < 100; second++) {
    approvals.busy(shown.id);
    clock.advance(1000);
  }
  await later();
  t.equal(answer, undefined, 'still there after 100 s of work');
  for (let second = 0; second < 400 && answer === undefined; second++) {
    approvals.busy(shown.id);
    clock.advance(1000);
    await later();
  }
  t.match(answer, { decision: 'deny', by: { kind: 'timeout' } });
  t.ok(clock.now() <= end + 180_000 + 1000, 'three times the time again, and no more');
});

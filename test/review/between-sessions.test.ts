/** What the sessions of one person say of each other: laws over chains of sessions, and each fault by itself. */
import fc from 'fast-check';
import { test } from 'tap';
import { compareSessions, hasExpired, type Trace } from '../../src/review/between-sessions.js';
import { sessionIdsAt } from '../../src/transcript/object-key.js';

const MINUTE = 60_000;
const DAY = 86_400_000;
const began = Date.UTC(2026, 10, 23, 12);
const now = { now: began + DAY };

function sidAt(at: number, end: string): string {
  return `${sessionIdsAt(at).slice(0, 10)}${end.padStart(16, '0')}`;
}

/** Sessions of one machine, an hour apart, each naming the one before it. */
function chain(length: number, changes: Partial<Trace> = {}): Trace[] {
  const traces: Trace[] = [];
  for (let n = 0; n < length; n++) {
    const before = traces.at(-1);
    const at = began + n * 60 * MINUTE;
    traces.push({
      ...{
        sid: sidAt(at, String(n)),
        size: 10 + n,
        head: `head ${n}`,
        openedAt: at,
        lastEntryAt: at + MINUTE,
        proven: true,
      },
      ...(before ? { previous: { sid: before.sid, size: before.size, head: before.head } } : {}),
      ...changes,
    });
  }
  return traces;
}

function changed(traces: readonly Trace[], at: number, changes: Partial<Trace>): Trace[] {
  return traces.map((trace, n) => (n === at ? { ...trace, ...changes } : trace));
}

const codes = (traces: readonly Trace[], how = now) =>
  compareSessions(traces, how).map(({ code, severity }) => `${severity} ${code}`);

test('sessions of which each has followed the other say nothing against each other, in whatever order', async (t) => {
  const property = fc.property(
    fc.integer({ min: 0, max: 12 }).chain((n) => fc.shuffledSubarray(chain(n), { minLength: n })),
    (traces) => {
      t.same(codes(traces), []);
    },
  );
  fc.assert(property, { numRuns: 60 });
});

test('whichever one but the last is taken away, its successor misses it', async (t) => {
  const property = fc.property(fc.integer({ min: 2, max: 10 }), fc.nat(), (length, pick) => {
    const traces = chain(length);
    const gone = pick % (length - 1);
    const found = compareSessions(
      traces.filter((_, n) => n !== gone),
      now,
    );
    t.match(found, [
      { severity: 'failure', code: 'session-missing', message: new RegExp(`${traces[gone]?.sid} is missing`) },
    ]);
    t.equal(found.length, 1);
  });
  fc.assert(property, { numRuns: 40 });
});

test('each fault of one that has a successor', async (t) => {
  const three = chain(3);
  const [first] = three as [Trace, ...Trace[]];
  const faults: Readonly<Record<string, readonly [string, readonly Trace[]]>> = {
    'its end was cut off': ['failure session-truncated', changed(three, 0, { size: 9 })],
    'it was continued': ['failure session-replaced', changed(three, 0, { size: 11 })],
    'it was written anew': ['failure session-replaced', changed(three, 0, { head: 'another' })],
    'its successor is older': ['failure session-order', changed(three, 1, { openedAt: began - 6 * MINUTE })],
    'its successor knew its end too early': [
      'failure session-order',
      changed(three, 0, { lastEntryAt: began + 66 * MINUTE }),
    ],
    'what nobody has proven': [
      'warning session-truncated',
      changed(changed(three, 0, { size: 9 }), 1, { proven: false }),
    ],
  };
  for (const [name, [code, traces]] of Object.entries(faults)) t.same(codes(traces), [code], name);
  // clocks are set back by minutes
  t.same(codes(changed(three, 1, { openedAt: began - 4 * MINUTE })), []);
  // one that still ran when its successor began has no end to be held to
  const { sid } = first;
  t.same(codes(changed(changed(three, 0, { size: 400, head: 'later' }), 1, { previous: { sid } })), []);
  const expired = compareSessions(three.slice(1), { now: began + 40 * DAY, retentionDays: 30 });
  t.match(expired, [{ severity: 'note', code: 'session-expired' }]);
  t.notOk(hasExpired(sid, { now: began + 40 * DAY }), 'nothing expires where nothing is let go');
});

test('two that claim the place after one', async (t) => {
  const [first, second] = chain(2) as [Trace, Trace];
  const copy = { ...second, sid: sidAt(began + 61 * MINUTE, 'c') };
  t.same(codes([first, second, copy]), ['failure session-forked']);
  t.same(codes([first, second, { ...copy, proven: false }]), ['warning session-forked'], 'anybody can say so');
});

test('an approval is used by one session, whoever they are', async (t) => {
  const used = (...ids: string[]): Partial<Trace> => ({ approvalsUsed: ids });
  const property = fc.property(
    fc.array(fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 }), { minLength: 1, maxLength: 6 }),
    (uses) => {
      let traces = chain(uses.length);
      for (const [n, ids] of uses.entries()) traces = changed(traces, n, used(...ids));
      const twice = new Set(uses.flat().filter((id) => uses.filter((ids) => ids.includes(id)).length > 1));
      const found = compareSessions(traces, now);
      t.equal(found.length, twice.size);
      for (const id of twice)
        t.ok(found.some(({ code, message }) => code === 'approval-reused' && message.includes(`request ${id},`)));
    },
  );
  fc.assert(property, { numRuns: 60 });
  const both = chain(2, used('a'));
  t.same(codes(changed(both, 1, { ...used('a'), proven: false })), ['warning approval-reused']);
  const message = compareSessions(both, now)[0]?.message ?? '';
  for (const { sid } of both) t.ok(message.includes(sid));
});

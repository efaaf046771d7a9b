/** A bucket in which thousands of sessions have the same fault: the first are shown, the rest are counted, none is lost. */
import fc from 'fast-check';
import { test } from 'tap';
import { Alike } from '../../src/cli/transcripts/alike.js';
import type { SessionReport, Verdict } from '../../src/review/session-report.js';
import { speaksAgainst } from '../../src/review/speaks-against.js';
import type { FindingCode, Severity } from '../../src/transcript/finding.js';

function report(sid: string, verdict: Verdict, severity: Severity, codes: readonly FindingCode[]): SessionReport {
  const figures = {
    entries: 1,
    statements: 0,
    asked: 0,
    denied: 0,
    signatures: 1,
    redacted: 0,
    size: 1,
    signedSize: 1,
  };
  const times = { openedAt: 0, lastEntryAt: 0 };
  const findings = codes.map((code) => ({ severity, code, message: `of ${sid}` }));
  return { ...figures, ...times, sid, verdict, state: 'complete', sealedUnsigned: false, head: '', findings };
}

test('twenty thousand of one kind are twenty, and one count', (t) => {
  const alike = new Alike();
  const shown = Array.from({ length: 20_000 }, (_, n) =>
    alike.shows(report(`s${n}`, 'invalid', 'failure', ['chain-broken', 'entry-missing', 'chain-broken'])),
  );
  t.equal(shown.filter(Boolean).length, 20);
  t.ok(shown.slice(0, 20).every(Boolean), 'the first of them');
  const codes = ['chain-broken', 'entry-missing'];
  t.strictSame(alike.rests, [{ codes, verdict: 'invalid', first: 's20', count: 19_980 }]);
  t.end();
});

test('a new kind is shown behind a flood of another', (t) => {
  const alike = new Alike();
  for (let n = 0; n < 1000; n++) alike.shows(report(`s${n}`, 'unproven', 'warning', ['not-final']));
  t.ok(alike.shows(report('forged', 'invalid', 'failure', ['identity-invalid'])));
  t.ok(alike.shows(report('noted', 'proven', 'note', ['foreign-object'])));
  t.end();
});

test('notes make no kind of their own: whoever can put objects there chooses them', (t) => {
  const alike = new Alike();
  for (let n = 0; n < 40; n++)
    alike.shows(report(`s${n}`, 'proven', 'note', n % 2 ? ['foreign-object'] : ['late-upload']));
  t.match(alike.rests, [{ count: 20, codes: [] }]);
  t.end();
});

const codes = Object.keys(speaksAgainst) as FindingCode[];

test('property: whatever comes, every session is shown or counted, and a screenful is the most', (t) => {
  const one = fc.record({
    verdict: fc.constantFrom<Verdict>('proven', 'unproven', 'invalid'),
    severity: fc.constantFrom<Severity>('failure', 'warning', 'note'),
    codes: fc.subarray(codes, { maxLength: 4 }),
    times: fc.integer({ min: 1, max: 60 }),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 40 }), (kinds) => {
      const alike = new Alike();
      const sids = kinds.flatMap((kind, n) =>
        Array.from({ length: kind.times }, (_, at) => ({ ...kind, sid: `${n}.${at}` })),
      );
      const shown = sids.filter((one) => alike.shows(report(one.sid, one.verdict, one.severity, one.codes)));
      const counted = alike.rests.reduce((sum, { count }) => sum + count, 0);
      return shown.length + counted === sids.length && shown.length <= 300;
    }),
  );
  t.end();
});

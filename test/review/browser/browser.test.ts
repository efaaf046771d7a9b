/** Whatever keys come in whatever order, and whatever the bucket brings between them: the reader is somewhere, on something. */
import fc from 'fast-check';
import t from 'tap';
import { drawn } from '../../../src/cli/review/screens.js';
import { type BrowserEvent, browserEvent } from '../../../src/review/browser/browser-events.js';
import {
  type BrowserState,
  listHeight,
  sessionHeight,
  startBrowser,
  type Verified,
  type Want,
} from '../../../src/review/browser/browser-state.js';
import { type ListedSession, nameOf } from '../../../src/review/browser/listed-session.js';
import type { ReadItem } from '../../../src/review/read-item.js';
import type { RecordedAnswer } from '../../../src/review/recorded-answer.js';
import { type Row, Rows } from '../../../src/review/statement-rows.js';
import type { Mood } from '../../../src/review/timeline.js';

const ids = Array.from({ length: 12 }, (_, n) => `01kar6${String(n).padStart(20, '0')}`);

const session = fc.record({
  sid: fc.constantFrom(...ids),
  subject: fc.constantFrom('a'.repeat(32), 'b'.repeat(32)),
  startedAt: fc.integer({ min: -1, max: 9e15 }),
  final: fc.boolean(),
  denied: fc.option(fc.nat(3), { nil: undefined }),
  person: fc.option(fc.string(), { nil: undefined }),
  agent: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
  segments: fc.constantFrom('x', 'y'),
  listing: fc.constantFrom('x', 'y'),
  redactions: fc.nat(1),
  strangers: fc.nat(1),
  since: fc.option(fc.constantFrom('gone', 'changed'), { nil: undefined }),
}) as fc.Arbitrary<ListedSession>;

const item = fc
  .record({
    kind: fc.constantFrom('statement', 'verdict', 'outcome', 'connection', 'recording'),
    decision: fc.constantFrom('allow', 'ask', 'deny'),
    mood: fc.constantFrom<Mood>('plain', 'good', 'bad', 'waiting', 'quiet'),
    text: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
    of: fc.option(fc.nat(6), { nil: undefined }),
    facts: fc.constantFrom(
      undefined,
      7,
      { unparseable: 'syntax' },
      [{ command: 'DELETE', effects: [{ kind: 'delete', targets: ['orders'], bounded: false }] }],
      [{ effects: [null, { kind: 3, targets: 4 }] }],
    ),
  })
  .map(({ kind, decision, mood, text, of, facts }) => (n: number): ReadItem => {
    const said = { ...(text === undefined ? {} : { text }), ...(of === undefined ? {} : { of }) };
    return {
      session: 0,
      item: { n, at: n * 1000, kind, title: `${kind} ${n}`, mood, ...said },
      fields: { decision },
      disclosed: {},
      facts,
    };
  });

const rows = fc.array(item, { maxLength: 60 }).map((items) => {
  const made = new Rows();
  for (const [n, one] of items.entries()) made.add(one(n));
  return made.all;
});

const verified = fc.record({
  verdict: fc.constantFrom('proven', 'unproven', 'invalid'),
  listing: fc.constantFrom('x', 'y'),
}) as fc.Arbitrary<Pick<Verified, 'verdict' | 'listing'>>;

const recorded = fc.constantFrom<RecordedAnswer>(
  { answer: undefined, missing: undefined, changed: false },
  { answer: undefined, missing: 'it is encrypted', changed: false },
  { answer: { of: 1, results: [], messages: [], cut: 'rows' }, missing: 'why', changed: true },
);

const name = session.map(nameOf);
const keys =
  'up down pageup pagedown home end enter escape left right backspace ctrl-u j k g G q f F e E d D i v V R p r x n y / ?';
const event: fc.Arbitrary<BrowserEvent> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom(...keys.split(' '), ' ', 'tab', 'é').map((key) => ({ kind: 'key' as const, key })),
  },
  fc.record({
    kind: fc.constant('size' as const),
    columns: fc.integer({ min: 1, max: 200 }),
    rows: fc.integer({ min: 1, max: 60 }),
  }),
  fc.record({ kind: fc.constant('sessions' as const), sessions: fc.array(session, { maxLength: 12 }) }),
  fc.record({
    kind: fc.constant('rows' as const),
    ...{ name, rows, done: fc.boolean() },
    recording: fc.constantFrom(undefined, { stream: 'results' as const, chunks: [], end: undefined }),
  }),
  fc.record({
    kind: fc.constant('answer' as const),
    row: rows.filter(({ length }) => length > 0).map(([first]) => first as Row),
    recorded,
  }),
  fc.record({ kind: fc.constant('open' as const), name }),
  fc.record({
    kind: fc.constant('verified' as const),
    name,
    verified: verified.map((one) => ({
      ...one,
      words: '',
      lines: [],
      findings: [],
      statements: 1,
      asked: 0,
      denied: 0,
    })),
  }),
  fc.record({ kind: fc.constant('notice' as const), notice: fc.constant({ text: 'said', tone: 'plain' as const }) }),
  fc.record({ kind: fc.constant('listing' as const), going: fc.boolean() }),
);

/** Rows of the open session come for the one that is open. */
function meant(state: BrowserState, one: BrowserEvent): BrowserEvent {
  if (one.kind === 'answer') return { ...one, row: state.statement?.row ?? one.row };
  return one.kind === 'rows' && state.session ? { ...one, name: state.session.name } : one;
}

t.test('no sequence of keys and events throws, or leaves the lists', async () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      let state = startBrowser({ columns: 80, rows: 24 });
      for (const one of events) {
        const step = browserEvent(state, meant(state, one));
        state = step.state;
        isSound(state);
        isMeant(state, step.want);
        const { props, lines } = drawn(state, 'file:/b', true);
        if (props.body.kind !== 'text' && props.body.selected >= rowsOf(props.body)) {
          if (rowsOf(props.body) > 0) throw new Error('what is chosen is not in sight');
        }
        if (lines !== undefined) state = browserEvent(state, { kind: 'laid-out', lines }).state;
      }
    }),
    { numRuns: 100 },
  );
});

function rowsOf(
  body: { kind: 'list'; items: readonly unknown[] } | { kind: 'timeline'; rows: readonly unknown[] },
): number {
  return body.kind === 'list' ? body.items.length : body.rows.length;
}

function isSound(state: BrowserState): void {
  isWithin(state.pane, state.shown.length, listHeight(state));
  const { session, statement, help } = state;
  if (session) isWithin(session.pane, session.shown.length, sessionHeight(state));
  if (statement && !session) throw new Error('a statement of no session');
  if (statement && statement.top < 0) throw new Error('above its first line');
  if (help !== undefined && help < 0) throw new Error('above its first line');
}

function isWithin({ selected, top }: { selected: number; top: number }, count: number, height: number): void {
  const isChosen = count === 0 ? selected === 0 : selected >= 0 && selected < count;
  if (!isChosen) throw new Error(`${selected} of ${count}`);
  if (top < 0 || selected < top || selected >= top + height)
    throw new Error(`${selected} is not in ${top} + ${height}`);
}

/** What is gone can be looked at in no way, and nothing is redacted without a reason. */
function isMeant({ sessions }: BrowserState, want: Want | undefined): void {
  if (want === undefined || !('name' in want)) return;
  if (want.kind !== 'redact' && sessions.get(want.name)?.since === 'gone') throw new Error('it is gone');
  if (want.kind === 'redact' && want.reason.trim() === '') throw new Error('no reason');
}

const press = (state: BrowserState, keys: readonly string[]): BrowserState & { want?: Want } =>
  keys.reduce<BrowserState & { want?: Want }>((before, key) => {
    const { state: after, want } = browserEvent(before, { kind: 'key', key });
    return { ...after, ...(want && { want }) };
  }, state);

const one = (n: number, more: Partial<ListedSession> = {}): ListedSession => ({
  ...{ sid: ids[n] ?? '', subject: 'a'.repeat(32), startedAt: n, final: true, person: `dev-${n}@example.com` },
  ...{ denied: 0, asked: 0, segments: 'x', listing: 'x', redactions: 0, strangers: 0 },
  ...more,
});

t.test('a redaction asks why, and once more', async (t) => {
  const made = new Rows();
  made.add({
    ...{ session: 0, fields: { decision: 'allow' }, disclosed: {}, facts: [] },
    item: { n: 4, at: 0, kind: 'statement', title: 'SELECT', text: 'SELECT 1', mood: 'plain' },
  });
  const listed = browserEvent(startBrowser({ columns: 80, rows: 24 }), { kind: 'sessions', sessions: [one(1)] }).state;
  const open = browserEvent(press(listed, ['enter']), {
    ...{ kind: 'rows', name: nameOf(one(1)), rows: made.all, done: true },
  }).state;
  t.match(press(open, ['x', 'p', 'i', 'i', 'enter', 'y']).want, { kind: 'redact', n: 4, reason: 'pii' });
  for (const keys of [
    ['x', 'enter'],
    ['x', ' ', 'enter', 'y'],
    ['x', 'p', 'escape', 'y'],
    ['x', 'p', 'enter', 'n', 'y'],
    ['x', 'p', 'enter', 'enter'],
  ])
    t.not(press(open, keys).want?.kind, 'redact', keys.join(' '));
});

t.test('sessions are searched and filtered; the newest stands first', async (t) => {
  const sessions = [one(1), one(3, { denied: 2, agent: 'claude' }), one(2, { final: false })];
  const state = browserEvent(startBrowser({ columns: 80, rows: 24 }), { kind: 'sessions', sessions }).state;
  const people = ({ shown }: BrowserState) => shown.map(({ person }) => person?.slice(0, 5));
  t.strictSame(people(state), ['dev-3', 'dev-2', 'dev-1']);
  t.strictSame(people(press(state, ['/', ...'CLAUDE', 'enter'])), ['dev-3']);
  t.strictSame(people(press(state, ['/', ...'dev-1', 'enter'])), ['dev-1']);
  t.strictSame(people(press(state, ['/', ...'dev-1', 'escape'])), ['dev-3', 'dev-2', 'dev-1']);
  t.strictSame(people(press(state, ['f'])), ['dev-3'], 'denied');
  t.strictSame(people(press(state, ['f', 'f', 'f'])), ['dev-2'], 'not sealed');
  t.strictSame(people(press(state, ['F'])), ['dev-3', 'dev-2', 'dev-1'], 'not proven');
});

t.test('a verdict counts for the objects that it was given for', async (t) => {
  const start = startBrowser({ columns: 80, rows: 24 });
  const listed = browserEvent(start, { kind: 'sessions', sessions: [one(1)] }).state;
  const proven: Verified = {
    verdict: 'proven',
    words: 'PROVEN',
    lines: [],
    findings: [],
    statements: 0,
    asked: 0,
    denied: 0,
    listing: 'x',
  };
  const after = browserEvent(listed, { kind: 'verified', name: nameOf(one(1)), verified: proven }).state;
  const mark = (state: BrowserState) => {
    const { body } = drawn(state, 'file:/b', true).props;
    return body.kind === 'list' ? body.items[0]?.mark.text : undefined;
  };
  t.equal(mark(listed), '·');
  t.equal(mark(after), '✓');
  t.equal(mark(browserEvent(after, { kind: 'sessions', sessions: [one(1, { listing: 'y' })] }).state), '·');
});

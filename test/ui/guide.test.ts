/** The guide: what was typed stays, what is shown fits, and no answer is taken that was not tried. */
import fc from 'fast-check';
import t from 'tap';
import { textWidth } from '../../src/ui/character-width.js';
import { guideKeys, guideRows } from '../../src/ui/guide/guide-rows.js';
import {
  answersOf,
  entryOf,
  type GuideEvent,
  type GuideState,
  guideEvent,
  type Question,
  questionUp,
  startGuide,
} from '../../src/ui/guide/guide-state.js';

const questions: readonly Question[] = [
  {
    id: 'one',
    title: 'One',
    about: 'A word. '.repeat(20),
    kind: 'text',
    choices: [{ value: 'found', text: 'found here' }],
  },
  { id: 'two', title: 'Two', about: 'A secret.', kind: 'secret' },
  {
    id: 'three',
    title: 'Three',
    about: '',
    kind: 'choice',
    choices: ['a', 'b', 'c'].map((value) => ({ value, text: `take ${value}` })),
  },
];
const start = startGuide({ columns: 80, rows: 24 }, questions);
const press = (state: GuideState, ...keys: string[]): GuideState =>
  keys.reduce((before, key) => guideEvent(before, { kind: 'key', key }).state, state);
const taken = (state: GuideState, lines: readonly { state: 'ok' | 'failure'; text: string }[] = [], refused = false) =>
  guideEvent(state, { kind: 'tried', lines, refused }).state;

t.test('Enter tries, what is said of it is looked at, Enter goes on', async (t) => {
  const typed = press(start, ...'abc');
  const { state, want } = guideEvent(typed, { kind: 'key', key: 'enter' });
  t.strictSame(want, { kind: 'try', id: 'one', value: 'abc' });
  const shown = taken(state, [{ state: 'failure', text: 'nothing there' }]);
  t.equal(questionUp(shown).id, 'one');
  t.strictSame(guideKeys(shown)[0], ['enter', 'keep it anyway']);
  t.equal(questionUp(press(shown, 'enter')).id, 'two');
  t.equal(
    guideEvent(press(shown, 'x'), { kind: 'key', key: 'enter' }).want?.kind,
    'try',
    'another answer is tried anew',
  );
  t.equal(questionUp(taken(state)).id, 'two', 'nothing to look at');
});

t.test('what is refused is no answer', async (t) => {
  const refused = taken(press(start, 'x', 'enter'), [], true);
  t.equal(questionUp(refused).id, 'one');
  t.strictSame(answersOf(refused), {});
  t.equal(guideEvent(refused, { kind: 'key', key: 'enter' }).want?.kind, 'try');
});

t.test('a trial is ended by Escape, and whatever it tells later is nobody’s', async (t) => {
  const { state, want } = guideEvent(press(start, 'x', 'enter'), { kind: 'key', key: 'escape' });
  t.strictSame(want, { kind: 'stop' });
  t.equal(guideEvent(state, { kind: 'told', line: { state: 'ok', text: 'late' } }).state, state);
  t.match(press(start, 'enter', 'ctrl-c'), { over: 'left' });
});

t.test('a question that goes and comes again has kept what was typed', async (t) => {
  const [one, two, three] = questions as [Question, Question, Question];
  let state = taken(press(taken(press(start, 'x', 'enter')), 'y', 'enter'));
  state = guideEvent(state, { kind: 'questions', questions: [one, three] }).state;
  t.equal(questionUp(state).id, 'three');
  state = guideEvent(press(state, 'escape'), { kind: 'questions', questions: [one, two, three] }).state;
  t.equal(questionUp(state).id, 'one');
  t.equal(entryOf(press(state, 'enter'), two).text, 'y');
});

const word = fc.string({
  unit: fc.constantFrom('a', 'Z', '/', ' ', '字', 'é', '\u001b', '\u202e', '👍'),
  maxLength: 120,
});
const key = fc.oneof(
  word.map((text) => [...text][0] ?? 'q'),
  fc.constantFrom('up', 'down', 'left', 'right', 'home', 'end', 'enter', 'escape', 'backspace', 'ctrl-u', 'pageup'),
);
const line = fc.record({ state: fc.constantFrom('ok', 'warning', 'failure', 'note'), text: word, fix: word });
const event: fc.Arbitrary<GuideEvent> = fc.oneof(
  { weight: 6, arbitrary: key.map((one) => ({ kind: 'key' as const, key: one })) },
  fc.record({ kind: fc.constant('tried' as const), lines: fc.array(line, { maxLength: 6 }), refused: fc.boolean() }),
  line.map((one) => ({ kind: 'told' as const, line: one })),
  fc.record({
    kind: fc.constant('questions' as const),
    questions: fc.shuffledSubarray([...questions], { minLength: 1 }),
  }),
);

t.test(
  'whatever happens, it fits, nothing acts, no secret is shown, and only what was tried is an answer',
  async () => {
    const acts = /[\p{Cc}\p{Bidi_Control}]/u;
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 40 }),
        fc.integer({ min: 20, max: 200 }),
        fc.integer({ min: 3, max: 60 }),
        (events, columns, height) => {
          let state = start;
          const tried = new Set<string>();
          for (const one of events) {
            if (state.over !== undefined) break;
            // a trial tells only while it goes on
            if (one.kind === 'tried' && state.trying === undefined) continue;
            const next = guideEvent(state, one);
            if (next.want?.kind === 'try') tried.add(`${next.want.id} ${next.want.value}`);
            state = next.state;
          }
          for (const [id, value] of Object.entries(answersOf(state))) if (!tried.has(`${id} ${value}`)) return false;
          const rows = guideRows(state, columns, height).map((row) => row.map(({ text }) => text).join(''));
          const secret = state.entries.two?.text.trim() ?? '';
          return (
            rows.length <= height &&
            rows.every((row) => textWidth(row) <= columns && !acts.test(row)) &&
            (secret.length < 12 || !rows.join('').includes(secret))
          );
        },
      ),
    );
  },
);

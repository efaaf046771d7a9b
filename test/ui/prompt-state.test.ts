import { test } from 'tap';
import type { Verdict } from '../../src/approval/approvals.js';
import type { KeyEvent } from '../../src/ui/keys.js';
import { KeyDecoder } from '../../src/ui/keys.js';
import {
  aloneMs,
  isSettled,
  type PromptState,
  promptEvent,
  promptStart,
  promptTick,
  quietMs,
  reasonVerdict,
  resized,
  seen,
  stalled,
  type View,
} from '../../src/ui/prompt-state.js';

const allSeen: View = { rows: 5, essential: 5, windowRows: 10, sessionAllowed: true, dryRunOffered: true };

/** Plays input at given milliseconds after the prompt came up; the verdict, if there was one. */
function play(script: readonly (readonly [number, string])[], view = allSeen, untilMs = 10_000) {
  let state: PromptState = seen(promptStart(0), view);
  const keys = new KeyDecoder();
  let verdict: Verdict | undefined;
  for (let now = 0; now <= untilMs && !verdict; now += 10) {
    for (const [at, input] of script) {
      if (at !== now) continue;
      for (const event of keys.push(Buffer.from(input))) {
        verdict ??= reasonVerdict(state, event);
        state = promptEvent(state, event, now, view);
      }
    }
    const next = promptTick(state, now, view);
    state = next.state;
    verdict ??= next.verdict;
  }
  return { verdict, state };
}

const once = { decision: 'allow', scope: 'once' } as const;

test('one key, alone, answers', (t) => {
  t.strictSame(play([[500, 'a']]).verdict, once);
  t.strictSame(play([[500, 's']]).verdict, { decision: 'allow', scope: 'session' });
  t.strictSame(play([[500, 'd']]).verdict, { decision: 'deny' });
  t.strictSame(play([[500, '\x03']]).verdict, { decision: 'deny' }, 'Ctrl-C denies');
  t.strictSame(play([[500, '\x1b[97u']]).verdict, once, 'in kitty’s protocol');
  t.strictSame(
    play([
      [500, 'x'],
      [1500, 'x'],
    ]).verdict,
    { decision: 'abort' },
  );
  t.strictSame(
    play([
      [500, 'x'],
      [1500, 'a'],
    ]).verdict,
    once,
    'another key takes the question back',
  );
  t.end();
});

test('attack: what is typed for somebody else never answers', (t) => {
  const cases: Readonly<Record<string, readonly (readonly [number, string])[]>> = {
    'typed before the prompt settled': [[quietMs - 10, 'a']],
    'typed ahead, in one piece': [[500, 'a\r']],
    'a word': [
      [500, 'a'],
      [600, 'n'],
      [700, 'd'],
    ],
    'a word typed slowly': [
      [500, 'w'],
      [600, 'a'],
      [700, 's'],
    ],
    'a word that begins early': [
      [100, 'd'],
      [300, 'a'],
      [500, 't'],
      [700, 'a'],
    ],
    'a key held down': Array.from({ length: 50 }, (_, i) => [500 + i * 30, 'a'] as const),
    'a paste': [[500, '\x1b[200~a\x1b[201~']],
    'a paste in pieces': [
      [500, '\x1b[200~'],
      [1000, 'a'],
      [2000, '\x1b[201~'],
    ],
    Enter: [[500, '\r']],
    Space: [[500, ' ']],
    y: [[500, 'y']],
    Escape: [[500, '\x1b']],
    'Alt-a': [[500, '\x1ba']],
    'Ctrl-a': [[500, '\x01']],
    'a released key': [[500, '\x1b[97;1:3u']],
    'Ctrl-a in kitty’s protocol': [[500, '\x1b[97;5u']],
    'mouse, SGR': [[500, '\x1b[<0;97;97M\x1b[<0;97;97m']],
    'mouse, old': [[500, '\x1b[Maaa']],
    'a mouse report cut in two': [
      [500, '\x1b[<0;1'],
      [600, '2;3M'],
    ],
    focus: [[500, '\x1b[I\x1b[O']],
    'answers of the terminal': [[500, '\x1b[?62;22c\x1b[5;1R\x1bP>|a\x1b\\\x1b]11;rgb:aa/aa/aa\x07']],
    'a capital': [[500, 'A']],
    'a letter that only looks so': [[500, 'а']],
  };
  for (const [name, script] of Object.entries(cases)) t.equal(play(script).verdict, undefined, name);
  t.end();
});

test('typing starts the silence again; the mouse does not', (t) => {
  const typed = play([[300, 'q']], allSeen, 500).state;
  t.equal(isSettled(typed, 600), false);
  t.equal(isSettled(typed, 300 + quietMs), true);
  const moved = play([[300, '\x1b[<35;1;1M']], allSeen, 500).state;
  t.equal(isSettled(moved, quietMs), true);
  t.end();
});

test('a statement that was not seen to its end needs the key twice', (t) => {
  const long: View = { rows: 100, essential: 90, windowRows: 10, sessionAllowed: true, dryRunOffered: true };
  t.equal(play([[500, 'a']], long).verdict, undefined);
  t.equal(play([[500, 'a']], long).state.confirming, 'once');
  t.strictSame(
    play(
      [
        [500, 'a'],
        [1500, 'a'],
      ],
      long,
    ).verdict,
    once,
  );
  t.strictSame(
    play(
      [
        [500, '\x1b[F'],
        [800, 'a'],
      ],
      long,
    ).verdict,
    once,
    'seen after End',
  );
  t.strictSame(play([[500, 'd']], long).verdict, { decision: 'deny' }, 'deny needs nothing');
  t.end();
});

test('scrolling stays inside the document', (t) => {
  const view: View = { rows: 25, essential: 25, windowRows: 10, sessionAllowed: true, dryRunOffered: true };
  const at = (keys: string): number => play([[0, keys]], view, 0).state.scroll;
  t.equal(at('\x1b[A'), 0);
  t.equal(at('\x1b[B\x1b[B'), 2);
  t.equal(at('\x1b[6~'), 9);
  t.equal(at('\x1b[6~\x1b[6~\x1b[6~'), 15);
  t.equal(at('\x1b[F\x1b[H'), 0);
  t.equal(at('\x1bOB'), 1, 'application cursor keys');
  const bottom = play([[0, '\x1b[F']], view, 0).state;
  t.match(
    resized(bottom, view, { ...view, rows: 12, essential: 12 }),
    { scroll: 2, seenTo: 12 },
    'wider: less to scroll',
  );
  t.match(
    resized(bottom, view, { ...view, rows: 50, essential: 50 }),
    { scroll: 15, seenTo: 50 },
    'narrower, seen to its end before',
  );
  const top = play([[0, '\x1b[B']], view, 0).state;
  t.match(
    resized(top, view, { ...view, rows: 50, essential: 50 }),
    { scroll: 1, seenTo: 11 },
    'narrower, not seen to its end',
  );
  t.end();
});

test('a reason is typed and sent with Enter', (t) => {
  const reason = (text: string) =>
    play([
      [500, 'r'],
      [500 + aloneMs + 10, text],
    ]);
  t.strictSame(reason('use a WHERE\r').verdict, { decision: 'deny', reason: 'use a WHERE' });
  t.strictSame(reason('oops\x7f\x7f é\r').verdict, { decision: 'deny', reason: 'oo é' });
  t.strictSame(reason('\r').verdict, { decision: 'deny' });
  t.equal(reason('abc').verdict, undefined);
  t.match(reason('abc\x1b[27u').state, { mode: 'choosing', reason: '' });
  t.end();
});

test('what cannot be approved for the session cannot be chosen', (t) => {
  t.equal(play([[500, 's']], { ...allSeen, sessionAllowed: false }).verdict, undefined);
  t.end();
});

test('input is told apart the same way however it is cut', (t) => {
  const input = Buffer.from(
    'aé漢\x1b[A\x1bOB\x1b[<0;1;1M\x1b[200~x\x1b[201~\x1b[?1c\x1b]0;a\x1b\\\x1b[97;1:1u\x1b[Mabc\r',
  );
  const whole = new KeyDecoder().push(input);
  t.strictSame(
    whole.map((event) => (event.kind === 'key' ? event.key : event.kind)),
    ['a', 'é', '漢', 'up', 'down', 'noise', 'paste', 'report', 'report', 'a', 'noise', 'enter'],
  );
  for (let cut = 1; cut < input.length; cut++) {
    const keys = new KeyDecoder();
    const events: KeyEvent[] = [...keys.push(input.subarray(0, cut)), ...keys.push(input.subarray(cut))];
    t.strictSame(events, whole, `cut at ${cut}`);
  }
  t.end();
});

test('a lone Escape is a key after a while; an endless paste is dropped', (t) => {
  const keys = new KeyDecoder();
  t.strictSame(keys.push(Buffer.from('\x1b')), []);
  t.equal(keys.waiting, true);
  t.strictSame(keys.flush(), [{ kind: 'key', key: 'escape' }]);
  keys.push(Buffer.from('\x1b[200~'));
  t.strictSame(keys.flush(), [], 'a paste may take long');
  t.strictSame(keys.push(Buffer.alloc(2 * 1024 * 1024, 'a')), [{ kind: 'noise' }]);
  t.strictSame(
    keys.push(Buffer.from('\x1b[201~')).map(({ kind }) => kind),
    ['report'],
    'the end of a paste that began before belongs to the child',
  );
  t.end();
});

test('attack: keys that waited while dbguard stood still answer nothing', (t) => {
  const [key] = new KeyDecoder().push(Buffer.from('a'));
  if (!key) return t.fail('a key');
  const start = seen(promptStart(0), allSeen);
  const awake = stalled(start, 5000);
  t.equal(promptTick(promptEvent(awake, key, 5000, allSeen), 9000, allSeen).verdict, undefined, 'typed some time ago');
  const chosen = promptEvent(start, key, 500, allSeen);
  t.equal(promptTick(stalled(chosen, 5000), 5000, allSeen).verdict, undefined, 'what came after it is not read yet');
  t.strictSame(promptTick(promptEvent(awake, key, 5500, allSeen), 5800, allSeen).verdict, once);
  t.end();
});

/** A film and what the keys do with it. */
import t from 'tap';
import { makeFilm } from '../../../src/review/replay/film.js';
import { current, type Playback, press, startPlayback, tick } from '../../../src/review/replay/playback.js';
import type { TimelineItem } from '../../../src/review/timeline.js';

const item = (n: number, at: number, kind: string, more: Partial<TimelineItem> = {}): TimelineItem => ({
  ...{ n, at, kind, title: kind, mood: 'plain' },
  ...more,
});
const items = [
  item(0, 1000, 'open'),
  item(1, 1500, 'statement'),
  item(2, 1600, 'outcome', { of: 1 }),
  item(3, 61_600, 'statement'),
  item(4, 61_700, 'verdict', { of: 3, mood: 'bad' }),
  item(5, 61_800, 'heartbeat'),
];
const drawn = [
  [1_000_000, 's', '80x24'],
  [1_200_000, 'o', 'text'],
  [61_650_000, 'r', '9999x9999'],
  [1, 'o'],
  'no line',
];
const film = makeFilm(items, drawn, 2000);
const at = (state: Playback): number | undefined => {
  const frame = current(state);
  return frame?.kind === 'entry' ? frame.item.n : undefined;
};

t.test('in the order of their times, without the idle ones', async (t) => {
  t.same(
    film.frames.map(({ kind, playedAt }) => [kind, playedAt]),
    [
      ['entry', 0],
      ['size', 0],
      ['drawn', 200],
      ['entry', 500],
      ['entry', 600],
      ['entry', 2600],
      ['size', 2650],
      ['entry', 2700],
    ],
  );
  t.same(film.screen, { columns: 500, rows: 200 }, 'a screen of no machine is cut to one of some');
  t.equal(film.length, 2700);
});

t.test('keys', async (t) => {
  let state = startPlayback(film);
  state = tick(state, 550);
  t.equal(at(state), 1);
  state = press(state, ' ');
  t.equal(at(tick(state, 10_000)), 1, 'paused');
  state = press(state, 'd');
  t.equal(at(state), 4, 'the denial');
  state = press(state, 'p');
  t.equal(at(state), 3, 'the statement before');
  state = press(press(state, 'left'), 'left');
  t.equal(at(state), 1, 'and no further than the first');
  state = press(press(press(state, ' '), '+'), '+');
  t.equal(state.speed, 4);
  t.equal(tick(state, 500).position, 2500);
  t.equal(at(tick(state, 60_000)), 4, 'the end');
  t.equal(tick(state, 60_000).playing, false);
  t.equal(press(tick(state, 60_000), ' ').position, 0, 'and from the beginning again');
  t.equal(press(state, 'q').over, true);
});

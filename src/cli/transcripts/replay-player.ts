/** A film on the reader's terminal: frames, keys and the passing of time put together. */
import type { ShownAnswers } from '../../review/recorded-results.js';
import type { Frame } from '../../review/replay/film.js';
import { current, type Playback, press, startPlayback, tick } from '../../review/replay/playback.js';
import type { OuterTerminal } from '../../run/terminal-ports.js';
import { fitted } from '../../ui/character-width.js';
import { KeyDecoder } from '../../ui/keys.js';
import { EmulatedScreen } from '../../ui/replay/emulated-screen.js';
import { replayFrame, type TrackLine } from '../../ui/replay/replay-frame.js';
import { singleLine } from '../../untrusted-text.js';
import { answerWords, statementWords } from './answer-words.js';
import type { SessionFilm } from './session-film.js';

const tickMs = 40;
const escapeMs = 60;
const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J\x1b[H';
const leave = '\x1b[0m\x1b[2J\x1b[?7h\x1b[?1049l\x1b[?25h';
/** Lines of the track that a screen may show. */
const trackLength = 200;

/** Resolves when the reader leaves. @param head who and what, for the line of the player */
export async function play(session: SessionFilm, outer: OuterTerminal, head: string, colours: boolean): Promise<void> {
  const { film } = session;
  const screen = new EmulatedScreen(film.screen?.columns ?? 80, film.screen?.rows ?? 24);
  const keys = new KeyDecoder();
  let state = startPlayback(film);
  let drawn = 0;
  let painting = Promise.resolve();
  let last = '';

  const follow = async (): Promise<void> => {
    if (state.shown < drawn) {
      screen.reset(film.screen?.columns ?? 80, film.screen?.rows ?? 24);
      drawn = 0;
    }
    for (; drawn < state.shown; drawn++) {
      const frame = film.frames[drawn];
      if (frame?.kind === 'size') screen.resize(frame.columns, frame.rows);
      else if (frame?.kind === 'drawn') await screen.write(frame.text);
    }
  };
  const paint = async (): Promise<void> => {
    await follow();
    const frame = replayFrame(
      {
        picture: (columns, rows) =>
          film.screen === undefined ? pictureOf(state, session.answers, columns, rows) : screen.rows(columns, rows),
        pictureColumns: film.screen?.columns,
        track: trackOf(state),
        status: statusOf(state, head),
        progress: film.length === 0 ? 1 : state.position / film.length,
        colours,
      },
      outer.size,
    );
    if (frame !== last) outer.write(frame);
    last = frame;
  };
  const draw = (): void => {
    painting = painting.then(paint);
  };

  outer.onEmergency(() => leave);
  outer.write(enter);
  draw();
  await new Promise<void>((resolve) => {
    let before = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      state = tick(state, now - before);
      before = now;
      draw();
    }, tickMs);
    let escaping: NodeJS.Timeout | undefined;
    const apply = (events: ReturnType<KeyDecoder['push']>): void => {
      for (const event of events) if (event.kind === 'key') state = press(state, event.key);
      draw();
      if (!state.over) return;
      clearInterval(timer);
      clearTimeout(escaping);
      resolve();
    };
    outer.onInput((bytes) => {
      clearTimeout(escaping);
      apply(keys.push(bytes));
      if (keys.waiting) escaping = setTimeout(() => apply(keys.flush()), escapeMs);
    });
    outer.onResize(() => {
      last = '';
      draw();
    });
  });
  await painting;
  screen.dispose();
  outer.write(leave);
}

/** Of a session whose screen was not recorded: the statement at hand and what it brought back. */
function pictureOf(state: Playback, answers: ShownAnswers, columns: number, rows: number): string[] {
  const frame = current(state);
  const blank = Array.from({ length: rows }, () => ' '.repeat(columns));
  if (frame?.kind !== 'entry') return blank;
  const lines = wordsOf(state.film.frames.slice(0, state.shown), frame, answers);
  return blank.map((empty, at) => (lines[at] === undefined ? empty : fitted(lines[at], columns)));
}

function wordsOf(frames: readonly Frame[], { item }: Frame & { kind: 'entry' }, answers: ShownAnswers): string[] {
  const of = item.kind === 'statement' ? item.n : item.of;
  const statement = frames.findLast(
    (one) => one.kind === 'entry' && one.item.kind === 'statement' && one.item.n === of,
  );
  if (of === undefined || statement?.kind !== 'entry') return [singleLine(item.title)];
  const answer = answers.of(of);
  const settled = item.kind === 'outcome' ? ['', singleLine(item.title)] : [];
  return [
    ...statementWords(statement.item),
    ...(item.kind === 'outcome' && answer ? answerWords(answer) : []),
    ...settled,
  ];
}

function trackOf({ film, shown }: Playback): TrackLine[] {
  const entries = film.frames.slice(0, shown).flatMap((frame) => (frame.kind === 'entry' ? [frame.item] : []));
  return entries.slice(-trackLength).map(({ n, of, title, text, mood }, at, all) => {
    const sql = text === undefined ? '' : singleLine(text.replace(/\s+/g, ' '), 300);
    const words = of === undefined ? `#${n} ${sql || singleLine(title)}` : `  → ${singleLine(title)}`;
    return { text: words, mood, current: at === all.length - 1 };
  });
}

function statusOf({ film, position, playing, speed }: Playback, head: string): string {
  const time = `${clockText(position)}/${clockText(film.length)}`;
  const keys = 'space pause  ← → statement  d D denial  + - speed  q leave';
  return ` ${playing ? '▶' : '⏸'} ${time} ${speed}×  ${head}  ${keys}`;
}

function clockText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

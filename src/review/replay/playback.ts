/** Where a film stands and how it goes on: what each key does, and what time does. Pure: events in, state out. */
import { type Film, type Frame, isDenial, isStatement } from './film.js';

export interface Playback {
  readonly film: Film;
  /** Milliseconds from its beginning. */
  readonly position: number;
  /** Frames that have been shown. */
  readonly shown: number;
  readonly playing: boolean;
  readonly speed: number;
  /** The reader has left. */
  readonly over: boolean;
}

const speeds: readonly number[] = [0.25, 0.5, 1, 2, 4, 8, 16];

export function startPlayback(film: Film): Playback {
  return { film, position: 0, shown: upTo(film, 0), playing: true, speed: 1, over: false };
}

/** @param elapsedMs of the reader's time */
export function tick(state: Playback, elapsedMs: number): Playback {
  if (!state.playing) return state;
  const position = Math.min(state.film.length, state.position + elapsedMs * state.speed);
  const shown = Math.max(state.shown, upTo(state.film, position));
  return { ...state, position, shown, playing: position < state.film.length };
}

/** @param key as KeyDecoder names it */
export function press(state: Playback, key: string): Playback {
  switch (key) {
    case ' ':
      return state.position >= state.film.length && !state.playing
        ? { ...startPlayback(state.film), speed: state.speed }
        : { ...state, playing: !state.playing };
    case '+':
    case '=':
      return { ...state, speed: faster(state.speed, 1) };
    case '-':
      return { ...state, speed: faster(state.speed, -1) };
    case 'n':
    case 'right':
      return jump(state, 1, isStatement);
    case 'p':
    case 'left':
      return jump(state, -1, isStatement);
    case 'd':
      return jump(state, 1, isDenial);
    case 'D':
      return jump(state, -1, isDenial);
    case 'home':
    case '0':
      return { ...state, position: 0, shown: upTo(state.film, 0), playing: false };
    case 'end':
      return { ...state, position: state.film.length, shown: state.film.frames.length, playing: false };
    case 'q':
    case 'escape':
    case 'ctrl-c':
      return { ...state, over: true };
    default:
      return state;
  }
}

/** The statement, verdict or outcome that stands at the head of the track. */
export function current(state: Playback): Frame | undefined {
  return state.film.frames.slice(0, state.shown).findLast(({ kind }) => kind === 'entry');
}

/** To the next such frame behind, or before, the one at hand; there it waits. */
function jump(state: Playback, direction: 1 | -1, wanted: (frame: Frame) => boolean): Playback {
  const { frames } = state.film;
  const last = state.shown - 1;
  const found =
    direction === 1
      ? frames.findIndex((frame, at) => at > last && wanted(frame))
      : frames.findLastIndex((frame, at) => at < last && wanted(frame));
  const frame = frames[found];
  return frame === undefined ? state : { ...state, position: frame.playedAt, shown: found + 1, playing: false };
}

function upTo({ frames }: Film, position: number): number {
  const next = frames.findIndex(({ playedAt }) => playedAt > position);
  return next < 0 ? frames.length : next;
}

function faster(speed: number, by: 1 | -1): number {
  const at = speeds.indexOf(speed);
  return speeds[Math.min(speeds.length - 1, Math.max(0, at + by))] ?? 1;
}

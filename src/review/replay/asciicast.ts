/**
 * A film as asciicast v3 (docs.asciinema.org/manual/asciicast/v3): a header, then one event a line with the seconds since the
 * one before. Statements and verdicts are its markers. What a player writes to its terminal is contained.
 */
import { singleLine } from '../../untrusted-text.js';
import type { TimelineItem } from '../timeline.js';
import { ContainedOutput } from './contained-output.js';
import type { Film, Frame } from './film.js';

const markers: ReadonlySet<string> = new Set(['statement', 'verdict', 'approval']);
const ownScreen = { columns: 100, rows: 30 };
const markerLength = 120;
/** A player's terminal is its own again. */
const atEnd = '\x1b[0m\x1b[r\x1b[?1049l\x1b[?7h\x1b[?25h';

/** @param words of one frame, for a session whose screen was not recorded: lines of text */
export function* asciicast(film: Film, title: string, words: (frame: Frame) => readonly string[]): Generator<string> {
  const first = film.frames.find(({ kind }) => kind === 'size');
  const size = first?.kind === 'size' ? first : ownScreen;
  const header = {
    version: 3,
    term: { cols: size.columns, rows: size.rows, type: 'xterm-256color' },
    timestamp: Math.floor((film.frames[0]?.at ?? 0) / 1000),
    title: singleLine(title),
  };
  yield JSON.stringify(header);
  const output = new ContainedOutput();
  let before = 0;
  const event = (playedAt: number, code: string, data: string): string => {
    const interval = Math.max(0, Math.round(playedAt - before)) / 1000;
    before = Math.max(before, playedAt);
    return JSON.stringify([interval, code, data]);
  };
  for (const frame of film.frames) {
    if (frame.kind === 'drawn') yield event(frame.playedAt, 'o', output.push(frame.text));
    else if (frame.kind === 'size' && frame !== first)
      yield event(frame.playedAt, 'r', `${frame.columns}x${frame.rows}`);
    else if (frame.kind === 'entry') {
      if (markers.has(frame.item.kind)) yield event(frame.playedAt, 'm', markerOf(frame.item));
      if (film.screen === undefined)
        yield event(
          frame.playedAt,
          'o',
          words(frame)
            .map((line) => `${line}\r\n`)
            .join(''),
        );
    }
  }
  yield event(film.length, 'o', atEnd);
}

function markerOf({ kind, n, title, text }: TimelineItem): string {
  return singleLine(kind === 'statement' ? `#${n} ${text ?? title}` : title, markerLength);
}

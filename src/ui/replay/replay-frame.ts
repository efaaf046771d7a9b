/**
 * One frame of a replay as text for a terminal: the film, the track beside it or below it, and the line of the player.
 *
 * What lives here: where each part stands, from 80x24 up. What it must not know: sessions, recordings, keys.
 */
import type { TerminalSize } from '../../run/terminal-ports.js';
import { filled } from '../character-width.js';

export type TrackMood = 'plain' | 'good' | 'bad' | 'waiting' | 'quiet';

/** A line of the track; nothing in it acts on a terminal. */
export interface TrackLine {
  readonly text: string;
  readonly mood: TrackMood;
  /** It happens now. */
  readonly current: boolean;
}

export interface ReplayView {
  /** The recorded screen, or whatever stands in its place: rows of that size. */
  readonly picture: (columns: number, rows: number) => readonly string[];
  /** Columns that the picture would have; undefined where it takes what there is. */
  readonly pictureColumns: number | undefined;
  /** The newest last. */
  readonly track: readonly TrackLine[];
  readonly status: string;
  /** Between 0 and 1. */
  readonly progress: number;
  readonly colours: boolean;
}

const narrowestTrack = 36;
const lowestTrack = 6;
const moods: Readonly<Record<TrackMood, string>> = { plain: '', good: '32', bad: '31', waiting: '35', quiet: '2' };

export function replayFrame(view: ReplayView, { columns, rows }: TerminalSize): string {
  const lines = [
    ...body(view, columns, rows - 2),
    bar(view, columns),
    view.colours ? styled('7', filled(view.status, columns)) : filled(view.status, columns),
  ];
  return `\x1b[H${lines.map((line) => `${line}\x1b[0m\x1b[K`).join('\r\n')}\x1b[J`;
}

function body(view: ReplayView, columns: number, rows: number): string[] {
  const beside = columns - (view.pictureColumns ?? Math.ceil(columns / 2)) - 1;
  if (beside >= narrowestTrack) {
    const width = columns - beside - 1;
    const track = trackRows(view, beside, rows);
    return view.picture(width, rows).map((row, at) => `${row}│${track[at] ?? ''}`);
  }
  const below = Math.max(Math.min(lowestTrack, rows - 3), Math.floor(rows / 4));
  const rule = '─'.repeat(columns);
  return [...view.picture(columns, rows - below - 1), rule, ...trackRows(view, columns, below)];
}

/** The newest stands at the bottom. */
function trackRows({ track, colours }: ReplayView, width: number, rows: number): string[] {
  const shown = track.slice(-rows).map(({ text, mood, current }) => {
    const line = filled(`${current ? '▶ ' : '  '}${text}`, width);
    if (!colours) return line;
    return styled([current ? '1' : '', moods[mood]].filter((one) => one !== '').join(';'), line);
  });
  return [...shown, ...Array.from({ length: rows - shown.length }, () => ' '.repeat(width))];
}

function bar({ progress }: ReplayView, columns: number): string {
  const done = Math.round(Math.min(1, Math.max(0, progress)) * columns);
  return '━'.repeat(done) + '─'.repeat(columns - done);
}

function styled(codes: string, text: string): string {
  return codes === '' ? text : `\x1b[${codes}m${text}\x1b[0m`;
}

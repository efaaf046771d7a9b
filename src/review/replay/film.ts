/**
 * A session as a film: what the transcript says, and what was drawn, in the order of their times, with the idle time cut.
 *
 * What lives here: frames and their times. What it must not know: screens, keys, files.
 */
import type { TimelineItem } from '../timeline.js';

/** Something that happens at one moment. */
export type FrameKind =
  | { readonly kind: 'entry'; readonly item: TimelineItem }
  | { readonly kind: 'drawn'; readonly text: string }
  | { readonly kind: 'size'; readonly columns: number; readonly rows: number }
  | { readonly kind: 'typed' | 'question' | 'answered' };

export type Frame = FrameKind & {
  /** Milliseconds since 1970 UTC, by the writer's clock. */
  readonly at: number;
  /** Milliseconds from the beginning of the film. */
  readonly playedAt: number;
};

export interface Film {
  readonly frames: readonly Frame[];
  /** The largest screen that was recorded; undefined where none was. */
  readonly screen: { readonly columns: number; readonly rows: number } | undefined;
  /** Milliseconds. */
  readonly length: number;
}

/** Of interest to verification only. */
const unseen: ReadonlySet<string> = new Set(['heartbeat', 'seal', 'parse', 'recording']);
const mostColumns = 500;
const mostRows = 200;

/**
 * @param items of one session, in order
 * @param drawn lines of the stream `terminal`; those of another form say nothing
 * @param idleMs nothing takes longer than this in the film
 */
export function makeFilm(items: readonly TimelineItem[], drawn: readonly unknown[], idleMs: number): Film {
  const entries = items
    .filter(({ kind }) => !unseen.has(kind))
    .map((item): FrameKind & { at: number } => ({ kind: 'entry', item, at: item.at }));
  const all = merged(entries, drawn.flatMap(drawnFrame));
  const frames: Frame[] = [];
  let [playedAt, before] = [0, all[0]?.at ?? 0];
  for (const one of all) {
    playedAt += Math.min(idleMs, Math.max(0, one.at - before));
    before = Math.max(before, one.at);
    frames.push({ ...one, playedAt });
  }
  const sizes = all.flatMap((one) => (one.kind === 'size' ? [one] : []));
  const screen =
    sizes.length === 0
      ? undefined
      : { columns: Math.max(...sizes.map((one) => one.columns)), rows: Math.max(...sizes.map((one) => one.rows)) };
  return { frames, screen, length: playedAt };
}

/** Each in its own order, whatever its clock did. */
function merged<T extends { readonly at: number }>(one: readonly T[], other: readonly T[]): T[] {
  const all: T[] = [];
  let next = 0;
  for (const item of one) {
    for (let first = other[next]; first !== undefined && first.at < item.at; first = other[++next]) all.push(first);
    all.push(item);
  }
  return [...all, ...other.slice(next)];
}

function drawnFrame(line: unknown): (FrameKind & { at: number })[] {
  if (!Array.isArray(line)) return [];
  const [t, what, text] = line as readonly unknown[];
  if (typeof t !== 'number' || typeof text !== 'string') return [];
  const at = t / 1000;
  switch (what) {
    case 's':
    case 'r': {
      const [columns = 0, rows = 0] = text.split('x').map(Number);
      if (!(columns >= 1 && rows >= 1)) return [];
      return [{ kind: 'size', columns: Math.min(columns, mostColumns), rows: Math.min(rows, mostRows), at }];
    }
    case 'o':
      return [{ kind: 'drawn', text, at }];
    case 'i':
      return [{ kind: 'typed', at }];
    case 'q':
      return [{ kind: 'question', at }];
    case 'a':
      return [{ kind: 'answered', at }];
    default:
      return [];
  }
}

/** Where a reader may want to go. */
export function isStatement(frame: Frame): boolean {
  return frame.kind === 'entry' && frame.item.kind === 'statement';
}

export function isDenial(frame: Frame): boolean {
  return frame.kind === 'entry' && frame.item.kind === 'verdict' && frame.item.mood === 'bad';
}

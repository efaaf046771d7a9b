/**
 * One approval prompt on the terminal, from its first frame to the answer.
 *
 * What lives here: the clock ticks, keys and resizes of one prompt. What it must not know: queues, channels, who
 * gets the answer.
 */
import type { ApprovalsClock, PendingApproval, Verdict } from '../approval/approvals.js';
import type { Preview } from '../approval/preview.js';
import type { TerminalSize } from '../run/terminal-ports.js';
import type { ApprovalPromptProps } from './ApprovalPrompt.js';
import { asciiCells } from './ascii-cells.js';
import { textWidth } from './character-width.js';
import { documentRows, placeLine, type Row } from './document-rows.js';
import { inkPainter } from './ink-painter.js';
import { KeyDecoder, type KeyEvent } from './keys.js';
import {
  isSettled,
  type PromptState,
  promptEvent,
  promptStart,
  promptTick,
  reasonVerdict,
  resized,
  shownAnew,
  stalled,
  stallMs,
  type View,
} from './prompt-state.js';
import type { PromptSurface } from './takeover.js';

export interface ShownApproval {
  readonly preview: Preview;
  /** Undefined where a dry run cannot be asked for. */
  readonly dryRun: PendingApproval['dryRun'] | undefined;
}

export interface PromptScreenOptions {
  /** Asked anew for each frame: a dry run changes it. */
  readonly shown: () => ShownApproval;
  readonly tryOut: () => void;
  readonly sessionObstacle: string | undefined;
  /** It is somebody else's statement; `abort` leaves it to others. */
  readonly another?: boolean;
  /** Milliseconds since 1970 UTC; asked anew for each frame. */
  readonly expiresAt: () => number;
  /** The person is at work on it: types a reason, scrolls, reads a dry run. */
  readonly busy: () => void;
  readonly clock: ApprovalsClock;
  /** How many wait behind this one, asked anew for each frame. */
  readonly waiting: () => number;
  readonly colours: boolean;
  /** The frame around the document is drawn in ASCII; what it shows of a statement stays as it is. */
  readonly ascii: boolean;
  /** Words that the child does not know; see prompt-mark.ts. Empty where no child shares the terminal. */
  readonly mark: string;
  /** Settled elsewhere: the prompt goes away. */
  readonly gone: AbortSignal;
}

/** Headline, place, two rules, keys, status. */
const chromeRows = 6;
/** Headline, mark, keys, status: on a screen lower than this there is no more room beside the document. */
const lowScreen = 10;
const compactChromeRows = 4;
const tickMs = 50;
/** A lone Escape is told from the beginning of a sequence by nothing following. */
const escapeMs = 60;

/** The person's verdict. Rejects when the request was settled elsewhere, or nothing can be drawn. */
export async function runPrompt(
  surface: PromptSurface,
  tools: PromptTools,
  options: PromptScreenOptions,
): Promise<Verdict> {
  const { clock, gone } = options;
  const painter = createPainter(surface, tools, options);
  const keys = new KeyDecoder();
  let document: readonly Row[] = [];
  let shown = options.shown();
  let view: View = {
    rows: 0,
    essential: 0,
    windowRows: 1,
    sessionAllowed: options.sessionObstacle === undefined,
    dryRunOffered: shown.dryRun === 'none',
  };
  let state: PromptState = promptStart(clock.now());
  let stopAll = (): void => undefined;

  const draw = (): void => {
    const now = clock.now();
    painter.paint({
      preview: shown.preview,
      dryRun: shown.dryRun,
      state,
      settled: isSettled(state, now),
      secondsLeft: Math.max(0, Math.ceil((options.expiresAt() - now) / 1000)),
      waiting: options.waiting(),
      sessionObstacle: options.sessionObstacle,
      another: options.another === true,
      document,
      columns: surface.size.columns,
      windowRows: view.windowRows,
      compact: isLow(surface.size),
      colours: options.colours,
      mark: options.mark,
    });
  };
  const layOut = (size: TerminalSize): void => {
    const placeShown = !isLow(size) && textWidth(placeLine(shown.preview)) < size.columns;
    const laidOut = documentRows(
      shown.preview,
      size.columns - 2,
      placeShown,
      headlineFits(shown.preview, size.columns),
    );
    const before = view;
    document = laidOut.rows;
    // a short document has the keys right below it
    const windowRows = Math.max(
      1,
      Math.min(document.length, size.rows - (isLow(size) ? compactChromeRows : chromeRows)),
    );
    view = { ...view, rows: document.length, essential: laidOut.essential, windowRows };
    state = resized(state, before, view);
    draw();
  };

  /** A dry run has begun or ended. */
  const lookAgain = (): void => {
    const before = shown.preview;
    shown = options.shown();
    view = { ...view, dryRunOffered: shown.dryRun === 'none' };
    if (shown.dryRun === 'running') options.busy();
    if (shown.preview === before) return;
    options.busy();
    state = shownAnew(state, clock.now());
    layOut(surface.size);
  };

  try {
    return await new Promise<Verdict>((resolve, reject) => {
      let awakeAt = clock.now();
      const stayAwake = (): void => {
        const now = clock.now();
        if (now - awakeAt > stallMs) state = stalled(state, now);
        awakeAt = now;
      };
      const apply = (events: readonly KeyEvent[]): void => {
        stayAwake();
        for (const event of events) {
          if (event.kind === 'report') surface.toChild(event.bytes);
          const verdict = reasonVerdict(state, event);
          if (verdict) resolve(verdict);
          const before = state;
          state = promptEvent(state, event, clock.now(), view);
          if (state.mode === 'reason' || state.scroll !== before.scroll) options.busy();
        }
        draw();
      };
      const tick = (): void => {
        stayAwake();
        lookAgain();
        const next = promptTick(state, clock.now(), view);
        state = next.state;
        if (next.tryOut) options.tryOut();
        if (next.verdict) resolve(next.verdict);
        draw();
        stopTick = clock.after(tickMs, tick);
      };
      let stopTick = clock.after(tickMs, tick);
      let stopEscape = (): void => undefined;
      const leave = (): void => reject(new Error('settled elsewhere'));
      surface.onInput((bytes) => {
        stopEscape();
        apply(keys.push(bytes));
        if (keys.waiting) stopEscape = clock.after(escapeMs, () => apply(keys.flush()));
      });
      surface.onResize(layOut);
      if (gone.aborted) leave();
      gone.addEventListener('abort', leave, { once: true });
      stopAll = () => {
        stopTick();
        stopEscape();
        gone.removeEventListener('abort', leave);
      };
      layOut(surface.size);
    });
  } finally {
    stopAll();
    painter.close();
  }
}

/** In one row, beside the word PRODUCTION. */
function headlineFits({ headline, production }: Preview, columns: number): boolean {
  return textWidth(headline) + (production ? 13 : 2) <= columns;
}

function isLow({ rows }: TerminalSize): boolean {
  return rows < lowScreen;
}

interface Painter {
  paint(props: ApprovalPromptProps): void;
  close(): void;
}

export type PromptTools = typeof import('./prompt-tools.js');

/** Several hundred milliseconds, the first time: done before the prompt takes the screen. */
export async function loadPromptTools(): Promise<PromptTools> {
  // React's development build is several times slower; it reads this when it is imported. Ink then looks for React's
  // developer tools, in the project's folder too, and lets whoever listens at their port change what a prompt shows.
  process.env.NODE_ENV = 'production';
  delete process.env.DEV;
  return import('./prompt-tools.js');
}

function createPainter(
  surface: PromptSurface,
  tools: PromptTools,
  { mark, ascii }: Pick<PromptScreenOptions, 'mark' | 'ascii'>,
): Painter {
  const { render, createElement, ApprovalPrompt } = tools;
  let last = '';
  let document = { compact: false, windowRows: 0 };
  const painter = inkPainter(render, (frame) => {
    const { size } = surface;
    const text = onScreen(ascii ? asciiFrame(frame, mark, document) : frame, size.rows);
    if (text !== last) surface.write(text, onScreen(withoutMark(frame, mark, size), size.rows));
    last = text;
  });
  return {
    paint: (props) => {
      document = props;
      painter.paint(createElement(ApprovalPrompt, props), props.columns);
    },
    close: () => painter.close(),
  };
}

/** All but the rows of the document, and the mark, which is the person's. */
function asciiFrame(
  frame: string,
  mark: string,
  { compact, windowRows }: Pick<ApprovalPromptProps, 'compact' | 'windowRows'>,
): string {
  const first = compact ? (mark === '' ? 1 : 2) : 3;
  const drawn = (line: string): string =>
    mark === '' ? asciiCells(line) : line.split(mark).map(asciiCells).join(mark);
  return frame
    .split('\n')
    .map((line, at) => (at >= first && at < first + windowRows ? line : drawn(line)))
    .join('\n');
}

/** Whoever knows the words could draw a prompt: a recording has a rule in the place of the one that carries them. */
function withoutMark(frame: string, mark: string, size: TerminalSize): string {
  if (mark === '') return frame;
  const lines = frame.split('\n');
  lines[isLow(size) ? 1 : 2] = '─'.repeat(size.columns);
  return lines.join('\n').replaceAll(mark, '…');
}

function onScreen(frame: string, rows: number): string {
  const lines = frame.split('\n').slice(0, Math.max(1, rows));
  return `\x1b[H${lines.map((line) => `${line}\x1b[0m\x1b[K`).join('\r\n')}\x1b[J`;
}

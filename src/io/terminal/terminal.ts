/**
 * The person's terminal: raw mode, size, suspend, and its way back to normal on every exit path.
 *
 * What lives here: the state of the tty of stdin and stdout. What it must not know: what is drawn, who types.
 */
import { execFileSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { ReadStream, WriteStream } from 'node:tty';
import type { OuterTerminal, TerminalSize } from '../../run/terminal-ports.js';
import { type RunningChild, stopOurselves } from './child.js';
import { inForeground } from './child-state.js';
import { listenTo, signalsThat } from './signals.js';

export interface TtyStreams {
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
}

export interface RunningTerminal extends OuterTerminal {
  /**
   * Gives the terminal to the shell, stops this process and its job, and has the child go on when they do. False where the
   * child ended instead: the terminal stays the shell's.
   */
  suspend(child: Pick<RunningChild, 'exited' | 'goOn'>): Promise<boolean>;
  /** Gives the terminal back as it was found. Idempotent. */
  stop(): void;
}

/** The streams, when a person sits at both ends; undefined otherwise. */
export function ttyStreams(context: { readonly stdin: unknown; readonly stdout: unknown }): TtyStreams | undefined {
  const stdin = context.stdin as ReadStream;
  const stdout = context.stdout as WriteStream;
  return stdin.isTTY && stdout.isTTY ? { stdin, stdout } : undefined;
}

/** A window that is dragged, or a program that says so again and again, is not followed more closely than this. */
const resizeMs = 40;
/** Signals that came while this process was stopped are heard within this time. */
const signalsMs = 20;
/** A child that ends when it goes on in the background does so within this time. */
const endMs = 500;
/** Going on after a stop costs a look at the terminal: no more often than this. */
const continueMs = 500;

/**
 * Takes the terminal into raw mode. `onGone` is called when it vanishes: its window was closed. A signal that ends this
 * process gives the terminal back first, unless somebody else listens for it: that one decides what ends.
 */
export function startTerminal(streams: TtyStreams, onGone: () => void): RunningTerminal {
  const { stdin, stdout } = streams;
  let emergency: () => string = () => '';
  let drained: () => void = () => undefined;
  let stopped = false;
  let gone = false;
  let taken = true;
  let resized: (size: TerminalSize) => void = () => undefined;
  let resizing = false;

  const size = (): TerminalSize => {
    // asked anew: no signal tells a stopped process that its window was resized
    const [columns, rows] = gone ? [0, 0] : stdout.getWindowSize();
    return { columns: columns || 80, rows: rows || 24 };
  };
  const onResize = (): void => {
    if (resizing) return;
    resizing = true;
    setTimeout(() => {
      resizing = false;
      if (!stopped) resized(size());
    }, resizeMs);
  };
  const rescue = (): void => {
    if (stopped) return;
    stopped = true;
    try {
      writeSync(1, emergency());
    } catch {
      // the terminal is gone; there is nothing to tidy
    }
    if (taken) setRaw(stdin, false);
  };
  const deadly = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return;
    rescue();
    stopListening();
    process.kill(process.pid, signal);
  };
  const takeAgain = (): void => {
    if (stopped) return;
    setRaw(stdin, true);
    taken = true;
    onResize();
  };
  // a write to a closed window ends in EIO; unheard it would end the process without its tidying
  const failed = (): void => {
    gone = true;
    onGone();
    // nobody waits for a terminal that will never take anything again
    drained();
  };

  setRaw(stdin, true);
  stdin.resume();
  stdin.on('error', failed);
  stdin.on('end', failed);
  stdout.on('error', failed);
  stdout.on('resize', onResize);
  process.on('exit', rescue);
  const listening = [
    listenTo(signalsThat('ends'), deadly),
    listenTo(['SIGCONT'], () => taken && takeAgain(), continueMs),
  ];
  const stopListening = (): void => {
    process.off('exit', rescue);
    for (const one of listening) one.stop();
  };

  return {
    get size() {
      return size();
    },
    // as bytes: strings are text for a person, and lose what would act on a terminal
    write: (bytes) => gone || stdout.write(typeof bytes === 'string' ? Buffer.from(bytes) : bytes),
    onDrain: (listener) => {
      drained = listener;
      stdout.on('drain', listener);
    },
    onInput: (listener) => {
      stdin.on('data', listener);
    },
    onResize: (listener) => {
      resized = listener;
    },
    onEmergency: (sequence) => {
      emergency = sequence;
    },
    suspend: async (child) => {
      setRaw(stdin, false);
      taken = false;
      stopOurselves();
      await pause(signalsMs);
      if (!inForeground()) {
        // `kill %1`: the child must go on to hear of it. Or `bg`: there is no terminal to take, and taking it stops us again
        child.goOn();
        if (await Promise.race([child.exited.then(() => true), pause(endMs).then(() => false)])) return false;
      }
      takeAgain();
      child.goOn();
      return true;
    },
    stop: () => {
      if (stopped) return;
      stopped = true;
      stopListening();
      stdout.off('resize', onResize);
      stdin.removeAllListeners('data');
      // from the background it would stop us
      if (taken) setRaw(stdin, false);
      // a paused tty lets the process end
      stdin.pause();
    },
  };
}

/**
 * libuv's raw mode leaves output processing on: a line feed would become carriage return and line feed, and every
 * program that uses it to move straight down would draw askew. Back from raw mode all is as it was found.
 */
function setRaw(stdin: ReadStream, raw: boolean): void {
  try {
    stdin.setRawMode(raw);
    if (raw) execFileSync('stty', ['-opost'], { stdio: [stdin, 'ignore', 'ignore'] });
  } catch {
    // the terminal is gone, or there is no stty
  }
}

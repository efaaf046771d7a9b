/**
 * The person's terminal: raw mode, size, suspend and resume, and its way back to normal on every exit path.
 *
 * What lives here: the state of the tty of stdin and stdout. What it must not know: what is drawn, who types.
 */
import { execFileSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';
import type { OuterTerminal, TerminalSize } from '../../run/terminal-ports.js';

export interface TtyStreams {
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
}

export interface RunningTerminal extends OuterTerminal {
  /** Gives the terminal back as it was found. Idempotent. */
  stop(): void;
}

/** The streams, when a person sits at both ends; undefined otherwise. */
export function ttyStreams(context: { readonly stdin: unknown; readonly stdout: unknown }): TtyStreams | undefined {
  const stdin = context.stdin as ReadStream;
  const stdout = context.stdout as WriteStream;
  return stdin.isTTY && stdout.isTTY ? { stdin, stdout } : undefined;
}

/**
 * Takes the terminal into raw mode. `onGone` is called when it vanishes: its window was closed.
 *
 * SIGTSTP from outside (Ctrl-Z belongs to the child in raw mode) gives the terminal back, stops this process, and
 * takes it again on SIGCONT.
 */
export function startTerminal(streams: TtyStreams, onGone: () => void): RunningTerminal {
  const { stdin, stdout } = streams;
  let emergency: () => string = () => '';
  let drained: () => void = () => undefined;
  let stopped = false;
  let gone = false;
  let resized: (size: TerminalSize) => void = () => undefined;

  const size = (): TerminalSize => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 });
  const onResize = (): void => resized(size());
  const rescue = (): void => {
    if (stopped) return;
    stopped = true;
    try {
      writeSync(1, emergency());
    } catch {
      // the terminal is gone; there is nothing to tidy
    }
    setRaw(stdin, false);
  };
  const suspend = (): void => {
    setRaw(stdin, false);
    process.kill(process.pid, 'SIGSTOP');
  };
  const continued = (): void => {
    if (stopped) return;
    setRaw(stdin, true);
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
  process.on('SIGTSTP', suspend);
  process.on('SIGCONT', continued);

  return {
    get size() {
      return size();
    },
    write: (bytes) => gone || stdout.write(bytes),
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
    stop: () => {
      if (stopped) return;
      stopped = true;
      process.off('exit', rescue);
      process.off('SIGTSTP', suspend);
      process.off('SIGCONT', continued);
      stdout.off('resize', onResize);
      stdin.removeAllListeners('data');
      setRaw(stdin, false);
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

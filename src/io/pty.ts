/**
 * A child in a pseudo-terminal of its own: own session, own controlling terminal. It can neither draw on nor type
 * into the terminal that the approval prompt uses.
 *
 * What lives here: one child, its pty, reading paused and resumed without losing bytes. What it must not know: what
 * the bytes mean, where they go.
 */
import { type IPty, spawn } from '@lydell/node-pty';
import { DbguardError, messageOf } from '../errors.js';
import { type ChildOptions, type RunningChild, signalExitCode } from './child.js';

export interface PtyOptions extends ChildOptions {
  readonly columns: number;
  readonly rows: number;
}

export interface PtyChild extends RunningChild {
  /** The child's output. The receiver owns the buffer. */
  onOutput(listener: (bytes: Buffer) => void): void;
  write(bytes: Buffer): void;
  /** Stops reading: the child blocks once the kernel's buffer is full. */
  pause(): void;
  resume(): void;
  resize(columns: number, rows: number): void;
}

/** node-pty drops what it has not read 200 ms after the child's end; while paused, that end is looked for this often. */
const endCheckMs = 40;

/** Throws DbguardError `child-failed` when no pty can be had. */
export function startPtyChild(options: PtyOptions): PtyChild {
  const pty = open(options);
  let endCheck: NodeJS.Timeout | undefined;
  const resume = (): void => {
    clearInterval(endCheck);
    endCheck = undefined;
    pty.resume();
  };
  const exited = new Promise<number>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      clearInterval(endCheck);
      resolve(signal ? signalExitCode(signal) : exitCode);
    });
  });
  return {
    pid: pty.pid,
    exited,
    kill: (signal) => pty.kill(signal),
    onOutput: (listener) => {
      // with `encoding: null` the data are buffers, whatever the type says
      pty.onData((data: string | Buffer) => listener(typeof data === 'string' ? Buffer.from(data) : data));
    },
    write: (bytes) => (pty as unknown as { write(data: Buffer): void }).write(bytes),
    pause: () => {
      pty.pause();
      endCheck ??= setInterval(() => {
        if (!isAlive(pty.pid)) resume();
      }, endCheckMs);
    },
    resume,
    resize: (columns, rows) => {
      try {
        pty.resize(Math.max(1, columns), Math.max(1, rows));
      } catch {
        // the child has just ended
      }
    },
  };
}

function open(options: PtyOptions): IPty {
  try {
    return spawn(options.program, [...options.args], {
      cols: options.columns,
      rows: options.rows,
      cwd: options.cwd,
      env: withoutSize(options.env),
      name: options.env.TERM ?? 'xterm-256color',
      encoding: null,
    });
  } catch (error) {
    throw new DbguardError('child-failed', `cannot open a pseudo-terminal: ${messageOf(error)}`, {
      hint: 'Run without a terminal (dbguard run -- COMMAND </dev/null | cat) and answer with "dbguard approvals".',
      cause: error,
    });
  }
}

/** Stale sizes in the environment would win over the pty's own. */
function withoutSize(env: Readonly<Record<string, string>>): Record<string, string> {
  const { COLUMNS: _columns, LINES: _lines, ...rest } = env;
  return rest;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

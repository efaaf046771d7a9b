/**
 * A child on dbguard's own stdin, stdout and stderr, for runs without a terminal: nothing of ours is in between.
 *
 * What lives here: one child process and the signals passed on to it. What it must not know: the proxy, approvals.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { DbguardError, reasonOf } from '../errors.js';

export interface ChildOptions {
  /** Absolute path; see `findProgram`. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface RunningChild {
  readonly pid: number;
  /** The exit code; 128 + n for a child that signal n killed, as a shell says it. */
  readonly exited: Promise<number>;
  kill(signal: NodeJS.Signals): void;
}

/** Throws DbguardError `child-failed` where the system refuses to execute the program. */
export async function startChild(options: ChildOptions): Promise<RunningChild> {
  const child = spawn(options.program, options.args, { stdio: 'inherit', env: options.env, cwd: options.cwd });
  const exited = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signalExitCode(signal)));
  });
  await started(child, options.program);
  return {
    pid: child.pid ?? 0,
    exited,
    kill: (signal) => {
      child.kill(signal);
    },
  };
}

function started(child: ChildProcess, program: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error: NodeJS.ErrnoException) => reject(spawnFailure(program, error)));
  });
}

function spawnFailure(program: string, error: NodeJS.ErrnoException): DbguardError {
  if (error.code === 'ENOENT') {
    return new DbguardError('child-not-found', `${program}: cannot be started: its interpreter does not exist`, {
      hint: 'Look at the first line of the script.',
      cause: error,
    });
  }
  return new DbguardError('child-failed', `${program}: cannot be started: ${reasonOf(error)}`, { cause: error });
}

/** POSIX shells report death by signal n as 128 + n. */
export function signalExitCode(signal: NodeJS.Signals | number | null): number {
  const number = typeof signal === 'string' ? constants.signals[signal] : signal;
  return number ? 128 + number : 1;
}

/**
 * Passes on the signals that are sent to dbguard until the returned function is called. Ctrl-C and Ctrl-\ reach a
 * child that shares our terminal by themselves; passing them on would make it two.
 */
export function forwardSignals(
  child: Pick<RunningChild, 'kill'>,
  options: { readonly ownTerminal: boolean },
): () => void {
  const shared = !options.ownTerminal && hasControllingTerminal();
  const listeners: [NodeJS.Signals, () => void][] = [];
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
    const ignored = shared && (signal === 'SIGINT' || signal === 'SIGQUIT');
    const listener = ignored ? () => undefined : () => child.kill(signal);
    process.on(signal, listener);
    listeners.push([signal, listener]);
  }
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
}

function hasControllingTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r+'));
    return true;
  } catch {
    return false;
  }
}

/**
 * A child on dbguard's own stdin, stdout and stderr, for runs without a terminal: nothing of ours is in between.
 *
 * Where there is a controlling terminal all the same (`dbguard run -- agent | tee log`), the child is put into a session of
 * its own: it could push keys into that terminal (TIOCSTI) for the shell to read, `dbguard approve` among them.
 *
 * What lives here: one child process and the signals passed on to it. What it must not know: the proxy, approvals.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { DbguardError, reasonOf } from '../../errors.js';

export interface ChildOptions {
  /** Absolute path; see `findProgram`. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface RunningChild {
  readonly pid: number;
  /** It leads a session of its own. */
  readonly ownSession: boolean;
  /** The exit code; 128 + n for a child that signal n killed, as a shell says it. */
  readonly exited: Promise<number>;
  kill(signal: NodeJS.Signals): void;
}

/** Throws DbguardError `child-failed` where the system refuses to execute the program. */
export async function startChild(options: ChildOptions): Promise<RunningChild> {
  const { program, args, env, cwd } = options;
  const ownSession = hasControllingTerminal();
  const child = spawn(program, args, { stdio: 'inherit', env, cwd, detached: ownSession });
  const exited = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signalExitCode(signal)));
  });
  await started(child, program);
  return {
    pid: child.pid ?? 0,
    ownSession,
    exited,
    kill: (signal) => {
      if (!ownSession || !fromTerminal.has(signal) || !killGroup(child.pid, signal)) child.kill(signal);
    },
  };
}

/** What a terminal sends goes to everybody in the foreground. */
const fromTerminal: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT', 'SIGHUP']);

function killGroup(leader: number | undefined, signal: NodeJS.Signals): boolean {
  try {
    return leader !== undefined && process.kill(-leader, signal);
  } catch {
    return false;
  }
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

const forwarded = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/**
 * Starts a child that gets the signals which are sent to dbguard, from its first moment on: one that came between its
 * start and our listening would end dbguard alone, and leave the child to itself.
 */
export async function withSignals<T extends Pick<RunningChild, 'exited' | 'kill'>>(
  start: () => Promise<T>,
): Promise<T> {
  const early: NodeJS.Signals[] = [];
  let pass = (signal: NodeJS.Signals): void => {
    early.push(signal);
  };
  const listener = (signal: NodeJS.Signals): void => pass(signal);
  const stop = (): void => {
    for (const signal of forwarded) process.off(signal, listener);
  };
  for (const signal of forwarded) process.on(signal, listener);
  try {
    const child = await start();
    pass = (signal) => child.kill(signal);
    for (const signal of early) pass(signal);
    void child.exited.then(stop, stop);
    return child;
  } catch (error) {
    stop();
    throw error;
  }
}

const insistMs = [
  ['SIGHUP', 1000],
  ['SIGKILL', 4000],
] as const;

/** Asks it to end, and insists: an interactive shell ignores SIGTERM, and a program may ignore what it likes. */
export function endChild(child: Pick<RunningChild, 'exited' | 'kill'>): void {
  child.kill('SIGTERM');
  const timers = insistMs.map(([signal, after]) => setTimeout(() => child.kill(signal), after));
  const stop = (): void => timers.forEach(clearTimeout);
  void child.exited.then(stop, stop);
}

function hasControllingTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r+'));
    return true;
  } catch {
    return false;
  }
}

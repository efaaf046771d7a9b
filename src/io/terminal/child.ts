/**
 * What every child of a run has in common: its end as a shell would say it, and the signals that it gets.
 *
 * What lives here: who hears which signal while a child runs. What it must not know: terminals, pipes, the proxy.
 */
import { constants } from 'node:os';
import type { Fence } from './job-shell.js';
import { listenTo, signalsThat } from './signals.js';

export interface ChildOptions {
  /** Absolute path; see `findProgram`. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly fence?: Fence | undefined;
}

export interface RunningChild {
  readonly pid: number;
  /** It leads a session of its own. */
  readonly ownSession: boolean;
  /** The exit code; 128 + n for a child that signal n killed, as a shell says it. */
  readonly exited: Promise<number>;
  kill(signal: NodeJS.Signals): void;
  /** Called when it stands still: it stopped itself, or somebody stopped it. */
  onStopped(listener: () => void): void;
  /** For a child that stands still. */
  goOn(): void;
}

/** POSIX shells report death by signal n as 128 + n. */
export function signalExitCode(signal: NodeJS.Signals | number | null): number {
  const number = typeof signal === 'string' ? constants.signals[signal] : signal;
  return number ? 128 + number : 1;
}

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
  const listening = listenTo([...signalsThat('ends'), ...signalsThat('stops')], (signal) => pass(signal));
  try {
    const child = await start();
    pass = (signal) => child.kill(signal);
    for (const signal of early) pass(signal);
    void child.exited.then(listening.stop, listening.stop);
    return child;
  } catch (error) {
    listening.stop();
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

/** A program that hears that its terminal has gone may save what it has; so long it may take, milliseconds. */
const leaveMs = 3000;

/** Its terminal is gone for good. One that ignores that would go on unseen, with a database and nobody to ask. */
export function hangUp(child: Pick<RunningChild, 'exited' | 'kill'>): void {
  child.kill('SIGHUP');
  const timer = setTimeout(() => endChild(child), leaveMs);
  const stop = (): void => clearTimeout(timer);
  void child.exited.then(stop, stop);
}

/**
 * Stops this process and its whole job, as Ctrl-Z does, and returns when it goes on. At once where no shell with job
 * control would bring it back: the kernel drops the signal then.
 */
export function stopOurselves(): void {
  const listeners = process.listeners('SIGTSTP');
  // without a listener the signal does what it does by default
  process.removeAllListeners('SIGTSTP');
  process.kill(0, 'SIGTSTP');
  for (const listener of listeners) process.on('SIGTSTP', listener);
}

/** To a process, or to a group by its negative number. */
export function signalTo(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch {
    // it has just ended
  }
}

/** How soon to look again for a process that is about to be started, and how often. */
const findMs = 5;
const findTimes = 400;

/** Calls `act` with a process as soon as it is there. Gives up when the child has ended, or nothing comes. */
export function onceThere(find: () => number | undefined, ended: () => boolean, act: (pid: number) => void): void {
  const look = (times: number): void => {
    if (ended()) return;
    const pid = find();
    if (pid !== undefined) act(pid);
    else if (times > 0) setTimeout(() => look(times - 1), findMs);
  };
  look(findTimes);
}

/** Calls back when `pid`, a child of ours, stands still. */
export function watchForStops(pid: number, isStopped: (pid: number) => boolean, stopped: () => void): () => void {
  const look = (): void => {
    if (isStopped(pid)) stopped();
  };
  const { stop } = listenTo(['SIGCHLD'], look);
  // it may have stopped before anybody listened
  setImmediate(look);
  return stop;
}

/** How often to look whether a process stands still that is no child of ours, milliseconds. */
const lookEveryMs = 150;

/** The same for a process inside of a fence: the system tells its keeper of it, not us. */
export function watchInside(
  find: () => number | undefined,
  isStopped: (pid: number) => boolean,
  stopped: () => void,
): () => void {
  const timer = setInterval(() => {
    const pid = find();
    if (pid !== undefined && isStopped(pid)) stopped();
  }, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}

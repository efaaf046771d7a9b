/**
 * What dbguard does with every signal of the system: a table, and how it listens without being flooded.
 *
 * What lives here: signals. What it must not know: terminals, children.
 */
import { constants } from 'node:os';

/**
 * - `ends`: ends a program that does not listen for it. A run passes it on to its child; elsewhere it ends dbguard, which
 *   gives the terminal back first.
 * - `stops`: job control. A run passes it on, and stops with its child.
 * - `background`: the terminal's answer to a job in the background. A listener would make the call that was refused
 *   start again for ever, so the system stops us, and `fg` continues.
 * - `ignored`: says something that dbguard hears otherwise, or not at all.
 * - `fault`: dbguard itself is broken. A listener would return to the instruction that failed, for ever.
 * - `unseen`: no program hears of it.
 */
type Treatment = 'ends' | 'stops' | 'background' | 'ignored' | 'fault' | 'unseen';

/** signal(7), and signal(3) of the BSDs and macOS; the last rows are Windows's. */
export const signalTable: Readonly<Record<NodeJS.Signals, Treatment>> = {
  SIGHUP: 'ends',
  SIGINT: 'ends',
  SIGQUIT: 'ends',
  SIGILL: 'fault',
  SIGTRAP: 'ends',
  SIGABRT: 'ends',
  SIGIOT: 'ends',
  SIGBUS: 'fault',
  SIGFPE: 'fault',
  SIGKILL: 'unseen',
  SIGUSR1: 'ends',
  SIGSEGV: 'fault',
  SIGUSR2: 'ends',
  // a reader that left: writing says so too
  SIGPIPE: 'ignored',
  SIGALRM: 'ends',
  SIGTERM: 'ends',
  SIGSTKFLT: 'ends',
  SIGCHLD: 'ignored',
  SIGCONT: 'ignored',
  SIGSTOP: 'unseen',
  SIGTSTP: 'stops',
  SIGTTIN: 'background',
  SIGTTOU: 'background',
  SIGURG: 'ignored',
  SIGXCPU: 'ends',
  // a file over its limit: writing says so too
  SIGXFSZ: 'ignored',
  SIGVTALRM: 'ends',
  SIGPROF: 'ends',
  SIGWINCH: 'ignored',
  SIGIO: 'ends',
  SIGPOLL: 'ends',
  SIGPWR: 'ends',
  SIGSYS: 'ends',
  SIGUNUSED: 'ends',
  SIGINFO: 'ignored',
  SIGLOST: 'ends',
  SIGBREAK: 'ends',
};

/** How often one signal is acted upon; more of the same in between are one, as they are for the system. */
const usuallyMs = 50;

export interface Listening {
  stop(): void;
}

/** The signals of this system that the table treats so, each number once (SIGIOT is SIGABRT). */
export function signalsThat(treatment: Treatment): NodeJS.Signals[] {
  const numbers = new Map<number, NodeJS.Signals>();
  for (const [name, number] of Object.entries(constants.signals)) {
    const signal = name as NodeJS.Signals;
    if (signalTable[signal] === treatment && !numbers.has(number)) numbers.set(number, signal);
  }
  return [...numbers.values()];
}

/** Signals by which people and service managers end a program; every other that ends one is an accident, or an attack. */
const meant: ReadonlySet<NodeJS.Signals> = new Set(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

/**
 * Calls `heard` at the signals by which people end a program, of which the second ends it at once, as everywhere, and
 * `other` at whatever else would end it, which never does.
 */
export function onEnding(heard: () => void, other: () => void): Listening {
  const signals = signalsThat('ends');
  for (const signal of signals) {
    if (meant.has(signal)) process.once(signal, heard);
    else process.on(signal, other);
  }
  return {
    stop: () => {
      for (const signal of signals) process.off(signal, heard).off(signal, other);
    },
  };
}

/** Calls `heard` at once, then at most once in `everyMs` for each signal, and never loses the last one. */
export function listenTo(
  signals: readonly NodeJS.Signals[],
  heard: (signal: NodeJS.Signals) => void,
  everyMs = usuallyMs,
): Listening {
  const quiet = new Map<NodeJS.Signals, NodeJS.Timeout>();
  const again = new Set<NodeJS.Signals>();
  const act = (signal: NodeJS.Signals): void => {
    const timer = setTimeout(() => {
      quiet.delete(signal);
      if (again.delete(signal)) act(signal);
    }, everyMs);
    timer.unref();
    quiet.set(signal, timer);
    heard(signal);
  };
  const listener = (signal: NodeJS.Signals): void => {
    if (quiet.has(signal)) again.add(signal);
    else act(signal);
  };
  for (const signal of signals) process.on(signal, listener);
  return {
    stop: () => {
      for (const signal of signals) process.off(signal, listener);
      for (const timer of quiet.values()) clearTimeout(timer);
    },
  };
}

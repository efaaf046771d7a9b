/**
 * A child for runs without a terminal of its own: on dbguard's stdin, stdout and stderr, nothing of ours in between.
 *
 * Where there is a terminal all the same (`dbguard run -- agent | tee log`), the child never holds it: descriptors that
 * are the terminal become pipes, and the child leads a session of its own. With the terminal it could read the keys of the
 * person, or push some into it (TIOCSTI) for the shell to read, `dbguard approve` among them.
 *
 * What lives here: one child process and its pipes. What it must not know: the proxy, approvals.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { DbguardError, reasonOf } from '../../errors.js';
import {
  type ChildOptions,
  onceThere,
  type RunningChild,
  signalExitCode,
  signalTo,
  stopOurselves,
  watchForStops,
  watchInside,
} from './child.js';
import { insideFence, isStopped } from './child-state.js';
import { asMarked } from './job-shell.js';

/** After the child's end: as long as what it wrote comes out of its pipes, but no longer for what it left running. */
const quietMs = 250;

/** Throws DbguardError `child-failed` where the system refuses to execute the program. */
export async function startPipeChild(options: ChildOptions): Promise<RunningChild> {
  const { env, cwd } = options;
  const ownSession = hasControllingTerminal();
  const fenced = options.fence?.ownProcesses === true;
  const { program, args } = asMarked(options);
  const stdio = [0, 1, 2].map((fd) => (isatty(fd) ? 'pipe' : 'inherit'));
  const child = spawn(program, args, { stdio, env, cwd, detached: ownSession || fenced });
  const relayed = relay(child);
  let ended = false;
  const exited = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = true;
      void relayed.ended().then(() => resolve(code ?? signalExitCode(signal)));
    });
  });
  await started(child, options.program);
  const { pid = 0 } = child;
  const inside = insideFence(pid);
  /** To the program, or to it and everything that it has started. */
  const signal = (name: NodeJS.Signals, to: 'program' | 'group'): void => {
    if (ended) return;
    if (!fenced) signalTo(to === 'group' ? -pid : pid, name);
    else if (to === 'group')
      onceThere(
        () => inside()?.first,
        () => ended,
        (first) => signalTo(-first, name),
      );
    else
      onceThere(
        () => inside()?.program,
        () => ended,
        (one) => signalTo(one, name),
      );
  };
  return {
    pid,
    ownSession,
    exited,
    kill: (name) => {
      if (name === 'SIGTSTP' && ownSession) {
        // the terminal's Ctrl-Z reaches our group, and not the session of the child
        signal('SIGSTOP', 'group');
        stopOurselves();
        signal('SIGCONT', 'group');
      } else signal(name, ownSession && fromTerminal.has(name) ? 'group' : 'program');
    },
    onStopped: (listener) => {
      // without a terminal there is no shell to say it, and no key that brings it back
      if (!ownSession) return;
      const stop = fenced
        ? watchInside(() => inside()?.program, isStopped, listener)
        : watchForStops(pid, isStopped, listener);
      void exited.then(stop);
    },
    goOn: () => signal('SIGCONT', ownSession ? 'group' : 'program'),
  };
}

/** What a terminal sends goes to everybody in the foreground. */
const fromTerminal: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGQUIT', 'SIGHUP']);

/** Between the pipes of the child and the terminal that they stand for. */
function relay(child: ChildProcess): { ended(): Promise<void> } {
  const outputs = [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ] as const;
  const { stdin } = child;
  if (stdin) {
    // a child that reads no more
    stdin.on('error', () => undefined);
    process.stdin.pipe(stdin);
  }
  for (const [from, to] of outputs) from?.pipe(to, { end: false });
  return {
    ended: async () => {
      if (stdin) {
        process.stdin.unpipe(stdin);
        process.stdin.pause();
      }
      await Promise.all(outputs.map(([from, to]) => (from ? drained(from, to) : undefined)));
    },
  };
}

function drained(from: Readable, to: Writable): Promise<void> {
  return new Promise((resolve) => {
    let quiet = setTimeout(done, quietMs);
    function done(): void {
      clearTimeout(quiet);
      from.unpipe(to);
      from.destroy();
      resolve();
    }
    from.once('close', done);
    from.on('data', () => {
      clearTimeout(quiet);
      quiet = setTimeout(done, quietMs);
    });
    if (from.closed) done();
  });
}

function started(child: ChildProcess, program: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(new DbguardError('child-failed', `${program}: cannot be started: ${reasonOf(error)}`, { cause: error })),
    );
  });
}

function hasControllingTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r+'));
    return true;
  } catch {
    return false;
  }
}

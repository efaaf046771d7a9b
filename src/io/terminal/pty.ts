/**
 * A child in a pseudo-terminal of its own: own session, own controlling terminal. It can neither draw on nor type
 * into the terminal that the approval prompt uses.
 *
 * What lives here: one child, its pty, its output to the last byte. What it must not know: what the bytes mean.
 *
 * A surprise: with node-pty's own class a child that writes 9 KB and ends loses most of it. When the last slave
 * descriptor closes, libuv takes a short read together with POLLHUP for the end of the stream, and ptys read in pieces
 * of 4 KB. So we use its native half, hold a slave descriptor ourselves, and after the child's end write a mark
 * through it: when the mark comes out, everything before it has.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { DbguardError, messageOf } from '../../errors.js';
import type { ChildTerminal } from '../../run/terminal-ports.js';
import {
  type ChildOptions,
  onceThere,
  type RunningChild,
  signalExitCode,
  signalTo,
  watchForStops,
  watchInside,
} from './child.js';
import { firstBelow, insideFence, isStopped } from './child-state.js';
import { asJob } from './job-shell.js';
import { type ForkedPty, loadNativePty, type NativePty } from './pty-native.js';

export interface PtyOptions extends ChildOptions {
  readonly columns: number;
  readonly rows: number;
}

export interface PtyChild extends RunningChild, ChildTerminal {}

/** A terminal that the child left stopped (Ctrl-S) lets nothing out: the end of waiting for the mark. */
const markWaitMs = 1000;
const markRetryMs = 10;

/** Throws DbguardError `child-failed` when no pty can be had. */
export function startPtyChild(options: PtyOptions): PtyChild {
  let ended: (code: number) => void = () => undefined;
  const { native, forked } = fork(options, (code, signal) => ended(signal ? signalExitCode(signal) : code));
  const slave = openSync(forked.pty, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  const stream = new ReadStream(forked.fd);
  const mark = randomBytes(16).toString('hex');
  let listener: (bytes: Buffer) => void = () => undefined;
  /** Last bytes of the output that may be the beginning of the mark. */
  let tail: Buffer = Buffer.alloc(0);
  let marked: (() => void) | undefined;

  stream.on('data', (bytes: Buffer) => {
    if (!marked) {
      listener(bytes);
      return;
    }
    const all = Buffer.concat([tail, bytes]);
    const at = all.indexOf(mark);
    const until = at === -1 ? Math.max(0, all.length - mark.length) : at;
    if (until > 0) listener(all.subarray(0, until));
    tail = Buffer.from(all.subarray(until));
    if (at !== -1) marked();
  });
  // EIO, the pty's way to say that it is over
  stream.on('error', () => marked?.());

  const exited = new Promise<number>((resolve) => {
    ended = (code) => {
      const wait = writeMark(
        slave,
        mark,
        () => stream.isPaused(),
        () => marked?.(),
      );
      marked = () => {
        marked = undefined;
        clearInterval(wait);
        if (!tail.toString('latin1').startsWith(mark) && tail.length > 0) listener(tail);
        closeSync(slave);
        stream.destroy();
        resolve(code);
      };
    };
  });
  const inside = options.fence?.ownProcesses ? insideFence(forked.pid) : undefined;
  // inside a second shell keeps it, for its exit code
  const shell = inside ? firstBelow(() => inside()?.program) : () => forked.pid;
  const job = jobOf(shell, exited);
  return {
    pid: forked.pid,
    ownSession: true,
    exited,
    kill: (signal) => job.kill(signal),
    onStopped: (stopped) => {
      const stop = inside ? watchInside(shell, isStopped, stopped) : watchForStops(forked.pid, isStopped, stopped);
      void exited.then(stop);
    },
    // its shell brings the job to the foreground again
    goOn: () => {
      const pid = shell();
      if (pid !== undefined) signalTo(pid, 'SIGCONT');
    },
    onOutput: (receive) => {
      listener = receive;
    },
    write: (bytes) => {
      // a tty.ReadStream is a whole socket; its type hides that
      if (!stream.destroyed) stream.write(bytes);
    },
    pause: () => {
      stream.pause();
    },
    resume: () => {
      stream.resume();
    },
    resize: (columns, rows) => {
      if (!stream.destroyed) native.resize(forked.fd, Math.max(1, columns), Math.max(1, rows));
    },
  };
}

/** The program itself: what is sent to dbguard is meant for it, not for the shell that keeps it. */
function jobOf(shell: () => number | undefined, exited: Promise<number>): { kill(signal: NodeJS.Signals): void } {
  const find = firstBelow(shell);
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  return {
    kill: (signal) =>
      onceThere(
        find,
        () => ended,
        // what stops a job stops all of it
        (pid) => signalTo(signal === 'SIGTSTP' ? -pid : pid, signal),
      ),
  };
}

/** Writes the mark as soon as the pty takes it, and gives up when it does not come out although somebody reads. */
function writeMark(slave: number, mark: string, isPaused: () => boolean, giveUp: () => void): NodeJS.Timeout {
  let left = mark;
  let waited = 0;
  const attempt = (): void => {
    try {
      if (left !== '') left = left.slice(writeSync(slave, left));
    } catch {
      // EAGAIN: the output before it has not been read yet
    }
    if (isPaused()) waited = 0;
    else waited += markRetryMs;
    if (waited > markWaitMs) giveUp();
  };
  const timer = setInterval(attempt, markRetryMs);
  attempt();
  return timer;
}

function fork(
  options: PtyOptions,
  onExit: (code: number, signal: number) => void,
): { readonly native: NativePty; readonly forked: ForkedPty } {
  // stale sizes in the environment would win over the pty's own
  const env = { TERM: 'xterm-256color', ...options.env, PWD: options.cwd };
  const pairs = Object.entries(env)
    .filter(([name]) => name !== 'COLUMNS' && name !== 'LINES')
    .map(([name, value]) => `${name}=${value}`);
  const { cwd, columns, rows } = options;
  const { program, args } = asJob(options);
  try {
    const { native, helper } = loadNativePty();
    const size = [Math.max(1, columns), Math.max(1, rows)] as const;
    return { native, forked: native.fork(program, args, pairs, cwd, ...size, -1, -1, true, helper, onExit) };
  } catch (error) {
    throw new DbguardError('child-failed', `cannot open a pseudo-terminal: ${messageOf(error)}`, {
      hint: 'Run without a terminal (dbguard run -- COMMAND </dev/null | cat) and answer with "dbguard approvals".',
      cause: error,
    });
  }
}

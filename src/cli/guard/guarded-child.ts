/**
 * Starts the child of `dbguard run`: behind the takeover when a person sits at the terminal, on our own stdin and
 * stdout otherwise.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { ApprovalChannel, ApprovalDesk, ApprovalsClock } from '../../approval/approvals.js';
import { microsecondClock } from '../../io/microsecond-clock.js';
import { hangUp, type RunningChild, stopOurselves, withSignals } from '../../io/terminal/child.js';
import { findProgram } from '../../io/terminal/child-program.js';
import type { Fence } from '../../io/terminal/job-shell.js';
import { startPipeChild } from '../../io/terminal/pipe-child.js';
import { startTerminal, ttyStreams } from '../../io/terminal/terminal.js';
import type { LineSink } from '../../ui/screen-recording.js';
import type { CommandContext } from '../command.js';
import { drawsSigns } from '../print/printable-output.js';
import { wantsColours } from '../print/text.js';

export interface GuardedChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly fence?: Fence | undefined;
  readonly clock: ApprovalsClock;
  readonly bell: boolean;
  /** On every prompt; see prompt-mark.ts. */
  readonly mark: string;
  readonly desk: () => ApprovalDesk;
  /** Begins the recording of the screen; undefined where there is none. */
  readonly record?: () => LineSink | undefined;
}

export interface GuardedChild {
  /** Where the person at this terminal answers; none without a terminal. */
  readonly channels: readonly ApprovalChannel[];
  /** Session id of a child that has one of its own. */
  readonly session: number | undefined;
  /** A few words for the person, in the title of the terminal's window; empty takes them away. */
  readonly note: (words: string) => void;
  /** Exit code, once its last output is on the screen and the terminal is as it was. */
  readonly exited: Promise<number>;
  kill(signal: NodeJS.Signals): void;
}

/** Throws DbguardError `child-not-found` (127) or `child-failed` (126). */
export function startGuardedChild(context: CommandContext, options: GuardedChildOptions): Promise<GuardedChild> {
  return withSignals(() => start(context, options));
}

async function start(context: CommandContext, options: GuardedChildOptions): Promise<GuardedChild> {
  const program = findProgram(options.command, options.env, context.cwd);
  const child = { program, args: options.args, env: options.env, cwd: context.cwd, fence: options.fence };
  const streams = ttyStreams(context);
  if (!streams) {
    const running = await startPipeChild(child);
    followStops(running, async () => {
      stopOurselves();
      running.goOn();
    });
    return {
      channels: [],
      session: running.ownSession ? running.pid : undefined,
      note: () => undefined,
      exited: running.exited,
      kill: (signal) => running.kill(signal),
    };
  }
  const [{ startPtyChild }, { Takeover }, { terminalChannel }, { ScreenRecording }] = await Promise.all([
    import('../../io/terminal/pty.js'),
    import('../../ui/takeover.js'),
    import('../../ui/terminal-channel.js'),
    import('../../ui/screen-recording.js'),
  ]);
  let gone = (): void => undefined;
  const terminal = startTerminal(streams, () => gone());
  try {
    const running = startPtyChild({ ...child, ...terminal.size });
    gone = () => hangUp(running);
    const lines = options.record?.();
    const recording = lines && new ScreenRecording(lines, microsecondClock(), terminal.size);
    const takeover = new Takeover(terminal, running, recording);
    followStops(running, () => takeover.release(() => terminal.suspend(running)));
    return {
      channels: [
        terminalChannel({
          takeover,
          clock: options.clock,
          bell: options.bell,
          colours: wantsColours(context.env),
          ascii: !drawsSigns(context.env),
          mark: options.mark,
          desk: options.desk,
        }),
      ],
      session: running.pid,
      note: (words) => takeover.words(words),
      exited: running.exited
        .then(async (code) => {
          await takeover.finish(code > 128);
          return code;
        })
        .finally(() => terminal.stop()),
      kill: (signal) => running.kill(signal),
    };
  } catch (error) {
    terminal.stop();
    throw error;
  }
}

/** A stop that nobody above us takes part in does not stop us: not in a tight loop then. */
const betweenStopsMs = 100;

/** Stands still with the child, as a shell's job does, and goes on with it. */
function followStops(child: RunningChild, standStill: () => Promise<void>): void {
  let standing = false;
  child.onStopped(() => {
    if (standing) return;
    standing = true;
    void pause(betweenStopsMs)
      .then(standStill)
      .finally(() => {
        standing = false;
      });
  });
}

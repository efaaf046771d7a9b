/**
 * The shell between dbguard and its child: it sets the mark of the run, and on a terminal it does job control.
 *
 * A child that leads its session is the only group in it and has no parent there. The kernel then drops what Ctrl-Z
 * sends ("orphaned process group", POSIX 2.4.3), and a child that stops itself stands still with nobody to see it. So
 * the leader is a POSIX shell with job control (-m), and the child its foreground job, as in the shell that dbguard was
 * started from. When the job stops, the shell stops itself, which dbguard sees as its child's stop; SIGCONT to the shell
 * brings the job back to the foreground.
 */
import { setMark } from '../../run/run-mark.js';

export interface ShellCommand {
  readonly program: string;
  readonly args: readonly string[];
}

/** What a child is locked into. */
export interface Fence {
  /** The command that builds the fence and runs `command` in it. `terminal`: it keeps the one that it is started on. */
  around(command: ShellCommand, terminal: boolean): ShellCommand;
  /**
   * Inside there are process numbers of its own: dbguard's child is the keeper of the fence then, which passes no signal on, and
   * the program is below it (child-state.ts, `insideFence`).
   */
  readonly ownProcesses: boolean;
}

export interface FencedCommand extends ShellCommand {
  readonly fence?: Fence | undefined;
}

const shell = '/bin/sh';

/**
 * The shell keeps its own words ("Stopped", "Killed") from the screen, and the job gets the terminal back as descriptor 2.
 * In parentheses: dash would redirect itself for the time of a plain command.
 */
const jobControl = `exec 3>&2 2>/dev/null
(exec "$@" 2>&3 3>&- 4>&-)
status=$?
while jobs %1 >/dev/null; do
  kill -STOP $$
  fg %1 >/dev/null
  status=$?
done`;

/**
 * Around the shell inside of a fence. At its end it hands the terminal back to the group that had it before, and that group has
 * no number inside: dash ends with 2 then, whatever the job ended with. So it says the number on descriptor 4 before.
 */
const keepStatus = `exec 5>&1
status=$(exec ${shell} -m -c "$0" dbguard "$@" 4>&1 >&5 5>&-)
exit "$status"`;

/** For a terminal: the command is the job of a shell that stays. */
export function asJob({ program, args, fence }: FencedCommand): ShellCommand {
  const command = { program, args };
  if (fence?.ownProcesses) {
    // inside, and with a group of its own: the keys of the terminal would end the keeper otherwise
    const inside = ['-c', keepStatus, `${jobControl}\necho $status >&4`, program, ...args];
    return marked(fence.around({ program: shell, args: inside }, true));
  }
  const job = fence?.around(command, true) ?? command;
  const script = `${setMark}\n${jobControl}\nexit $status`;
  return { program: shell, args: ['-m', '-c', script, 'dbguard', job.program, ...job.args] };
}

/** Without a terminal: the shell becomes the command. */
export function asMarked({ program, args, fence }: FencedCommand): ShellCommand {
  const command = { program, args };
  return marked(fence?.around(command, false) ?? command);
}

function marked({ program, args }: ShellCommand): ShellCommand {
  return { program: shell, args: ['-c', `${setMark}\nexec "$@"`, 'dbguard', program, ...args] };
}

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

const shell = '/bin/sh';

/**
 * The shell keeps its own words ("Stopped", "Killed") from the screen, and the job gets the terminal back as descriptor 2.
 * In parentheses: dash would redirect itself for the time of a plain command.
 */
const jobControl = `${setMark}
exec 3>&2 2>/dev/null
(exec "$@" 2>&3 3>&-)
status=$?
while jobs %1 >/dev/null; do
  kill -STOP $$
  fg %1 >/dev/null
  status=$?
done
exit $status`;

/** For a terminal: the command is the job of a shell that stays. */
export function asJob({ program, args }: ShellCommand): ShellCommand {
  return { program: shell, args: ['-m', '-c', jobControl, 'dbguard', program, ...args] };
}

/** Without a terminal: the shell becomes the command. */
export function asMarked({ program, args }: ShellCommand): ShellCommand {
  return { program: shell, args: ['-c', `${setMark}\nexec "$@"`, 'dbguard', program, ...args] };
}

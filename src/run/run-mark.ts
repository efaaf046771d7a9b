/**
 * A mark on every process of a run that the processes themselves cannot take off: a lowered hard limit. Limits pass on
 * to every child, whatever it does to its environment, its session or its parents, and without CAP_SYS_RESOURCE nobody
 * raises a hard limit again (getrlimit(2)).
 *
 * Rejected: a variable alone (`env -i` takes it off), the process tree alone (a daemon leaves it), a control group
 * (needs one that is ours), no_new_privs (would break sudo for the agent). The limit that is used here, RLIMIT_LOCKS,
 * has had no effect since Linux 2.4.25.
 */

/** Marks every process that inherits the child's environment, and says whose it is. */
export const sessionMarker = 'DBGUARD_SESSION';

const markedLimit = '4611686018427387902';

/**
 * For a POSIX shell. bash has the limit as -x, dash and busybox as -w. On Linux nothing is started without the mark;
 * elsewhere there is no such limit, and no approvals socket that it protects.
 */
export const setMark = `ulimit -x ${markedLimit} 2>/dev/null || ulimit -w ${markedLimit} 2>/dev/null || [ ! -e /proc/self/limits ] || { echo 'dbguard: /bin/sh cannot set the limit that marks the processes of this run' >&2; exit 126; }`;

/** @param limits text of /proc/PID/limits. Any limit counts: a marked process can lower it further. */
export function carriesMark(limits: string): boolean {
  const line = limits.split('\n').find((one) => one.startsWith('Max file locks'));
  // "Max file locks            unlimited            unlimited            locks"
  return line !== undefined && line.trim().split(/\s{2,}/)[2] !== 'unlimited';
}

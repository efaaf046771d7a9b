/** What the system says about a child: is it stopped, which process is its job; and who has the terminal. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** False as well for a process that has gone. */
export function isStopped(pid: number): boolean {
  return /^T/.test(fieldsOf(pid)?.state ?? '');
}

/** The first child of a process; undefined before there is one. */
export function firstChildOf(pid: number): number | undefined {
  for (const candidate of processes()) {
    if (fieldsOf(candidate)?.parent === pid) return candidate;
  }
  return undefined;
}

/** Is this process in the group that has the terminal? True where the system does not say. */
export function inForeground(): boolean {
  const own = fieldsOf(process.pid);
  return own === undefined || own.group === own.foreground;
}

interface Fields {
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  /** The group that has the process's terminal. */
  readonly foreground: number;
}

function fieldsOf(pid: number): Fields | undefined {
  try {
    const [state = '', ...numbers] = process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
    const [parent = 0, group = 0, foreground = 0] = numbers.map(Number);
    return { state, parent, group, foreground };
  } catch {
    return undefined;
  }
}

function fromProc(pid: number): (string | undefined)[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // the name in parentheses may hold anything, blanks and parentheses too
  const [state, parent, group, _session, _terminal, foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return [state, parent, group, foreground];
}

function fromPs(pid: number): string[] {
  return ps(['-o', 'stat=,ppid=,pgid=,tpgid=', '-p', `${pid}`])
    .trim()
    .split(/\s+/);
}

function processes(): number[] {
  if (process.platform === 'linux') return readdirSync('/proc').map(Number).filter(Number.isInteger);
  return ps(['-axo', 'pid=']).trim().split(/\s+/).map(Number);
}

function ps(args: readonly string[]): string {
  return execFileSync('ps', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

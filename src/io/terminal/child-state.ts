/** What the system says about a child: is it stopped, which process is its job; and who has the terminal. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** False as well for a process that has gone. */
export function isStopped(pid: number): boolean {
  return /^T/.test(fieldsOf(pid)?.state ?? '');
}

/** The first child of a process; undefined before there is one. */
function firstChildOf(pid: number): number | undefined {
  for (const candidate of processes()) {
    if (fieldsOf(candidate)?.parent === pid) return candidate;
  }
  return undefined;
}

/** Finds the first child of a process as soon as both are there, and keeps to it. */
export function firstBelow(parent: () => number | undefined): () => number | undefined {
  let found: number | undefined;
  return () => {
    const above = found === undefined ? parent() : undefined;
    if (above !== undefined) found = firstChildOf(above);
    return found;
  };
}

/** Who is who below the keeper of a fence. */
export interface Inside {
  /** The fence's own process 1, which adopts what loses its parent; it leads the group of a child without a terminal. */
  readonly first: number;
  /** The program that was started in it. */
  readonly program: number;
}

/** Finds them as soon as they are there, and keeps to them: what is found later may be an orphan of the program. */
export function insideFence(keeper: number): () => Inside | undefined {
  let found: Inside | undefined;
  return () => {
    if (found) return found;
    const first = firstChildOf(keeper);
    const program = first === undefined ? undefined : firstChildOf(first);
    if (first !== undefined && program !== undefined) found = { first, program };
    return found;
  };
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

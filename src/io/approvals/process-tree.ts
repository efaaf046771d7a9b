/** The process table of Linux (proc(5)), as far as it tells who is on the other end of a socket. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { agentsAbove, type ProcessInfo } from '../../approval/peer-ancestry.js';
import { carriesMark, sessionMarker } from '../../run/run-mark.js';

/** Undefined when the process has gone, or is not ours to read. */
export function processInfo(pid: number): ProcessInfo | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the name in parentheses may hold anything, blanks and parentheses too
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      pid,
      parent: Number(fields[1]),
      session: Number(fields[3]),
      started: Number(fields[19]),
      terminal: Number(fields[4]) !== 0,
      user: statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid,
      marked: isMarked(pid),
    };
  } catch {
    return undefined;
  }
}

/** What is known of the run that this process descends from; undefined outside of any. */
export function enclosingRun(env: NodeJS.ProcessEnv): string | undefined {
  if (env[sessionMarker]) return `session ${env[sessionMarker]}`;
  let pid = process.ppid;
  // deeper than any real chain; on systems without /proc there is only our own environment
  for (let step = 0; step < 200 && pid > 1; step++) {
    const session = sessionIn(environmentOf(pid));
    if (session !== undefined) return `session ${session}`;
    pid = processInfo(pid)?.parent ?? 0;
  }
  return hasMarkedLimit('self') ? 'its limit of file locks says so: ulimit -a' : undefined;
}

/** It descends from a run, this one or any other, whatever it did to its environment and its ancestors since. */
function isMarked(pid: number): boolean {
  return sessionIn(environmentOf(pid)) !== undefined || carriesMark(readFileSync(`/proc/${pid}/limits`, 'utf8'));
}

function hasMarkedLimit(pid: number | 'self'): boolean {
  try {
    return carriesMark(readFileSync(`/proc/${pid}/limits`, 'utf8'));
  } catch {
    // no /proc
    return false;
  }
}

function sessionIn(environment: readonly string[]): string | undefined {
  const marker = environment.find((pair) => pair.startsWith(`${sessionMarker}=`))?.slice(sessionMarker.length + 1);
  return marker === '' ? undefined : marker;
}

/** What a process was started with; other users' processes cannot be read, and cannot be the child's either. */
function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/**
 * The inode of the one listening unix socket bound to `path`; undefined when there is none, or several: somebody has
 * taken a path over.
 */
export function listeningInode(path: string): string | undefined {
  const listening: string[] = [];
  for (const line of readFileSync('/proc/net/unix', 'utf8').split('\n')) {
    // Num RefCount Protocol Flags Type St Inode Path; flag 00010000 is __SO_ACCEPTCON
    const match = /^\S+ \S+ \S+ (\S+) \S+ \S+ +(\d+) (.+)$/.exec(line);
    if (match?.[3] === path && match[1] === '00010000' && match[2] !== undefined) listening.push(match[2]);
  }
  return listening.length === 1 ? listening[0] : undefined;
}

/** Every process that holds the socket, in this or an inherited descriptor. */
export function socketHolders(inode: string): number[] {
  const wanted = `socket:[${inode}]`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => descriptors(pid).includes(wanted));
}

function descriptors(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return '';
      }
    });
  } catch {
    return [];
  }
}

/**
 * Who adopts our orphans: init, and what an orphan made for the purpose was really handed to. There is no way to ask
 * which ancestors are subreapers.
 */
export async function findAdopters(): Promise<ReadonlySet<number>> {
  const orphan = await makeOrphan();
  const adopter = processInfo(orphan)?.parent;
  try {
    process.kill(orphan, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
  if (adopter === undefined) throw new Error('the process that adopts orphans could not be found');
  return new Set([1, adopter]);
}

/** Who may be the agent that has started this process. To be asked at once: who has ended later is not found. */
export async function findStarters(): Promise<ReadonlySet<number>> {
  const guard = processInfo(process.pid);
  return guard === undefined ? new Set() : agentsAbove(guard, processInfo, await findAdopters());
}

/** The shell ends at once and leaves its background job behind. */
function makeOrphan(): Promise<number> {
  return new Promise((resolve, reject) => {
    execFile('/bin/sh', ['-c', 'sleep 20 >/dev/null 2>&1 </dev/null & echo $!'], (error, stdout) => {
      const pid = Number(stdout);
      if (error || !Number.isInteger(pid) || pid <= 1) reject(error ?? new Error('no process id'));
      else resolve(pid);
    });
  });
}

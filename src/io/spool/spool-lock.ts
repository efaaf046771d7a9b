/**
 * Whose spool folder it is: a file that names a process. It is held for a session's whole life, so unlike a lock that is
 * taken for a moment it must tell a dead owner from a busy one without a time limit.
 */
import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

const FILE = 'lock';
/** A folder without a lock may be one that is being set up this moment. */
const SETUP_MS = 60_000;
/** Another machine's process cannot be looked at; its session's journal is touched at least once a minute. */
const FOREIGN_SILENCE_MS = 15 * 60_000;

interface Owner {
  readonly pid: number;
  /** Tells a process from a later one with the same id. */
  readonly start: string;
  readonly host: string;
}

const RELEASED = 'released';

/** Throws EEXIST when somebody has the folder. */
export function lockSpool(folder: string): void {
  const owner: Owner = { pid: process.pid, start: processStart(process.pid), host: hostname() };
  writeFileSync(join(folder, FILE), JSON.stringify(owner), { flag: 'wx', mode: 0o600 });
}

/** Anybody may claim the folder from now on. */
export function releaseSpool(folder: string): void {
  writeFileSync(join(folder, FILE), RELEASED, { mode: 0o600 });
}

export function removeLock(folder: string): void {
  rmSync(join(folder, FILE), { force: true });
}

/** Takes a folder that is free, or whose owner is gone. False when its owner lives. */
export function takeSpool(folder: string): boolean {
  try {
    lockSpool(folder);
    return true;
  } catch {
    return claimSpool(folder);
  }
}

/** Takes over a folder whose owner is gone. False when its owner lives, or another process was faster. */
export function claimSpool(folder: string): boolean {
  const path = join(folder, FILE);
  const holder = readText(path);
  try {
    if (holder === undefined) {
      if (Date.now() - statSync(folder).mtimeMs < SETUP_MS) return false;
    } else {
      if (isAlive(holder, folder)) return false;
      takeAway(path, holder);
    }
    lockSpool(folder);
    return true;
  } catch {
    return false;
  }
}

/** Renames before removing: of two processes that see the same dead owner, one must not remove the other's new lock. */
function takeAway(path: string, holder: string): void {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  renameSync(path, aside);
  try {
    if (readText(aside) !== holder) linkSync(aside, path);
  } finally {
    rmSync(aside, { force: true });
  }
}

function isAlive(holder: string, folder: string): boolean {
  if (holder === RELEASED) return false;
  const owner = readOwner(holder);
  if (owner === undefined) return Date.now() - statSync(folder).mtimeMs < SETUP_MS; // cut off while it was written
  if (owner.host !== hostname()) return Date.now() - statSync(folder).mtimeMs < FOREIGN_SILENCE_MS;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
  return owner.start === processStart(owner.pid);
}

/** Boot and start time where the system tells (proc(5): field 22 of stat); else the process id has to do. */
function processStart(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses, and may itself hold blanks and parentheses.
  const started = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return started === '' ? '' : `${readText('/proc/sys/kernel/random/boot_id')?.trim() ?? ''}:${started}`;
}

function readOwner(text: string): Owner | undefined {
  try {
    const { pid, start, host } = JSON.parse(text);
    if (Number.isInteger(pid) && pid > 0 && typeof start === 'string' && typeof host === 'string') {
      return { pid, start, host };
    }
  } catch {
    // falls through
  }
  return undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

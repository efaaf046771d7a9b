/**
 * A lock among the processes of one user, as a file that holds its owner's name. Node has no flock(2); a lock whose owner
 * died, or has not touched it for a while, is taken over.
 */
import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { DbguardError } from '../../errors.js';
import { isErrno } from './token-store-files.js';

const TOUCH_MS = 10_000;
const ABANDONED_MS = 60_000;
const PATIENCE_MS = 90_000;

/** Runs `work` while holding `path`. Rejects with `token-store` when another process does not let go. */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const owner = `${process.pid} ${hostname()} ${randomBytes(8).toString('hex')}`;
  await acquire(path, owner);
  const touch = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(path, now, now);
    } catch {
      // taken over: release() notices
    }
  }, TOUCH_MS);
  touch.unref();
  try {
    return await work();
  } finally {
    clearInterval(touch);
    if (readOwner(path) === owner) rmSync(path, { force: true });
  }
}

async function acquire(path: string, owner: string): Promise<void> {
  for (let waited = 0; ; ) {
    try {
      writeFileSync(path, owner, { flag: 'wx', mode: 0o600 });
      return;
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
    const holder = readOwner(path);
    if (holder !== undefined && isAbandoned(path, holder)) {
      takeAway(path, holder);
      continue;
    }
    if (waited > PATIENCE_MS) {
      throw new DbguardError('token-store', 'another dbguard holds the token store', {
        hint: `If none is running, remove ${path}`,
      });
    }
    const pause = 20 + Math.random() * 60;
    waited += pause;
    await sleep(pause);
  }
}

/** Renames before removing: of two processes that see the same dead owner, one must not remove the other's new lock. */
function takeAway(path: string, holder: string): void {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    renameSync(path, aside);
    if (readOwner(aside) !== holder) linkSync(aside, path);
  } catch {
    // gone, or a third one was faster: acquire() looks again
  }
  rmSync(aside, { force: true });
}

function isAbandoned(path: string, holder: string): boolean {
  const [pid, host] = holder.split(' ');
  if (host === hostname() && !isAlive(Number(pid))) return true;
  const touched = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return touched !== undefined && Date.now() - touched > ABANDONED_MS;
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return true; // being written this moment
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isErrno(error, 'ESRCH');
  }
}

function readOwner(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

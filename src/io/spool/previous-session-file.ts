/**
 * Which session came before, of one person on one machine: a session that is deleted from the bucket leaves a hole that
 * the next one points at.
 *
 * One process at a time looks and writes: two sessions that name the same one would look as if one had been replaced.
 */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PreviousSession } from '../../transcript/open-entry.js';
import { privateDir } from '../files/state-dirs.js';
import { removeLock, takeSpool } from './spool-lock.js';

/** It is held for as long as it takes to write two small files. */
const PATIENCE_MS = 5_000;
const RETRY_MS = 2;

export interface LastSession {
  readonly sid: string;
  /** Entries; undefined for one that has not ended, or was killed. */
  readonly entries?: number;
}

/** The last session of anybody on this machine; nothing is made. @param root the spool */
export function lastSession(root: string): LastSession | undefined {
  const folder = join(root, 'previousSession');
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  const sessions = files.flatMap((name) => readPrevious(join(folder, name)) ?? []);
  const [last] = sessions.filter(({ sid }) => /^[0-9a-z]{26}$/.test(sid)).sort((a, b) => (a.sid < b.sid ? 1 : -1));
  return last && { sid: last.sid, ...(last.size === undefined ? {} : { entries: last.size }) };
}

export class PreviousSessionFile {
  readonly #path: string;
  readonly #lock: string;

  /** @param root the spool */
  constructor(root: string, subject: string) {
    const folder = privateDir(join(root, 'previousSession'));
    this.#path = join(folder, `${subject}.json`);
    this.#lock = join(folder, `${subject}.lock`);
  }

  /** @param open writes the opening entry, before the next session can name this one */
  begin(sid: string, open: (previous: PreviousSession | undefined) => void): void {
    this.#alone(() => {
      open(this.#read());
      this.#write({ sid });
    });
  }

  /** Unless a session that began meanwhile is the last one now. */
  end(sid: string, size: number, head: string): void {
    try {
      this.#alone(() => {
        if (this.#read()?.sid === sid) this.#write({ sid, size, head });
      });
    } catch {
      // the disk filled up meanwhile: the next session then names this one without its end
    }
  }

  #alone(act: () => void): void {
    const folder = privateDir(this.#lock);
    const until = performance.now() + PATIENCE_MS;
    let mine = takeSpool(folder);
    while (!mine && performance.now() < until) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
      mine = takeSpool(folder);
    }
    try {
      // whoever has had it for so long hangs; a session that names nobody before it would be worse
      act();
    } finally {
      if (mine) removeLock(folder);
    }
  }

  #read(): PreviousSession | undefined {
    return readPrevious(this.#path);
  }

  #write(previous: PreviousSession): void {
    const partial = `${this.#path}.${process.pid}`;
    writeFileSync(partial, JSON.stringify(previous), { mode: 0o600 });
    renameSync(partial, this.#path);
  }
}

function readPrevious(path: string): PreviousSession | undefined {
  try {
    const { sid, size, head } = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof sid !== 'string') return undefined;
    return typeof size === 'number' && typeof head === 'string' ? { sid, size, head } : { sid };
  } catch {
    return undefined; // the first one here
  }
}

/**
 * Which process holds a socket: whoever has it in /proc/PID/fd. There may be thousands of processes, so the search goes in
 * turns of a fraction of a millisecond, the newest process first, and one search serves all who wait for one.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long the event loop is held at a time, milliseconds. */
const turnMs = 0.5;
/** Descriptors that are looked at in one search: a machine on which that is not enough stays without an answer. */
const mostLooks = 100_000;
const mostRemembered = 8;

export class SocketHolders {
  /** By inode. */
  readonly #wanted = new Map<string, ((pid: number | undefined) => void)[]>();
  /** Who had the last ones: a program that connects once often connects again. */
  #recent: readonly number[] = [];
  #searching = false;

  /** The newest process that holds the socket; undefined where none that may be read does. */
  find(inode: string): Promise<number | undefined> {
    return new Promise((resolve) => {
      const name = `socket:[${inode}]`;
      const waiting = this.#wanted.get(name);
      if (waiting) waiting.push(resolve);
      else this.#wanted.set(name, [resolve]);
      if (!this.#searching) void this.#search();
    });
  }

  async #search(): Promise<void> {
    this.#searching = true;
    while (this.#wanted.size > 0) {
      const names = [...this.#wanted.keys()];
      await this.#walk();
      // who came while it went on may have been passed over, and is looked for again
      for (const name of names) this.#tell(name, undefined);
    }
    this.#searching = false;
  }

  async #walk(): Promise<void> {
    let until = performance.now() + turnMs;
    let looks = 0;
    for (const pid of [...this.#recent, ...processes()]) {
      for (const fd of namesIn(`/proc/${pid}/fd`)) {
        if (performance.now() > until) {
          await nextTurn();
          until = performance.now() + turnMs;
        }
        looks++;
        const name = targetOf(`/proc/${pid}/fd/${fd}`);
        if (name !== undefined && this.#wanted.has(name)) {
          this.#recent = [pid, ...this.#recent.filter((one) => one !== pid)].slice(0, mostRemembered);
          this.#tell(name, pid);
        }
      }
      if (this.#wanted.size === 0 || looks > mostLooks) return;
    }
  }

  #tell(name: string, pid: number | undefined): void {
    const waiting = this.#wanted.get(name) ?? [];
    this.#wanted.delete(name);
    for (const tell of waiting) tell(pid);
  }
}

/** The newest first, where numbers have not begun anew. */
function processes(): number[] {
  return namesIn('/proc')
    .map(Number)
    .filter((pid) => pid > 0)
    .sort((one, other) => other - one);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // gone, or somebody else's
    return [];
  }
}

function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

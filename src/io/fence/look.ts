/** The file system, as far as a fence is planned from it. */
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Found } from '../../run/fence/plan.js';

/** Undefined where there is nothing, or nothing that this user can reach. */
export function lookAt(path: string): Found | undefined {
  try {
    const real = realpathSync(path);
    const kind = statSync(real).isDirectory() ? 'folder' : 'file';
    return lstatSync(path).isSymbolicLink() ? { real, kind, link: readlinkSync(path) } : { real, kind };
  } catch {
    return undefined;
  }
}

/** Makes the agent's own folders, so that what it keeps there on its first run is kept. One that cannot be made is left out. */
export function makeAgentFolders(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch {
      // it is not opened then
    }
  }
}

/** The folder with `.git` in it, at `cwd` or above; `cwd` itself where there is none, or only at the home folder. */
export function projectOf(cwd: string, home: string): string {
  for (let folder = cwd; folder !== home && folder !== dirname(folder); folder = dirname(folder)) {
    if (lookAt(join(folder, '.git'))) return folder;
  }
  return cwd;
}

/**
 * For a worktree: the repository that it belongs to, which git writes to. The `.git` file of a project is anybody's word, so
 * the repository has to say the same of the project (gitrepository-layout(5), `worktrees/<id>/gitdir`).
 */
export function gitFoldersOf(project: string): string[] {
  const file = join(project, '.git');
  if (lookAt(file)?.kind !== 'file') return [];
  const named = /^gitdir: (.+)$/m.exec(textOf(file))?.[1];
  if (named === undefined) return [];
  const folder = resolve(project, named);
  const back = textOf(join(folder, 'gitdir')).trim();
  const common = textOf(join(folder, 'commondir')).trim();
  if (common === '' || !isAbsolute(back) || lookAt(back)?.real !== lookAt(file)?.real) return [];
  return [resolve(folder, common)];
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** A folder with more in it than this is a cache; sockets lie near the top. */
const entriesMax = 5000;
const depthMax = 3;

/** Unix sockets in these folders. */
export function socketsIn(folders: readonly string[]): string[] {
  const found: string[] = [];
  let left = entriesMax;
  const walk = (folder: string, depth: number): void => {
    for (const entry of entriesOf(folder)) {
      if (left-- <= 0) return;
      const path = join(folder, entry.name);
      if (entry.isSocket()) found.push(path);
      else if (entry.isDirectory() && depth < depthMax) walk(path, depth + 1);
    }
  };
  for (const folder of folders) walk(folder, 1);
  return found;
}

function entriesOf(folder: string): ReturnType<typeof readFolder> {
  try {
    return readFolder(folder);
  } catch {
    return [];
  }
}

const readFolder = (folder: string) => readdirSync(folder, { withFileTypes: true });

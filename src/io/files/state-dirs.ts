/**
 * Where dbguard keeps its files: the XDG Base Directory specification, or everything under DBGUARD_HOME when that is set.
 *
 * A folder is made on the first read of its property, 0700, and checked each time: a folder that another user
 * owns or may write could hand us a policy, a key or a socket of theirs.
 */
import { chmodSync, lstatSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import { makeFolders } from './make-folders.js';

export interface StateDirs {
  /** The user's own dbguard.yaml, organisation keys. */
  readonly config: string;
  /** Journals, the upload spool, the encrypted token file. Always 0700. */
  readonly state: string;
  /** Sockets: gone after a reboot. Always 0700. */
  readonly runtime: string;
  /** What can be made again. Always 0700. */
  readonly cache: string;
}

/** Where transcripts go as long as nobody has named a bucket. */
export function ownTranscripts(env: NodeJS.ProcessEnv): { readonly kind: 'file'; readonly path: string } {
  return { kind: 'file', path: join(stateDirPaths(env).state, 'transcripts') };
}

export type StateDirName = keyof StateDirs;

/** Absolute paths, nothing touched: for messages, and for files that need not exist. */
export function stateDirPaths(env: NodeJS.ProcessEnv): StateDirs {
  const own = env.DBGUARD_HOME;
  if (own) {
    const root = resolve(own);
    return {
      config: join(root, 'config'),
      state: join(root, 'state'),
      runtime: join(root, 'run'),
      cache: join(root, 'cache'),
    };
  }
  const home = env.HOME || homedir();
  const runtime = absolute(env.XDG_RUNTIME_DIR);
  return {
    config: join(absolute(env.XDG_CONFIG_HOME) ?? join(home, '.config'), 'dbguard'),
    state: join(absolute(env.XDG_STATE_HOME) ?? join(home, '.local', 'state'), 'dbguard'),
    runtime: runtime ? join(runtime, 'dbguard') : join(tmpdir(), `dbguard-${process.getuid?.() ?? 'user'}`),
    cache: join(absolute(env.XDG_CACHE_HOME) ?? join(home, '.cache'), 'dbguard'),
  };
}

/** Throws DbguardError `config-invalid` when a folder cannot be made or is not ours alone to write. */
export function stateDirs(env: NodeJS.ProcessEnv): StateDirs {
  const paths = stateDirPaths(env);
  return {
    get config() {
      return privateDir(paths.config, { readableByOthers: true });
    },
    get state() {
      return privateDir(paths.state);
    },
    get runtime() {
      return privateDir(paths.runtime);
    },
    get cache() {
      return privateDir(paths.cache);
    },
  };
}

/** Makes `path` as a folder that only this user can use, or checks that it is one. Returns `path`. */
export function privateDir(path: string, options: { readableByOthers?: boolean } = {}): string {
  let mode: number;
  try {
    makeFolders(path, 0o700);
    // Both the link and what it leads to: in a shared temp folder a link of somebody else's can change its mind.
    const uid = process.getuid?.();
    const link = lstatSync(path);
    const folder = statSync(path);
    if (uid !== undefined && (link.uid !== uid || folder.uid !== uid)) {
      throw new DbguardError('config-invalid', `the folder ${path} belongs to another user`, {
        hint: 'Set DBGUARD_HOME to a folder of your own, or have that one removed.',
      });
    }
    if (!folder.isDirectory())
      throw new DbguardError('config-invalid', `${path} is not a folder`, {
        hint: 'Move that file away, or set DBGUARD_HOME to a folder.',
      });
    mode = folder.mode & 0o777;
  } catch (error) {
    if (error instanceof DbguardError) throw error;
    throw new DbguardError('config-invalid', `cannot use the folder ${path}: ${reasonOf(error)}`, {
      hint: 'Make its parent writable for you, or set DBGUARD_HOME to a folder that is.',
      cause: error,
    });
  }
  if (process.platform === 'win32') return path; // ACLs of the profile folder; mode bits say nothing there
  if (mode & 0o022) {
    throw new DbguardError('config-invalid', `other users may write to the folder ${path}`, {
      hint: `Look at what is in it, then: chmod go-w '${path}'`,
    });
  }
  if (mode & 0o077 && !options.readableByOthers) chmodSync(path, 0o700);
  return path;
}

/** "If an implementation encounters a relative path in any of these variables it should [...] ignore it." (XDG) */
function absolute(path: string | undefined): string | undefined {
  return path && isAbsolute(path) ? path : undefined;
}

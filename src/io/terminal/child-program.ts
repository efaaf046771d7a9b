/** Finds the program that `dbguard run -- NAME` means, as a shell would, before anything is started. */
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { DbguardError } from '../../errors.js';
import { didYouMean } from '../../policy/did-you-mean.js';
import { knownAgents } from '../../run/agents/agents.js';

const clientPrograms: readonly string[] = ['psql', 'pg_dump', 'pg_restore', 'pgcli'];

/** Names that people use for an agent, and the program that its package installs. */
const aliases: Readonly<Record<string, string>> = { 'claude-code': 'claude' };

/**
 * The absolute path of a program. Throws DbguardError `child-not-found` (127) and `child-failed` (126) when it exists
 * but cannot be executed.
 */
export function findProgram(name: string, env: Readonly<Record<string, string | undefined>>, cwd: string): string {
  const alias = aliases[name];
  for (const candidate of alias === undefined ? [name] : [name, alias]) {
    const found = lookUp(candidate, env, cwd);
    if (found === undefined) continue;
    demandInterpreter(name, found);
    return found;
  }
  const also = alias === undefined ? '' : ` (nor ${alias})`;
  throw new DbguardError('child-not-found', `${name}: command not found${also}`, {
    hint: wayOn(name),
  });
}

function wayOn(name: string): string {
  if (name.includes('/')) return 'Check the path; it is taken from the current folder.';
  const packages = clientPrograms.includes(name)
    ? '. It comes with the PostgreSQL client: apt install postgresql-client, brew install libpq'
    : '';
  const guess = didYouMean(name, [...knownAgents.flatMap(({ programs }) => programs), ...clientPrograms]);
  const meant = guess === undefined || guess === name ? '' : `Did you mean ${guess}? `;
  return `${meant}Check the name and PATH, or give the full path: dbguard run -- /path/to/program${packages}`;
}

function lookUp(name: string, env: Readonly<Record<string, string | undefined>>, cwd: string): string | undefined {
  if (name.includes('/')) {
    const path = isAbsolute(name) ? name : resolve(cwd, name);
    const state = stateOf(path);
    if (state === 'missing') return undefined;
    if (state === 'executable') return path;
    throw notExecutable(name, state);
  }
  let unusable: 'folder' | 'forbidden' | undefined;
  for (const folder of (env.PATH ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter)) {
    // POSIX: an empty element of PATH is the current folder
    const path = join(resolve(cwd, folder === '' ? '.' : folder), name);
    const state = stateOf(path);
    if (state === 'executable') return path;
    if (state === 'forbidden') unusable = state;
  }
  if (unusable !== undefined) throw notExecutable(name, unusable);
  return undefined;
}

/** Linux takes a first line of 256 bytes (execve(2)). */
const firstLineMax = 256;

function demandInterpreter(name: string, path: string): void {
  const [, interpreter] = /^#![ \t]*(\/[^ \t\n]*)/.exec(beginningOf(path)) ?? [];
  if (interpreter === undefined || stateOf(interpreter) !== 'missing') return;
  throw new DbguardError('child-not-found', `${name}: its interpreter ${interpreter} does not exist`, {
    hint: 'Look at the first line of the script.',
  });
}

/** Empty for a program that may be executed but not read. */
function beginningOf(path: string): string {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const bytes = Buffer.alloc(firstLineMax);
    return bytes.toString('latin1', 0, readSync(file, bytes));
  } catch {
    return '';
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function stateOf(path: string): 'executable' | 'forbidden' | 'folder' | 'missing' {
  try {
    if (statSync(path).isDirectory()) return 'folder';
  } catch {
    return 'missing';
  }
  try {
    accessSync(path, constants.X_OK);
    return 'executable';
  } catch {
    return 'forbidden';
  }
}

function notExecutable(name: string, state: 'folder' | 'forbidden'): DbguardError {
  return new DbguardError('child-failed', `${name}: ${state === 'folder' ? 'is a folder' : 'permission denied'}`, {
    hint: state === 'folder' ? 'Name a program, not a folder.' : `Make it executable: chmod +x ${name}`,
  });
}

/** The files that `dbguard policy test` reads. What a folder holds and cannot be read is named, never left out. */
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';

export type Found = { readonly path: string; readonly problem?: string };

/** A file is taken whatever its name; a folder gives its *.sql files, deep, in order of name. */
export function sqlFilesOf(path: string, cwd: string): Found[] {
  const full = resolve(cwd, path);
  try {
    if (!statSync(full).isDirectory()) return [{ path: full }];
  } catch (error) {
    throw new DbguardError('usage', `cannot read ${path}: ${reasonOf(error)}`);
  }
  return filesBelow(full).sort((a, b) => (a.path < b.path ? -1 : 1));
}

function filesBelow(folder: string): Found[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    return [{ path: folder, problem: reasonOf(error) }];
  }
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesBelow(path);
    return /\.sql$/i.test(entry.name) ? [regularFile(path)] : [];
  });
}

/** A pipe or a device would wait for ever or never end. */
export function regularFile(path: string): Found {
  try {
    const found = statSync(path);
    if (found.isFile()) return { path };
    return { path, problem: found.isDirectory() ? 'a link to a folder is not followed' : 'it is no regular file' };
  } catch (error) {
    return { path, problem: reasonOf(error) };
  }
}

/** Throws what Node throws, or an error that says that the file is no text. */
export function readText(path: string): string {
  const text = readFileSync(path, 'utf8');
  if (text.includes('\0')) throw new Error('it holds zero bytes: PostgreSQL reads UTF-8 text');
  return text.replace(/^\ufeff/, ' ');
}

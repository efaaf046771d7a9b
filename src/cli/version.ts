/** What belongs to this installation: its version, and files that are no code. */
import { readFileSync } from 'node:fs';

/** Found from src/cli/ and from dist/bin/. */
const root = ['../../', '../../../'].map((up) => new URL(up, import.meta.url)).find(isPackage);

/** dbguard's own version, from package.json. */
export const dbguardVersion: string = root === undefined ? 'unknown' : String(packageAt(root).version);

/** @param path from the root of the package */
export function installedFile(path: string): URL {
  return new URL(path, root);
}

function isPackage(folder: URL): boolean {
  try {
    return packageAt(folder).name === 'dbguard';
  } catch {
    return false;
  }
}

function packageAt(folder: URL): { readonly name?: unknown; readonly version?: unknown } {
  return JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
}

/** Which programs this machine has. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where on PATH it is; undefined: nowhere. */
export function installed(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

import { readFileSync } from 'node:fs';

/** dbguard's own version, from package.json. */
export const dbguardVersion: string = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
).version;

import { readFileSync } from 'node:fs';

/** dbguard's own version, from package.json; `unknown` where that is not dbguard's. */
export const dbguardVersion: string = ownVersion();

/** The same file is found from src/ and from dist/src/. */
function ownVersion(): string {
  for (const up of ['../../', '../../../']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(`${up}package.json`, import.meta.url), 'utf8'));
      if (name === 'dbguard') return String(version);
    } catch {
      // the other one
    }
  }
  return 'unknown';
}

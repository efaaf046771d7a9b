/** Where dbguard itself lies: what it starts again, and what a fence shows to hooks. */
import { realpathSync } from 'node:fs';

/** The real path of `bin/dbguard`: a link to it need not be there inside of a fence. */
export function ownProgram(): string {
  const [, started = ''] = process.argv;
  try {
    return realpathSync(started);
  } catch {
    return started;
  }
}

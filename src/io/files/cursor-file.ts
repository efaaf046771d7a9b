/** How far a reader has come, in a file of theirs: replaced as a whole, so that it says the one or the other. */
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { DbguardError, reasonOf } from '../../errors.js';

/** Undefined where there is none yet. Throws `config-invalid` for a file that is none. */
export function readCursor(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new DbguardError('config-invalid', `cannot read the cursor ${path}: ${reasonOf(error)}`, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DbguardError('config-invalid', `${path} is no cursor`, {
      hint: 'Remove it to begin anew, or name another file with --cursor.',
      cause,
    });
  }
}

export function writeCursor(path: string, cursor: object): void {
  const own = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(own, JSON.stringify(cursor), { mode: 0o600, flag: 'wx' });
    renameSync(own, path);
  } catch (error) {
    throw new DbguardError('output-failed', `cannot write the cursor ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

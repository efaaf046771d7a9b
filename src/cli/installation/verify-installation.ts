/**
 * Is what is installed what was released? Whoever changed the program can have changed this check with it: it finds
 * accidents and careless hands, and a changed program when another dbguard looks at it (`--folder`) with a key that came
 * another way (`--key`).
 */
import type { KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import { installedFiles } from './installed-files.js';
import {
  type Differences,
  differencesFrom,
  isSignedBy,
  listFile,
  listLimit,
  parseSignedList,
  type SignedList,
  signatureFile,
} from './signed-list.js';

/** Why an installation is not taken for what was released. `no-*`: nothing speaks against it, and nothing for it. */
export type Doubt =
  | 'no-list'
  | 'no-signature'
  | 'no-key'
  | 'not-a-list'
  | 'other-signature'
  | 'other-version'
  | 'other-files';

export interface InstallationReport {
  readonly verdict: 'released' | 'unproven' | 'altered';
  readonly doubt?: Doubt;
  readonly list?: SignedList;
  readonly differences: Differences;
}

const none: Differences = { changed: [], missing: [], additional: [] };

/**
 * @param root folder of the package
 * @param version what its package.json says
 * @param key who has to have signed; without one nothing is proven
 * @throws DbguardError `part-missing` when a file cannot be read
 */
export function verifyInstallation(root: string, version: string, key: KeyObject | undefined): InstallationReport {
  const bytes = fileIfThere(join(root, listFile));
  if (bytes === undefined) return { verdict: 'unproven', doubt: 'no-list', differences: none };
  const signature = fileIfThere(join(root, signatureFile));
  // before a line of it is believed
  if (signature !== undefined && key !== undefined && !isSignedBy(key, bytes, signature))
    return { verdict: 'altered', doubt: 'other-signature', differences: none };
  const list = parseSignedList(bytes.toString('utf8'));
  if (list === undefined) return { verdict: 'altered', doubt: 'not-a-list', differences: none };
  if (list.version !== version) return { verdict: 'altered', doubt: 'other-version', list, differences: none };
  const withPackages = [...list.files.keys()].some((path) => path.startsWith('node_modules/'));
  const differences = differencesFrom(list, installedFiles(root, withPackages));
  if (Object.values(differences).some((paths) => paths.length > 0))
    return { verdict: 'altered', doubt: 'other-files', list, differences };
  const doubt = signature === undefined ? 'no-signature' : key === undefined ? 'no-key' : undefined;
  return doubt === undefined
    ? { verdict: 'released', list, differences }
    : { verdict: 'unproven', doubt, list, differences };
}

function fileIfThere(path: string): Buffer | undefined {
  try {
    if (statSync(path).size > listLimit) throw new Error('it is too large');
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new DbguardError('part-missing', `cannot read ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

/** What lies in an installation: every file below its root, with its digest. Writes nothing, follows no link. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import { listFile, signatureFile } from './signed-list.js';

const pieceBytes = 1024 * 1024;

/**
 * @param root folder of the package
 * @param withPackages also what lies in its `node_modules`, which a release for a platform brings along and npm fills by itself
 * @returns path from the root, with `/` -> SHA-256 in hex, or what stands there in a file's place
 */
export function installedFiles(root: string, withPackages: boolean): Map<string, string> {
  const found = new Map<string, string>();
  const look = (folder: string): void => {
    for (const entry of entriesOf(join(root, folder))) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (path === listFile || path === signatureFile || (path === 'node_modules' && !withPackages)) continue;
      if (entry.isDirectory()) look(path);
      else found.set(path, entry.isFile() ? digestOf(join(root, path)) : 'not a file');
    }
  };
  look('');
  return found;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw unreadable(folder, error);
  }
}

/** A piece at a time: Node itself is among the files of a release for a platform. */
function digestOf(path: string): string {
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafe(pieceBytes);
  try {
    const descriptor = openSync(path, 'r');
    try {
      for (let read = readSync(descriptor, piece); read > 0; read = readSync(descriptor, piece))
        hash.update(piece.subarray(0, read));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  return hash.digest('hex');
}

function unreadable(path: string, error: unknown): DbguardError {
  return new DbguardError('part-missing', `cannot read ${path}: ${reasonOf(error)}`, {
    hint: 'Run this as a user who may read the whole installation.',
    cause: error,
  });
}

/**
 * Files that only this user may read: checked when read, replaced in one step when written.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { DbguardError, reasonOf } from '../../errors.js';

/** Undefined when there is no such file. Throws `token-store` when others may read it, own it, or it is no file. */
export function readPrivateFile(path: string): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw unusable(path, error);
  }
  try {
    const stat = fstatSync(fd); // of the open file: the name may lead elsewhere a moment later
    if (!stat.isFile()) throw new DbguardError('token-store', `${path} is not a regular file`);
    if (process.getuid && stat.uid !== process.getuid()) {
      throw new DbguardError('token-store', `${path} belongs to another user`, { hint: 'Remove it and log in again.' });
    }
    if (process.platform !== 'win32' && stat.mode & 0o077) {
      throw new DbguardError('token-store', `other users may open ${path}`, {
        hint: `Somebody may have read it: remove it, and run dbguard login again. (Or, if you are sure: chmod 600 '${path}')`,
      });
    }
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Readers see the old content or the new one, also after a crash or with a full disk. */
export function writePrivateFile(path: string, content: Uint8Array | string): void {
  const temporary = `${path}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const fd = openSync(temporary, 'wx', 0o600);
    try {
      const bytes = Buffer.from(content);
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw unusable(path, error);
  }
}

export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function unusable(path: string, error: unknown): DbguardError {
  return new DbguardError('token-store', `cannot use ${path}: ${reasonOf(error)}`, {
    hint: 'Check the folder’s permissions and the space on the disk, or set DBGUARD_HOME to another folder.',
  });
}

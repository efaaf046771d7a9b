/**
 * A folder as a write-once store: objects appear whole or not at all, and never change. For one machine, a shared mount,
 * tests. Its times are the file system's: evidence only where writers cannot change them.
 */
import { randomBytes } from 'node:crypto';
import { createReadStream, type Dirent, lstatSync, readdirSync, type Stats } from 'node:fs';
import { link, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import type { BucketObject } from '../../transcript/entry.js';
import { type HistoryBucket, type SkipTo, singleVersions } from '../../transcript/object-history.js';
import { makeFolders } from '../files/make-folders.js';

const KEY = /^(?!.*(?:^|\/)\.)[\w.=-]+(?:\/[\w.=-]+)*$/;
const PIECE = 256 * 1024;
/** Leading dot: never a valid key, so listings leave out what is half written. */
const PARTIAL = '.partial-';
const OWN_PARTIAL = /^\.partial-[0-9a-f]{16}$/;

/** @param path absolute */
export function openDirectoryBucket(path: string): HistoryBucket {
  const location = `file:${path}`;
  return {
    location,
    create: (key, bytes) => explained(location, () => create(join(path, checked(key)), bytes, key)),
    read: (key) => explained(location, () => readFile(join(path, checked(key))), key),
    pieces: (key) => pieces(join(path, checked(key)), location, key),
    async *list(prefix) {
      for await (const { key, size, createdAt, odd } of walkFrom(path, prefix, location)) {
        if (odd === undefined) yield { key, size, createdAt };
      }
    },
    history: (prefix, skipTo) => singleVersions(walkFrom(path, prefix, location, skipTo)),
    keeping: async () => 'none',
  };
}

/** link(2) is the one call that both creates atomically and refuses to replace. */
async function create(path: string, bytes: Uint8Array, key: string): Promise<void> {
  const folder = dirname(path);
  makeFolders(folder);
  const partial = join(folder, `${PARTIAL}${randomBytes(8).toString('hex')}`);
  try {
    await writeWhole(partial, bytes);
    try {
      await link(partial, path);
    } catch (error) {
      if (isErrno(error, 'EEXIST')) return await acceptSame(path, bytes, key);
      if (!isErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error;
      await createWithoutLinks(path, bytes, key);
    }
  } finally {
    await rm(partial, { force: true }).catch(() => undefined);
  }
  await syncFolder(folder);
}

/** exFAT and some network mounts have no hard links: exclusive, but visible while it is written. */
async function createWithoutLinks(path: string, bytes: Uint8Array, key: string): Promise<void> {
  try {
    await writeWhole(path, bytes);
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return acceptSame(path, bytes, key);
    await rm(path, { force: true });
    throw error;
  }
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o444);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function acceptSame(path: string, bytes: Uint8Array, key: string): Promise<void> {
  if (Buffer.compare(await readFile(path), bytes) === 0) return;
  throw new DbguardError('bucket-conflict', `the object ${key} exists already, with other content`);
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function* pieces(path: string, location: string, key: string): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: PIECE });
  const iterator: AsyncIterator<Buffer> = file[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await explained(location, () => iterator.next(), key);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    file.destroy();
  }
}

type Found = BucketObject & { readonly odd?: string };

/** In the order of the keys, as S3 lists. Also what no bucket would have made, with the reason. */
async function* walkFrom(root: string, prefix: string, location: string, skipTo?: SkipTo): AsyncGenerator<Found> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  if (folder !== '') checked(folder.slice(0, -1));
  const isSkipped = (key: string): boolean => {
    const next = skipTo?.(key);
    return next !== undefined && !next.startsWith(key);
  };
  const outside = (key: string): boolean => !(key.startsWith(prefix) || prefix.startsWith(key)) || isSkipped(key);
  yield* walk(root, folder, location, outside);
}

/** The calls to the file system are synchronous: a listing is nothing but those, and each costs a tenth so. */
async function* walk(
  root: string,
  folder: string,
  location: string,
  outside: (key: string) => boolean,
): AsyncGenerator<Found> {
  const entries = await explained(location, async () => readFolder(join(root, folder)));
  const named = entries.map((entry) => ({ entry, name: entry.isDirectory() ? `${entry.name}/` : entry.name }));
  named.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { entry, name } of named) {
    const key = `${folder}${name}`;
    if (OWN_PARTIAL.test(name) || outside(key)) continue;
    if (entry.isDirectory()) {
      yield* walk(root, key, location, outside);
      continue;
    }
    const found = lstatSync(join(root, key), { throwIfNoEntry: false });
    if (found === undefined) continue; // went away meanwhile
    const odd = oddity(found, key);
    yield { key, size: found.size, createdAt: found.mtimeMs, ...(odd === undefined ? {} : { odd }) };
  }
}

/** Why no bucket would have made it; undefined for what one could. */
function oddity(found: Stats, key: string): string | undefined {
  if (found.isSymbolicLink()) return 'a symbolic link';
  if (!found.isFile()) return 'no regular file';
  return /(?:^|\/)\./.test(key) ? 'a hidden file' : undefined;
}

function readFolder(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

function checked(key: string): string {
  if (!KEY.test(key)) throw new RangeError(`not an object key: ${JSON.stringify(key)}`);
  return key;
}

async function explained<T>(location: string, work: () => Promise<T>, key?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DbguardError || error instanceof RangeError) throw error;
    if (key !== undefined && isErrno(error, 'ENOENT')) {
      throw new DbguardError('transcript-unknown', `there is no object ${key} in ${location}`, { cause: error });
    }
    throw new DbguardError('bucket-unreachable', `cannot use the bucket ${location}: ${reasonOf(error)}`, {
      hint: 'Check that the folder exists, that you may write to it, and that its disk has room.',
      cause: error,
    });
  }
}

function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/**
 * Files that this machine has made and will take for its own again: a list of them with their digests, under a key that only
 * this user has. Whoever changes a file, swaps two, or writes a list of theirs has made a file that nobody takes.
 *
 * What lives here: the key, the list, the check. What it must not know: what is in the files.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface ListedFile {
  readonly name: string;
  /** SHA-256, hex. */
  readonly digest: string;
}

const KEY_FILE = 'cache-key';
const KEY_BYTES = 32;

/** The key of this user on this machine, made where there is none. @param state `stateDirs(env).state` */
export function cacheKey(state: string): Buffer {
  const path = join(state, KEY_FILE);
  const known = readKey(path);
  if (known !== undefined) return known;
  const key = randomBytes(KEY_BYTES);
  const own = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(own, key, { mode: 0o600, flag: 'wx' });
  renameSync(own, path);
  // another process may have been faster: what lies there now counts
  return readKey(path) ?? key;
}

function readKey(path: string): Buffer | undefined {
  if (!isOwnFile(path)) return undefined;
  const key = readFileSync(path);
  return key.length === KEY_BYTES ? key : undefined;
}

/** No link, nobody else's, and nobody else may read or write it. */
function isOwnFile(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() !== true) return false;
  if (process.platform === 'win32') return true;
  return stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0;
}

/** A list as it was written under this key for this place; undefined for any other. */
export function readList(path: string, key: Buffer, place: string): string | undefined {
  if (!isOwnFile(path)) return undefined;
  const text = readFileSync(path, 'utf8');
  const end = text.indexOf('\n');
  const [said, list] = [text.slice(0, end), text.slice(end + 1)];
  const right = macOf(list, key, place);
  const isRight = said.length === right.length && timingSafeEqual(Buffer.from(said), Buffer.from(right));
  return isRight ? list : undefined;
}

export function writeList(path: string, list: string, key: Buffer, place: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const own = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(own, `${macOf(list, key, place)}\n${list}`, { mode: 0o600, flag: 'wx' });
  renameSync(own, path);
}

/** @param place what the list is for: a list of another place is none here */
function macOf(list: string, key: Buffer, place: string): string {
  return createHmac('sha256', key).update(`${place.length} ${place}`).update(list).digest('hex');
}

export function listFile(folder: string, name: string): ListedFile {
  return { name, digest: digestOf(join(folder, name)) };
}

/** It is there as it was listed. */
export function isAsListed(folder: string, { name, digest }: ListedFile): boolean {
  const path = join(folder, name);
  return isOwnFile(path) && digestOf(path) === digest;
}

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

export function removeFile(path: string): void {
  rmSync(path, { force: true });
}

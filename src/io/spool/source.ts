/** The local spool read as if it were a bucket: what has not been uploaded yet can be shown too. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { DbguardError } from '../../errors.js';
import type { BucketObject } from '../../transcript/entry.js';
import { type HistoryBucket, singleVersions } from '../../transcript/object-history.js';
import { segmentKey } from '../../transcript/object-key.js';
import { listSpool } from './recovery.js';
import { spoolRoot } from './spool.js';
import { chunkPath, waitingSegments } from './waiting.js';

/** @param state dbguard's state folder */
export function spoolSource(state: string): Omit<HistoryBucket, 'create' | 'list'> {
  return {
    location: `spool in ${state}`,
    history: (prefix) => singleVersions(list(state, prefix)),
    keeping: async () => 'none',
    read: async (key) =>
      readChunk(spoolRoot(state), key) ?? packed(read(join(spoolRoot(state), key.replace(/\.gz$/, '')), key)),
  };
}

async function* list(state: string, under: string): AsyncGenerator<BucketObject> {
  const sessions = listSpool(state).sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
  for (const { prefix, folder } of sessions) {
    for (const { number, path } of waitingSegments(folder)) {
      const key = segmentKey(prefix, number);
      const stat = statSync(path, { throwIfNoEntry: false });
      if (key.startsWith(under) && stat && stat.size > 0) yield { key, size: stat.size, createdAt: stat.mtimeMs };
    }
  }
}

/** A chunk of a recording lies there as it will be in the bucket; undefined where the key is none's. */
function readChunk(root: string, key: string): Buffer | undefined {
  const path = chunkPath(root, key);
  try {
    return path === undefined ? undefined : readFileSync(path);
  } catch (cause) {
    throw notThere(key, cause);
  }
}

function notThere(key: string, cause: unknown): DbguardError {
  return new DbguardError('transcript-unknown', `there is no object ${key} in the spool`, { cause });
}

/** As it will be in the bucket: what is not packed there is nobody's segment. */
const packed = promisify<Buffer, Buffer>(gzip);

/** Whole lines only: a running session may be writing the next one. */
function read(path: string, key: string): Buffer {
  try {
    const bytes = readFileSync(path);
    return bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
  } catch (cause) {
    throw notThere(key, cause);
  }
}

/** What of a session waits in its folder of the spool: segments, and below `recordings/` chunks of its recordings. */
import { readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { segmentNumber, sessionPrefix } from '../../transcript/object-key.js';
import { recordingsFolder } from '../../transcript/recording.js';
import type { WaitingChunk, WaitingSegment } from './uploader.js';

/** In the order of their numbers. */
export function waitingSegments(folder: string): WaitingSegment[] {
  const segments: WaitingSegment[] = [];
  for (const name of readdirSync(folder)) {
    const number = segmentNumber(name);
    if (number !== undefined) segments.push({ number, path: join(folder, name) });
  }
  return segments.sort((a, b) => a.number - b.number);
}

/** @param session `prefix` as `sessionPrefix` gives it */
export function waitingChunks({
  folder,
  prefix,
}: {
  readonly folder: string;
  readonly prefix: string;
}): WaitingChunk[] {
  const place = prefix.replace(/^v1\//, '');
  const top = join(folder, recordingsFolder);
  return folders(top).flatMap((kept) =>
    readdirSync(join(top, kept))
      .filter((name) => CHUNK_NAME.test(name))
      .sort()
      .map((name) => ({ path: join(top, kept, name), key: `${recordingsFolder}${kept}/${place}${name}` })),
  );
}

const CHUNK_NAME = /^(?:results|terminal)-\d{8}-[0-9a-f]{16}\.jsonl\.gz(?:\.age)?$/;
const CHUNK_KEY = /^recordings\/(kept|\d{1,5}d)\/([0-9a-f]{32})\/([0-9a-z]{26})\/([^/]+)$/;

/** Where a chunk waits; undefined for a key that is no chunk's. @param root of the spool */
export function chunkPath(root: string, key: string): string | undefined {
  const [, kept, subject, sid, name = ''] = CHUNK_KEY.exec(key) ?? [];
  if (kept === undefined || subject === undefined || sid === undefined || !CHUNK_NAME.test(name)) return undefined;
  return join(root, sessionPrefix(subject, sid), recordingsFolder, kept, name);
}

/** Those that are empty. */
export function removeChunkFolders(folder: string): void {
  const top = join(folder, recordingsFolder);
  for (const one of [...folders(top).map((kept) => join(top, kept)), top]) {
    try {
      rmdirSync(one);
    } catch {
      // there is none, or something in it that is not ours
    }
  }
}

export function folders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return []; // nothing was ever recorded here
  }
}

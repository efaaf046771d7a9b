/** From what a person wrote to the store that it means. The S3 client is loaded only when there is an S3 bucket. */
import { resolve } from 'node:path';
import { DbguardError } from '../../errors.js';
import type { BucketConfig } from '../../policy/read-bucket.js';
import type { HistoryBucket } from '../../transcript/object-history.js';
import type { BucketAccess } from './access.js';
import { openDirectoryBucket } from './directory.js';

export async function openBucket(config: BucketConfig, access: BucketAccess): Promise<HistoryBucket> {
  if (config.kind === 'file') return openDirectoryBucket(resolve(config.path));
  const { openS3Bucket } = await import('./s3.js');
  return openS3Bucket(config, access);
}

/** `--bucket`: `file:./folder`, `s3://bucket/prefix`, or a path. Throws `usage`. */
export function parseBucketLocation(text: string, cwd: string): BucketConfig {
  const s3 = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([^?#]*))?$/.exec(text);
  if (s3?.[1] !== undefined) return { kind: 's3', bucket: s3[1], prefix: (s3[2] ?? '').replace(/^\/+|\/+$/g, '') };
  const path = /^file:(?:\/\/(?=\/))?(.+)$/.exec(text)?.[1] ?? text;
  if (path === '' || /^[a-z0-9+]+:/.test(path)) {
    throw new DbguardError('usage', `"${text}" is not a bucket`, { hint: 'Give file:./folder or s3://bucket/prefix.' });
  }
  return { kind: 'file', path: resolve(cwd, path) };
}

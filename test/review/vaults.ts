/** Buckets to tamper with: a folder, and S3 with versions. What an administrator could do is done to them directly. */
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openBucket } from '../../src/io/bucket/open.js';
import type { HistoryBucket } from '../../src/transcript/object-history.js';
import { type S3Server, testKey } from '../helpers/s3.js';
import { S3Store } from '../helpers/s3-store.js';
import type { StoredObject } from '../transcript/recorded.js';

export interface Vault {
  readonly bucket: HistoryBucket;
  readonly versions: boolean;
  /** Over whatever is there. */
  put(object: StoredObject): Promise<void> | void;
  /** A delete marker where versions are kept. */
  remove(key: string, at: number): Promise<void> | void;
  /** Every version that has content: what only an administrator without Object Lock can do. */
  purge(key: string): Promise<void> | void;
}

export async function folderVault(path: string): Promise<Vault> {
  return {
    bucket: await openBucket({ kind: 'file', path }, { env: {} }),
    versions: false,
    put({ key, bytes, createdAt }) {
      mkdirSync(dirname(join(path, key)), { recursive: true });
      writeFileSync(join(path, key), bytes);
      utimesSync(join(path, key), createdAt / 1000, createdAt / 1000);
    },
    remove: (key) => rmSync(join(path, key)),
    purge: (key) => rmSync(join(path, key)),
  };
}

let made = 0;

export async function s3Vault(server: S3Server): Promise<Vault> {
  const name = `evidence-${made++}`;
  const store = new S3Store();
  store.versioning = 'Enabled';
  server.buckets.set(name, store);
  process.env.AWS_ACCESS_KEY_ID = testKey.id;
  process.env.AWS_SECRET_ACCESS_KEY = testKey.secret;
  const settings = { kind: 's3', bucket: name, prefix: '', endpoint: server.endpoint } as const;
  return {
    bucket: await openBucket(settings, { env: {} }),
    versions: true,
    put: ({ key, bytes, createdAt }) =>
      void store.put(key, { body: Buffer.from(bytes), createdAt: new Date(createdAt) }),
    remove: (key, at) => store.remove(key, new Date(at)),
    purge(key) {
      for (const { id, object } of store.versions(key)) if (object) store.removeVersion(key, id);
    },
  };
}

/** A real S3 server as the tests need it: its owner's key, buckets, and what an administrator could do to them. */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { openBucket } from '../../src/io/bucket/open.js';
import type { Vault } from '../review/vaults.js';

export interface StoreKey {
  readonly id: string;
  readonly secret: string;
  /** Of keys that the store made for a while. */
  readonly token?: string;
}

/** What a statement of a policy allows. */
export interface Rights {
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
}

export interface RealStore {
  /** For people, with the version where the store tells it. */
  readonly name: string;
  readonly endpoint: string;
  /** Of the owner of every bucket. */
  readonly key: StoreKey;
  /** A key that may do this in a bucket and nothing else anywhere. */
  narrow(bucket: string, rights: Rights): Promise<StoreKey>;
  stop(): Promise<void>;
}

/** Credentials come from the environment, as the SDK finds them. */
export function setKey({ id, secret, token }: StoreKey): void {
  process.env.AWS_ACCESS_KEY_ID = id;
  process.env.AWS_SECRET_ACCESS_KEY = secret;
  if (token === undefined) delete process.env.AWS_SESSION_TOKEN;
  else process.env.AWS_SESSION_TOKEN = token;
}

export function adminOf({ endpoint, key }: Pick<RealStore, 'endpoint' | 'key'>): S3Client {
  const credentials = { accessKeyId: key.id, secretAccessKey: key.secret };
  return new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
}

export async function createVersionedBucket(admin: S3Client, name: string): Promise<void> {
  await admin.send(new CreateBucketCommand({ Bucket: name }));
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await admin.send(new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration }));
}

/** A new bucket with versions. Times are the server's own: those that are asked for are not heeded. */
export async function openRealVault(store: RealStore, name: string): Promise<Vault> {
  const admin = adminOf(store);
  await createVersionedBucket(admin, name);
  setKey(store.key);
  const bucket = await openBucket({ kind: 's3', bucket: name, prefix: '', endpoint: store.endpoint }, { env: {} });
  return {
    bucket,
    versions: true,
    async put({ key, bytes }) {
      await admin.send(new PutObjectCommand({ Bucket: name, Key: key, Body: bytes }));
    },
    async remove(key) {
      await admin.send(new DeleteObjectCommand({ Bucket: name, Key: key }));
    },
    async purge(key) {
      const { Versions = [] } = await admin.send(new ListObjectVersionsCommand({ Bucket: name, Prefix: key }));
      for (const { VersionId } of Versions) {
        await admin.send(new DeleteObjectCommand({ Bucket: name, Key: key, VersionId }));
      }
    },
  };
}

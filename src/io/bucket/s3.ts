/**
 * An S3 bucket, or what speaks its API, as a write-once store. Objects are made by `WriteOnce`, whole, never multipart.
 */
import { GetObjectCommand, ListObjectsV2Command, S3ServiceException } from '@aws-sdk/client-s3';
import { DbguardError } from '../../errors.js';
import type { S3BucketConfig } from '../../policy/read-bucket.js';
import type { BucketObject } from '../../transcript/entry.js';
import {
  type HistoryBucket,
  type ObjectHistory,
  type SkipTo,
  singleVersions,
} from '../../transcript/object-history.js';
import type { BucketAccess } from './access.js';
import { explain, type OpenedBucket, openS3 } from './s3-client.js';
import { keyReader, refusal, s3Keeping, s3Versions } from './s3-versions.js';
import { WriteOnce } from './s3-write-once.js';

export function openS3Bucket(config: S3BucketConfig, access: BucketAccess): HistoryBucket {
  const opened = openS3(config, access);
  const { location } = opened;
  const store = new WriteOnce(opened);
  return {
    location,
    create: (key, bytes, signal) => create(opened, store, key, bytes, signal),
    read: (key, version) => read(opened, key, version),
    pieces: (key, version) => pieces(opened, key, version),
    list: (under) => list(opened, under),
    history: (under, skipTo) => history(opened, under, skipTo),
    keeping: () =>
      s3Keeping(opened).catch((error: unknown) => {
        throw explain(error, location);
      }),
  };
}

async function create(
  opened: OpenedBucket,
  store: WriteOnce,
  key: string,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  if ((await store.create(key, bytes, signal)) === 'created') return;
  // A PUT whose answer was lost, and that was sent again, meets its own object.
  const existing = await read(opened, key).catch(() => undefined);
  if (existing !== undefined && Buffer.compare(existing, bytes) === 0) return;
  const state = existing === undefined ? 'and may not be read' : 'with other content';
  throw new DbguardError('bucket-conflict', `the object ${key} exists already in ${opened.location}, ${state}`);
}

async function read(opened: OpenedBucket, key: string, version?: string): Promise<Uint8Array> {
  try {
    return await (await get(opened, key, version)).transformToByteArray();
  } catch (error) {
    throw unread(error, opened, key);
  }
}

async function* pieces(opened: OpenedBucket, key: string, version?: string): AsyncGenerator<Uint8Array> {
  try {
    const body: AsyncIterable<Uint8Array> = (await get(opened, key, version)).transformToWebStream();
    yield* body;
  } catch (error) {
    throw unread(error, opened, key);
  }
}

async function get({ client, config, prefix }: OpenedBucket, key: string, version?: string) {
  const { Body } = await client.send(
    new GetObjectCommand({
      Bucket: config.bucket,
      Key: prefix + key,
      ChecksumMode: 'ENABLED',
      ...(version === undefined ? {} : { VersionId: version }),
    }),
  );
  if (Body === undefined) throw new Error('the answer has no body');
  return Body;
}

function unread(error: unknown, { location }: OpenedBucket, key: string): DbguardError {
  if (error instanceof S3ServiceException && ['NoSuchKey', 'NoSuchVersion'].includes(error.name)) {
    return new DbguardError('transcript-unknown', `there is no object ${key} in ${location}`, { cause: error });
  }
  return explain(error, location);
}

async function* list(
  { client, config, location, prefix }: OpenedBucket,
  under: string,
  skipTo?: SkipTo,
): AsyncGenerator<BucketObject> {
  let from: { ContinuationToken?: string; StartAfter?: string } = {};
  for (;;) {
    const page = await client
      .send(
        new ListObjectsV2Command({
          Bucket: config.bucket,
          Prefix: prefix + under,
          EncodingType: 'url',
          ...from,
        }),
      )
      .catch((error: unknown) => {
        throw explain(error, location);
      });
    const keyOf = keyReader(page.EncodingType);
    let last = '';
    for (const { Key, Size, LastModified } of page.Contents ?? []) {
      if (Key === undefined || LastModified === undefined) continue;
      last = keyOf(Key).slice(prefix.length);
      yield { key: last, size: Size ?? 0, createdAt: LastModified.getTime() };
    }
    if (page.NextContinuationToken === undefined) return;
    const further = skipTo?.(last);
    from = further === undefined ? { ContinuationToken: page.NextContinuationToken } : { StartAfter: prefix + further };
  }
}

/** Where versions may not be listed, or are not known, what is there now; `keeping` says which it is. */
async function* history(opened: OpenedBucket, under: string, skipTo?: SkipTo): AsyncGenerator<ObjectHistory> {
  const versions = s3Versions(opened, under, skipTo);
  try {
    const first = await versions.next().catch((error: unknown) => refusal(error));
    if (typeof first === 'string') {
      yield* singleVersions(list(opened, under, skipTo));
      return;
    }
    if (!first.done) yield first.value;
    yield* versions;
  } catch (error) {
    throw explain(error, opened.location);
  }
}

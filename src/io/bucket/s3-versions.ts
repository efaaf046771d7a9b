/**
 * What an S3 bucket keeps of an object: ListObjectVersions, for verification.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
 */
import {
  GetBucketVersioningCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import {
  HistoryBuilder,
  type ObjectHistory,
  type SkipTo,
  type VersionKeeping,
} from '../../transcript/object-history.js';
import type { OpenedBucket } from './s3-client.js';

/** The version id of what was stored while the bucket kept no versions. */
const UNVERSIONED = 'null';

/** Rejects with what the client throws; `refusal` says whether it is about versions. */
export async function* s3Versions(opened: OpenedBucket, under: string, skipTo?: SkipTo): AsyncGenerator<ObjectHistory> {
  let after: { KeyMarker?: string; VersionIdMarker?: string } = {};
  /** The last key of a page may go on in the next one. */
  let current: HistoryBuilder | undefined;
  for (;;) {
    const page = await onePage(opened, under, after);
    const keyOf = keyReader(page.EncodingType);
    for (const { key, ...version } of entriesOf(page, keyOf, opened.prefix)) {
      if (current !== undefined && current.key !== key) yield current.history();
      if (current?.key !== key) current = new HistoryBuilder(key);
      current.add(version);
    }
    if (page.IsTruncated !== true || page.NextKeyMarker === undefined) break;
    const marker = keyOf(page.NextKeyMarker);
    const further = skipTo?.(marker.slice(opened.prefix.length));
    after =
      further === undefined
        ? { KeyMarker: marker, ...(page.NextVersionIdMarker ? { VersionIdMarker: page.NextVersionIdMarker } : {}) }
        : { KeyMarker: opened.prefix + further };
  }
  if (current !== undefined) yield current.history();
}

function onePage(
  { client, config, prefix }: OpenedBucket,
  under: string,
  after: object,
): Promise<ListObjectVersionsCommandOutput> {
  return client.send(
    new ListObjectVersionsCommand({ Bucket: config.bucket, Prefix: prefix + under, EncodingType: 'url', ...after }),
  );
}

/** Versions and delete markers come in two lists; here in one, by key, each key's in the order of its list. */
function entriesOf(page: ListObjectVersionsCommandOutput, keyOf: (key: string) => string, prefix: string) {
  const all = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? []).map((one) => ({ ...one, deletes: true }))];
  const entries = all.flatMap((one) => {
    if (one.Key === undefined || one.LastModified === undefined) return [];
    const id = one.VersionId;
    return {
      key: keyOf(one.Key).slice(prefix.length),
      size: 'Size' in one ? (one.Size ?? 0) : 0,
      createdAt: one.LastModified.getTime(),
      ...(id === undefined || id === '' ? {} : { version: id }),
      ...('deletes' in one ? { deletes: true as const } : {}),
    };
  });
  // Stable, and by bytes as S3 orders keys: UTF-16 would order them otherwise.
  return entries
    .map((entry) => ({ entry, bytes: Buffer.from(entry.key) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ entry }) => entry);
}

/** XML cannot hold every key: they are asked for URL-encoded, and not every store does as it is asked. */
export function keyReader(encodingType: string | undefined): (key: string) => string {
  return encodingType === 'url' ? (key) => decodeURIComponent(key.replaceAll('+', ' ')) : (key) => key;
}

/** As the bucket says of itself, else as its objects show. */
export async function s3Keeping(opened: OpenedBucket): Promise<VersionKeeping> {
  const listed = await onePage(opened, '', { MaxKeys: 1 }).catch((error: unknown) => refusal(error));
  if (listed === 'denied') return 'hidden';
  if (listed === 'unknown-call') return 'none';
  const { client, config } = opened;
  const said = await client
    .send(new GetBucketVersioningCommand({ Bucket: config.bucket }))
    .catch((error: unknown) => refusal(error));
  if (said === 'unknown-call') return 'none';
  if (said !== 'denied') {
    if (said.Status === 'Enabled') return 'kept';
    return said.Status === 'Suspended' ? 'suspended' : 'none';
  }
  const ids = [...(listed.Versions ?? []), ...(listed.DeleteMarkers ?? [])].map(({ VersionId }) => VersionId);
  return ids.some((id) => id !== undefined && id !== '' && id !== UNVERSIONED) ? 'kept' : 'none';
}

/** Rethrows what is not about versions: a network that is away says nothing about a bucket. */
export function refusal(error: unknown): 'denied' | 'unknown-call' {
  if (error instanceof S3ServiceException) {
    const { name } = error;
    const status = error.$metadata.httpStatusCode;
    if (name === 'AccessDenied' || name === 'Forbidden' || (status === 403 && name === 'UnknownError')) return 'denied';
    if (name === 'NotImplemented' || name === 'MethodNotAllowed' || status === 501 || status === 405) {
      return 'unknown-call';
    }
  }
  throw error;
}

/** The XML that S3 answers with. Keys are URL-encoded where that is asked for, because XML cannot hold every key. */
import type { S3Store } from './s3-store.js';

/** Few, so that paging is exercised. */
const pageSize = 2;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export function listObjects(store: S3Store, query: URLSearchParams, page = pageSize): string {
  const prefix = query.get('prefix') ?? '';
  const token = query.get('continuation-token');
  const after = token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString();
  const keys = store
    .keys()
    .filter((key) => key.startsWith(prefix) && Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0);
  const shown = keys.slice(0, limit(query, page));
  const more = keys.length > shown.length;
  const encoded = encoder(query);
  const contents = shown.map((key) => {
    const object = store.get(key);
    const modified = object?.createdAt.toISOString();
    return `<Contents><Key>${encoded(key)}</Key><LastModified>${modified}</LastModified><Size>${object?.body.length}</Size></Contents>`;
  });
  const next = more
    ? `<NextContinuationToken>${Buffer.from(shown.at(-1) ?? '').toString('base64url')}</NextContinuationToken>`
    : '';
  return `<ListBucketResult><IsTruncated>${more}</IsTruncated>${encodingType(query)}${next}${contents.join('')}</ListBucketResult>`;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html */
export function listVersions(store: S3Store, query: URLSearchParams, page = pageSize): string {
  const prefix = query.get('prefix') ?? '';
  const all = store
    .allKeys()
    .filter((key) => key.startsWith(prefix))
    .flatMap((key) => store.versions(key).map((version, at) => ({ key, version, latest: at === 0 })));
  const markers = [query.get('key-marker') ?? '', query.get('version-id-marker') ?? ''] as const;
  const rest = all.slice(startOf(all, markers));
  const shown = rest.slice(0, limit(query, page));
  const more = rest.length > shown.length;
  const last = shown.at(-1);
  const encoded = encoder(query);
  const items = shown.map(({ key, version, latest }) => {
    const common = `<Key>${encoded(key)}</Key><VersionId>${version.id}</VersionId><IsLatest>${latest}</IsLatest><LastModified>${version.createdAt.toISOString()}</LastModified>`;
    return version.object === undefined
      ? `<DeleteMarker>${common}</DeleteMarker>`
      : `<Version>${common}<Size>${version.object.body.length}</Size></Version>`;
  });
  const next =
    more && last
      ? `<NextKeyMarker>${encoded(last.key)}</NextKeyMarker><NextVersionIdMarker>${last.version.id}</NextVersionIdMarker>`
      : '';
  return `<ListVersionsResult><IsTruncated>${more}</IsTruncated>${encodingType(query)}${next}${items.join('')}</ListVersionsResult>`;
}

type Listed = readonly { readonly key: string; readonly version: { readonly id: string } }[];

/** Where the version that the markers name has been left behind: without an id, all versions of its key. */
function startOf(all: Listed, [keyMarker, idMarker]: readonly [string, string]): number {
  const marked =
    idMarker === '' ? -1 : all.findIndex(({ key, version }) => key === keyMarker && version.id === idMarker);
  if (marked >= 0) return marked + 1;
  const marker = Buffer.from(keyMarker);
  const later = all.findIndex(({ key }) => Buffer.compare(Buffer.from(key), marker) > 0);
  return later < 0 ? all.length : later;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html */
export function versioningOf({ versioning }: S3Store): string {
  return `<VersioningConfiguration>${versioning === undefined ? '' : `<Status>${versioning}</Status>`}</VersioningConfiguration>`;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html */
export function lockOf({ lockDays }: S3Store): string | undefined {
  if (lockDays === undefined) return undefined;
  const rule = `<Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Days>${lockDays}</Days></DefaultRetention></Rule>`;
  return `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>${lockDays > 0 ? rule : ''}</ObjectLockConfiguration>`;
}

export function escaped(text: string): string {
  return text.replace(/[<>&"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

function limit(query: URLSearchParams, page: number): number {
  return Math.min(page, Number(query.get('max-keys') ?? page));
}

function encoder(query: URLSearchParams): (key: string) => string {
  return query.get('encoding-type') === 'url' ? (key) => encodeURIComponent(key).replaceAll('%2F', '/') : escaped;
}

function encodingType(query: URLSearchParams): string {
  return query.get('encoding-type') === 'url' ? '<EncodingType>url</EncodingType>' : '';
}

/**
 * What a page carries: the objects of its sessions as the bucket had them, and everything else that verification asks
 * for, as it was answered when the page was made. Who reads a page may hold none of it for true before it is verified;
 * what verification cannot check is whoever made the page's own word.
 */
import { DbguardError } from '../../errors.js';
import type { JsonWebKeySet } from '../../identity/signed-claims.js';
import type { Finding } from '../../transcript/finding.js';
import { isRecord } from '../../transcript/line.js';
import type { ObjectHistory, VersionKeeping } from '../../transcript/object-history.js';
import type { ObjectReader, SegmentObject, SessionObjects } from '../catalog.js';
import type { IdentityDemands } from '../identity-demands.js';
import type { FoundKeys, IssuerKeySource } from '../issuer-keys.js';

/** Of the data, not of dbguard. */
export const PAGE_VERSION = 1;

export interface PageData {
  readonly v: typeof PAGE_VERSION;
  /** Milliseconds since 1970 UTC: when it was made, and as of when it is verified. */
  readonly madeAt: number;
  /** Version of dbguard. */
  readonly version: string;
  /** The bucket, for people. */
  readonly location: string;
  readonly keeping: VersionKeeping;
  readonly retentionDays?: number;
  readonly demands: IdentityDemands;
  readonly issuerKeys: readonly IssuerAnswer[];
  readonly sessions: readonly PageSession[];
  readonly objects: readonly PageObject[];
  /** Chunks of recordings as they lay in the bucket, mostly encrypted; undefined where none were put in. */
  readonly recordings?: readonly PageObject[];
}

/** What was known of an issuer: its keys, or why nothing could be asked. */
export type IssuerAnswer =
  | { readonly issuer: string; readonly found: readonly FoundKeys[] }
  | { readonly issuer: string; readonly failed: string };

export interface PageSession {
  readonly subject: string;
  readonly sid: string;
  readonly segments: readonly SegmentObject[];
  readonly redactions: readonly ObjectHistory[];
  readonly strangers: { readonly keys: string[]; readonly count: number };
  /** What was found between this session and others of the bucket, which are not in the page. */
  readonly between: readonly Finding[];
}

/** An object's bytes, or why there are none. */
export type PageObject =
  | { readonly key: string; readonly version?: string; readonly gz: string }
  | { readonly key: string; readonly version?: string; readonly problem: string };

/** @param object without its bytes */
export function objectName({ key, version }: { readonly key: string; readonly version?: string | undefined }): string {
  return version === undefined ? key : `${key}\n${version}`;
}

/** Throws `transcript-invalid` for what is no page's data: then there is nothing to verify. */
export function parsePageData(text: string): PageData {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unusable();
  }
  if (!isRecord(value) || value.v !== PAGE_VERSION) throw unusable();
  const lists = [value.issuerKeys, value.sessions, value.objects];
  if (value.recordings !== undefined && !Array.isArray(value.recordings)) throw unusable();
  if (!lists.every(Array.isArray) || !isRecord(value.demands) || typeof value.madeAt !== 'number') throw unusable();
  const { sessions } = value as unknown as PageData;
  if (sessions.length === 0 || !sessions.every(isSession)) throw unusable();
  return value as unknown as PageData;
}

function isSession(value: unknown): boolean {
  if (!isRecord(value) || typeof value.sid !== 'string' || typeof value.subject !== 'string') return false;
  return [value.segments, value.redactions, value.between].every(Array.isArray) && isRecord(value.strangers);
}

function unusable(): DbguardError {
  return new DbguardError(
    'transcript-invalid',
    'the page does not carry what a page carries: it was changed or cut off',
  );
}

/** The objects of a page as a bucket. */
export function pageSource({ objects, location }: Pick<PageData, 'objects' | 'location'>): ObjectReader {
  const byName = new Map(objects.map((object) => [objectName(object), object]));
  return {
    location,
    async read(key, version) {
      const object = byName.get(objectName({ key, version })) ?? byName.get(key);
      if (object !== undefined && 'gz' in object) return Buffer.from(object.gz, 'base64');
      throw new DbguardError('transcript-unknown', object?.problem ?? `${key} is not in this page`);
    },
  };
}

/** The chunks of a page as a bucket. Who says to carry them and does not has lost one, or somebody has taken it out. */
export function chunkSource({ recordings = [] }: Pick<PageData, 'recordings'>): Pick<ObjectReader, 'read'> {
  const byKey = new Map(recordings.map((object) => [object.key, object]));
  return {
    async read(key) {
      const object = byKey.get(key);
      if (object === undefined) throw new DbguardError('transcript-invalid', 'it was taken out of this page');
      if ('gz' in object) return Buffer.from(object.gz, 'base64');
      throw new DbguardError('transcript-unknown', object.problem);
    },
  };
}

/** @param own keys that the reader has given, of whatever issuer; then those of the page count for nothing */
export function pageKeys({ issuerKeys }: Pick<PageData, 'issuerKeys'>, own?: JsonWebKeySet): IssuerKeySource {
  return {
    async keysOf(issuer) {
      if (own !== undefined) return [{ ...own, origin: 'the key set that you gave' }];
      const answer = issuerKeys.find((one) => one.issuer === issuer);
      if (answer === undefined) return [];
      if ('failed' in answer) throw new Error(answer.failed);
      return answer.found;
    },
  };
}

export function objectsOf({ between: _between, ...session }: PageSession): SessionObjects {
  return session as SessionObjects;
}

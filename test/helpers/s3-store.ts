/**
 * The objects of one bucket as S3 keeps them: versions and delete markers where versioning is on, Object Lock, and what
 * a store does that does not hold to the API.
 */
import { createHash } from 'node:crypto';

export interface S3Object {
  readonly body: Buffer;
  readonly createdAt: Date;
  readonly lock?: { readonly mode: string; readonly until: Date };
  readonly encryption?: string;
}

export interface S3Version {
  readonly id: string;
  /** Undefined for a delete marker. */
  readonly object?: S3Object;
  readonly createdAt: Date;
}

/** What was stored while the bucket kept no versions. */
const unversioned = 'null';

export class S3Store {
  /** Replaced by tests. A bucket that once kept versions can only suspend that. */
  versioning: 'Enabled' | 'Suspended' | undefined;
  /** Replaced by tests: Object Lock with this default retention, in days. */
  lockDays: number | undefined;
  /** Newest first, as S3 lists. */
  readonly #keys = new Map<string, S3Version[]>();
  /** Until a key comes or goes. */
  #sorted: string[] | undefined;
  #next = 0;

  /** What a GET without a version id finds. */
  get(key: string): S3Object | undefined {
    return this.#keys.get(key)?.[0]?.object;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  keys(): string[] {
    return [...this.#keys.keys()].filter((key) => this.has(key)).sort(byBytes);
  }

  /** Every key that has any version. */
  allKeys(): readonly string[] {
    this.#sorted ??= [...this.#keys.keys()].sort(byBytes);
    return this.#sorted;
  }

  versions(key: string): readonly S3Version[] {
    return this.#keys.get(key) ?? [];
  }

  /** Returns the version's id; `null` where no versions are kept. */
  put(key: string, object: S3Object): string {
    return this.#push(key, { id: this.#id(), object, createdAt: object.createdAt });
  }

  /** DELETE without a version id. */
  remove(key: string, createdAt: Date): void {
    if (this.versioning !== undefined) this.#push(key, { id: this.#id(), createdAt });
    else this.#forget(key);
  }

  removeVersion(key: string, id: string): void {
    const left = this.versions(key).filter((version) => version.id !== id);
    if (left.length > 0) this.#keys.set(key, left);
    else this.#forget(key);
  }

  #forget(key: string): void {
    this.#keys.delete(key);
    this.#sorted = undefined;
  }

  #push(key: string, version: S3Version): string {
    const kept = this.#keys.get(key);
    if (kept === undefined) this.#sorted = undefined;
    if (kept !== undefined && version.id !== unversioned) kept.unshift(version);
    else this.#keys.set(key, [version, ...(kept ?? []).filter(({ id }) => id !== version.id)]);
    return version.id;
  }

  #id(): string {
    if (this.versioning !== 'Enabled') return unversioned;
    return createHash('sha256')
      .update(`version ${this.#next++}`)
      .digest('base64url')
      .slice(0, 32);
  }
}

/** S3 orders keys by the bytes of their UTF-8. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

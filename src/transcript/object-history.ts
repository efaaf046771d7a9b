/**
 * What became of an object. A store with versions keeps what a PUT replaced and what a DELETE hid; the first version is
 * the one that counts, because only it was there when the bucket's clock says.
 */
import type { Bucket, BucketObject } from './entry.js';

export interface ObjectVersion {
  /** The store's own name for it; undefined where the store keeps no versions. */
  readonly version?: string;
  readonly size: number;
  /** Milliseconds since 1970 UTC, by the bucket's clock. */
  readonly createdAt: number;
  /** A delete marker: since then the object looks deleted. */
  readonly deletes?: true;
}

/** `size` and `createdAt` are those of the first version that has content. */
export interface ObjectHistory extends BucketObject {
  readonly version?: string;
  /** Every other version, oldest first; of very many only some. */
  readonly others: readonly ObjectVersion[];
  /** How many others there are. */
  readonly otherCount: number;
  /** Nothing but delete markers is left. */
  readonly gone?: true;
  /** Why this is no object that a bucket would hold: a symbolic link in a folder. */
  readonly odd?: string;
}

/**
 * `kept`: an overwrite or a deletion leaves the version before. `suspended`: it did once. `none`: the store keeps no
 * versions. `hidden`: it may, but these credentials may not list them.
 */
export type VersionKeeping = 'kept' | 'suspended' | 'none' | 'hidden';

/**
 * Where a reader that has come to a key wants to go on: a later key, before which it needs nothing. Undefined: right
 * behind. A source may leave out what lies between; it need not.
 */
export type SkipTo = (key: string) => string | undefined;

/** What verification reads: every object, with what became of it. */
export interface HistorySource {
  /** In the order of the keys. */
  history(prefix: string, skipTo?: SkipTo): AsyncIterable<ObjectHistory>;
  keeping(): Promise<VersionKeeping>;
}

/** A bucket that tells what became of its objects. */
export interface HistoryBucket extends Bucket, HistorySource {}

/** Versions of one object that are held in memory; the first and the last are always among them. */
const KEPT = 32;

/** Collects the versions of one key in any order, in bounded memory. */
export class HistoryBuilder {
  readonly key: string;
  readonly #versions: (ObjectVersion & { readonly order: number })[] = [];
  #count = 0;

  constructor(key: string) {
    this.key = key;
  }

  /** Stores list the newest first; of the same second, what comes later in the list is older. */
  add(version: ObjectVersion): void {
    this.#versions.push({ ...version, order: this.#count++ });
    if (this.#versions.length <= KEPT) return;
    this.#versions.sort(oldestFirst);
    this.#versions.splice(KEPT / 2, 1);
  }

  history(): ObjectHistory {
    const sorted = this.#versions.sort(oldestFirst).map(({ order: _order, ...version }) => version);
    const first = sorted.find(({ deletes }) => deletes !== true);
    const counts = first ?? sorted[0] ?? { size: 0, createdAt: 0 };
    const { version, size, createdAt } = counts;
    return {
      key: this.key,
      size,
      createdAt,
      ...(version === undefined ? {} : { version }),
      others: sorted.filter((one) => one !== counts),
      otherCount: this.#count - 1,
      ...(first === undefined ? { gone: true } : {}),
    };
  }
}

function oldestFirst(
  a: ObjectVersion & { readonly order: number },
  b: ObjectVersion & { readonly order: number },
): number {
  return a.createdAt - b.createdAt || Number(a.deletes ?? false) - Number(b.deletes ?? false) || b.order - a.order;
}

/** Of a store that has one version of everything. */
export async function* singleVersions(objects: AsyncIterable<BucketObject>): AsyncGenerator<ObjectHistory> {
  for await (const object of objects) yield { ...object, others: [], otherCount: 0 };
}

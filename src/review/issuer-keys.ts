/**
 * Where verification gets an issuer's public keys from. Keys rotate: the ones of a year ago are in the leads' archive,
 * or nowhere.
 */
import { DbguardError, messageOf } from '../errors.js';
import type { IssuerKey } from '../identity/identity.js';
import type { JsonWebKeySet } from '../identity/signed-claims.js';
import type { Bucket } from '../transcript/entry.js';
import { issuerKeysPrefix } from '../transcript/object-key.js';

export interface FoundKeys extends JsonWebKeySet {
  /** For people: who has to be trusted for these keys. */
  readonly origin: string;
  /** Found where the transcript was found: whoever may write there could have made both. */
  readonly unvouched?: true;
}

export interface IssuerKeySource {
  /** Most trusted first; empty when there are none for this issuer. Rejects when nothing could be asked. */
  keysOf(issuer: string): Promise<readonly FoundKeys[]>;
}

export interface JudgedUnder<T> {
  readonly verified: T;
  readonly keys: FoundKeys;
}

export type Judged<T> =
  | JudgedUnder<T>
  /** Something is wrong with the evidence itself. */
  | { readonly refused: string }
  /** No key at hand can judge it: issuers rotate their keys. */
  | { readonly unknown: string };

/** Checked under each key set in turn; the words of the most trusted one's refusal when none fits. */
export async function firstUnder<T>(
  found: readonly FoundKeys[],
  check: (keys: FoundKeys) => Promise<T>,
): Promise<Judged<T>> {
  let unknown: string | undefined;
  let refused: string | undefined;
  for (const keys of found) {
    try {
      return { verified: await check(keys), keys };
    } catch (error) {
      // Whoever can put keys beside the transcripts must not turn somebody else's into forged ones.
      const undecided = keys.unvouched || (error instanceof DbguardError && error.code === 'issuer-key-unknown');
      if (undecided) unknown ??= messageOf(error);
      else refused ??= messageOf(error);
    }
  }
  if (refused !== undefined) return { refused };
  return { unknown: unknown ?? 'no keys of it are known here' };
}

/** `jwks/<issuer hash>/<kid>.json` in a bucket or folder that only leads can write. */
export function archivedKeys(archive: Pick<Bucket, 'location' | 'list' | 'read'>): IssuerKeySource {
  return {
    async keysOf(issuer) {
      const keys: IssuerKey[] = [];
      for await (const { key } of archive.list(issuerKeysPrefix(issuer))) {
        const jwk = parseKey(await archive.read(key));
        if (jwk) keys.push(jwk);
      }
      return keys.length === 0 ? [] : [{ keys, origin: `archive in ${archive.location}` }];
    },
  };
}

/** Keys that lie beside the transcripts and that nobody has named as trusted. */
export function unvouched(source: IssuerKeySource): IssuerKeySource {
  return {
    keysOf: async (issuer) => (await source.keysOf(issuer)).map((found) => ({ ...found, unvouched: true })),
  };
}

/** A key set that somebody keeps in a file. Throws TypeError when it is none. */
export function pinnedKeys(text: string, origin: string): IssuerKeySource {
  const value: unknown = JSON.parse(text);
  const list = typeof value === 'object' && value !== null && 'keys' in value ? value.keys : undefined;
  if (!Array.isArray(list)) throw new TypeError('not a JSON Web Key Set');
  const keys = list.filter(isIssuerKey);
  return { keysOf: async () => [{ keys, origin }] };
}

/** All that any of them knows, in their order; asks each issuer once. One that fails matters only if no other has keys. */
export function allOf(sources: readonly IssuerKeySource[]): IssuerKeySource {
  const known = new Map<string, Promise<readonly FoundKeys[]>>();
  return {
    keysOf(issuer) {
      const found = known.get(issuer) ?? gather(sources, issuer);
      known.set(issuer, found);
      return found;
    },
  };
}

async function gather(sources: readonly IssuerKeySource[], issuer: string): Promise<readonly FoundKeys[]> {
  const results = await Promise.allSettled(sources.map((source) => source.keysOf(issuer)));
  const found = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (found.length === 0 && failed) throw failed.reason;
  return found;
}

function parseKey(bytes: Uint8Array): IssuerKey | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return isIssuerKey(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isIssuerKey(value: unknown): value is IssuerKey {
  return typeof value === 'object' && value !== null && 'kty' in value && typeof value.kty === 'string';
}

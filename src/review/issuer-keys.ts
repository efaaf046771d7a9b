/**
 * Where verification gets an issuer's public keys from. Keys rotate: the ones of a year ago are in the leads' archive,
 * or nowhere.
 */
import type { JsonWebKeySet } from '../identity/id-token.js';
import type { IssuerKey } from '../identity/identity.js';
import { issuerKeysPrefix } from '../transcript/object-key.js';
import type { ObjectSource } from './catalog.js';

export interface FoundKeys extends JsonWebKeySet {
  /** For people: who has to be trusted for these keys. */
  readonly origin: string;
}

export interface IssuerKeySource {
  /** Undefined when there are none for this issuer. Rejects when the source cannot be read. */
  keysOf(issuer: string): Promise<FoundKeys | undefined>;
}

/** `jwks/<issuer hash>/<kid>.json` in a bucket or folder that only leads can write. */
export function archivedKeys(archive: ObjectSource): IssuerKeySource {
  return {
    async keysOf(issuer) {
      const keys: IssuerKey[] = [];
      for await (const { key } of archive.list(issuerKeysPrefix(issuer))) {
        const jwk = parseKey(await archive.read(key));
        if (jwk) keys.push(jwk);
      }
      return keys.length === 0 ? undefined : { keys, origin: `archive in ${archive.location}` };
    },
  };
}

/** A key set that somebody keeps in a file. Throws TypeError when it is none. */
export function pinnedKeys(text: string, origin: string): IssuerKeySource {
  const value: unknown = JSON.parse(text);
  const list = typeof value === 'object' && value !== null && 'keys' in value ? value.keys : undefined;
  if (!Array.isArray(list)) throw new TypeError('not a JSON Web Key Set');
  const keys = list.filter(isIssuerKey);
  return { keysOf: async () => ({ keys, origin }) };
}

/** All that any of them knows; asks each issuer once. A source that fails is left out if another one has keys. */
export function firstOf(sources: readonly IssuerKeySource[]): IssuerKeySource {
  const known = new Map<string, Promise<FoundKeys | undefined>>();
  return {
    keysOf(issuer) {
      const found = known.get(issuer) ?? merge(sources, issuer);
      known.set(issuer, found);
      return found;
    },
  };
}

async function merge(sources: readonly IssuerKeySource[], issuer: string): Promise<FoundKeys | undefined> {
  const results = await Promise.allSettled(sources.map((source) => source.keysOf(issuer)));
  const found = results.flatMap((result) => (result.status === 'fulfilled' && result.value ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (found.length === 0 && failed) throw failed.reason;
  if (found.length === 0) return undefined;
  return { keys: found.flatMap((one) => one.keys), origin: found.map((one) => one.origin).join(', ') };
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

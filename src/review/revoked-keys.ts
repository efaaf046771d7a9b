/**
 * Login keys that nobody may sign with any more: a machine was lost, a person has left. The list is in the leads' archive,
 * one object a key, `revoked/<thumbprint>-<hash>.json`; only an archive that the reader has named counts, since whoever may
 * write beside the transcripts could revoke anybody.
 */
import type { Bucket } from '../transcript/entry.js';
import { revokedKeyName, revokedKeysPrefix, thumbprintIn } from '../transcript/object-key.js';

export interface RevokedKey {
  /** RFC 7638, base64url. */
  readonly thumbprint: string;
  /** Sessions that began, or reached the bucket, at this time or later do not count. Milliseconds since 1970 UTC. */
  readonly since: number;
  readonly reason: string;
}

/** All that the archive says; where it says two things of one key, the earlier time counts. */
export async function readRevokedKeys(archive: Pick<Bucket, 'location' | 'list' | 'read'>): Promise<RevokedKey[]> {
  const found = new Map<string, RevokedKey>();
  for await (const { key } of archive.list(revokedKeysPrefix)) {
    const thumbprint = thumbprintIn(key);
    if (thumbprint === undefined) continue;
    const revoked = { thumbprint, ...parseRevocation(await archive.read(key)) };
    const before = found.get(thumbprint);
    if (before === undefined || revoked.since < before.since) found.set(thumbprint, revoked);
  }
  return [...found.values()];
}

/** Name and content of the object that revokes a key. */
export function revocationObject({ thumbprint, since, reason }: RevokedKey): { key: string; content: Uint8Array } {
  const content = Buffer.from(JSON.stringify({ since: new Date(since).toISOString(), reason }));
  return { key: revokedKeyName(thumbprint, content), content };
}

/** Somebody wanted this key revoked: what cannot be read of their words revokes it for all time. */
function parseRevocation(bytes: Uint8Array): Omit<RevokedKey, 'thumbprint'> {
  try {
    const { since, reason }: Readonly<Record<string, unknown>> = JSON.parse(Buffer.from(bytes).toString('utf8'));
    const time = typeof since === 'string' ? Date.parse(since) : Number.NaN;
    const why = typeof reason === 'string' ? reason : 'no reason is given';
    return { since: Number.isNaN(time) ? 0 : time, reason: why };
  } catch {
    return { since: 0, reason: 'the revocation cannot be read' };
  }
}

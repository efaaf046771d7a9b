import type { SessionObjects } from '../../review/catalog.js';
import { sha256 } from '../../sha256.js';

/** How a session's objects lie in the bucket: what was read of it is the same where this is. */
export function listingOf({ segments, redactions, strangers }: SessionObjects): string {
  const objects = [...segments, ...redactions].map(({ key, size, createdAt, version, otherCount, gone }) => {
    return [key, size, createdAt, version, otherCount, gone];
  });
  return sha256(JSON.stringify([objects, strangers.count, strangers.keys]), 'base64url');
}

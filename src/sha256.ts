/**
 * SHA-256 in one place: by node:crypto's `hash`, which Node 20.12 brought, or by the Hash object that it stands for. The
 * page that proves itself has review/page/sha256-web.ts instead.
 */
import * as crypto from 'node:crypto';

type Data = string | Uint8Array;
type TextEncoding = 'hex' | 'base64url' | 'binary';

// half the time of a Hash object for a short text, and on the way of every statement
const hash: typeof crypto.hash | undefined = crypto.hash;

export function sha256(data: Data, encoding: TextEncoding): string {
  return hash ? hash('sha256', data, encoding) : crypto.createHash('sha256').update(data).digest(encoding);
}

export function sha256Bytes(data: Data): Buffer {
  return hash ? hash('sha256', data, 'buffer') : crypto.createHash('sha256').update(data).digest();
}

/** What comes a piece at a time. */
export interface Sha256 {
  update(data: Data): Sha256;
  digest(encoding: 'hex' | 'base64url'): string;
}

export function newSha256(): Sha256 {
  return crypto.createHash('sha256');
}

/**
 * Ed25519 signatures of logins and sessions, checked in one place: by node:crypto here, by WebCrypto in the page that
 * proves itself (review/page/ed25519-web.ts), whose answers come later.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';

/** Of this module's own making; nobody else looks into it. */
export interface VerifyingKey {
  readonly type: string;
}

/** @param x as `ed25519Fault` finds nothing wrong with: 32 bytes, base64url */
export function verifyingKey(x: string): VerifyingKey {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

export function isSignature(key: VerifyingKey, bytes: Uint8Array, signature: Uint8Array): boolean | Promise<boolean> {
  return verify(null, bytes, key as KeyObject, signature);
}

/** The same on the thread pool. */
export function checkSignature(
  key: VerifyingKey,
  bytes: Uint8Array,
  signature: Uint8Array,
  done: (holds: boolean) => void,
): void {
  verify(null, bytes, key as KeyObject, signature, (error, valid) => done(error === null && valid));
}

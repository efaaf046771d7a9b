/**
 * Ties a key to a person: the issuer signs a nonce (or a key thumbprint) that only the holder of this key could have
 * asked for. Pure functions; randomness comes in as an argument.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { type VerifyingKey, verifyingKey } from '../ed25519.js';
import { sha256, sha256Bytes } from '../sha256.js';
import { type Ed25519Jwk, type EvidenceLevel, evidenceLevels, type JsonWebKeyPrivate } from './identity.js';
import { ed25519Fault } from './key-checks.js';
import { newEd25519Key } from './new-key.js';

/** Domain separation: no other protocol hashes a thumbprint behind these bytes. */
const BIND_CONTEXT = Buffer.from('dbguard-bind-v1\0', 'latin1');
export const SALT_BYTES = 16;

/** A fresh Ed25519 key as a private JWK. Its private half leaves the process only into the token store. */
export function generateLoginKey(): JsonWebKeyPrivate {
  const { x, d } = newEd25519Key().export({ format: 'jwk' });
  if (x === undefined || d === undefined) throw new TypeError('Ed25519 export without x or d');
  return { kty: 'OKP', crv: 'Ed25519', x, d };
}

export function publicHalf(key: Ed25519Jwk): Ed25519Jwk {
  return { kty: 'OKP', crv: 'Ed25519', x: key.x };
}

export function privateKeyObject(key: JsonWebKeyPrivate): KeyObject {
  return createPrivateKey({ key: { ...key }, format: 'jwk' });
}

/**
 * The one way from a JWK to a key that a login's or a session's signature is checked with. Throws TypeError that says
 * why when `x` is not the one encoding of an Ed25519 key of full order.
 */
export function certifyingKey(key: Ed25519Jwk): VerifyingKey {
  return verifyingKey(sound(key).x);
}

/** The same for what has to export it. */
export function publicKeyObject(key: Ed25519Jwk): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: sound(key).x }, format: 'jwk' });
}

function sound(key: Ed25519Jwk): Ed25519Jwk {
  const fault = ed25519Fault(key.x);
  if (fault !== undefined) throw new TypeError(fault);
  return key;
}

/** RFC 7638 thumbprint, SHA-256, 32 bytes. RFC 8037 appendix A.3: for OKP the members are crv, kty, x, in that order. */
function thumbprintBytes(key: Ed25519Jwk): Buffer {
  return sha256Bytes(JSON.stringify({ crv: key.crv, kty: key.kty, x: key.x }));
}

/** RFC 7638 thumbprint as people and JSON carry it: base64url, 43 characters. */
export function thumbprint(key: Ed25519Jwk): string {
  return thumbprintBytes(key).toString('base64url');
}

/**
 * The nonce of the authorization request: base64url(SHA-256("dbguard-bind-v1" 0x00 || 32 thumbprint bytes || 16 salt
 * bytes)), 43 characters. The salt keeps a public key from being recognised in the issuer's logs.
 * Throws RangeError for a salt of any other length or spelling: the hashed bytes parse in one way only.
 */
export function bindingNonce(key: Ed25519Jwk, salt: string | Uint8Array): string {
  const saltBytes = typeof salt === 'string' ? Buffer.from(salt, 'base64url') : salt;
  const canonical = typeof salt !== 'string' || Buffer.from(saltBytes).toString('base64url') === salt;
  if (saltBytes.length !== SALT_BYTES || !canonical) {
    throw new RangeError(`the salt must have ${SALT_BYTES} bytes, in base64url where it is text`);
  }
  return sha256(Buffer.concat([BIND_CONTEXT, thumbprintBytes(key), saltBytes]), 'base64url');
}

/** What the issuer's answer says about the key; see `verifyIdToken` and `verifyBoundAccessToken`. */
export interface BindingEvidence {
  /** The ID token (or a workload token's audience) carries the binding nonce. */
  readonly nonce: boolean;
  /** A JWT access token of the same subject names the key in `cnf.jkt`. */
  readonly confirmation: boolean;
  /** A token of an issuer that the reader has named as one of workloads, issued for dbguard's own audience. */
  readonly audience: boolean;
}

/** The best level that the evidence supports. */
export function bindingLevel(evidence: BindingEvidence): EvidenceLevel {
  if (evidence.nonce) return 'nonce';
  if (evidence.confirmation) return 'dpop';
  return evidence.audience ? 'audience' : 'asserted';
}

/** True when `level` is at least as strong as `minimum`. */
export function levelSatisfies(level: EvidenceLevel, minimum: EvidenceLevel): boolean {
  return evidenceLevels.indexOf(level) <= evidenceLevels.indexOf(minimum);
}

/**
 * Key derivation of SCRAM-SHA-256 (RFC 5802 section 3, RFC 7677): everything that a password is turned into.
 */
import { createHash, createHmac, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { saslPrep } from './scram-saslprep.js';

const pbkdf2Async = promisify(pbkdf2);

/** Bytes of every SHA-256 key, signature and proof. */
export const scramKeyLength = 32;

/** RFC 7677 section 4: the least that a server should use. */
export const recommendedIterations = 4096;

/** What a client proves itself with. As secret as the password. */
export interface ScramKeys {
  readonly clientKey: Buffer;
  readonly serverKey: Buffer;
}

export function hmac(key: Uint8Array, ...data: (string | Uint8Array)[]): Buffer {
  const mac = createHmac('sha256', key);
  for (const piece of data) mac.update(piece);
  return mac.digest();
}

export function storedKeyOf(clientKey: Uint8Array): Buffer {
  return createHash('sha256').update(clientKey).digest();
}

export function xor(left: Uint8Array, right: Uint8Array): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)));
}

/** Off the event loop: the server chooses the iterations. */
export async function deriveScramKeys(password: string, salt: Uint8Array, iterations: number): Promise<ScramKeys> {
  const prepared = await saslPrep(password);
  const salted = await pbkdf2Async(prepared, salt, iterations, scramKeyLength, 'sha256');
  return { clientKey: hmac(salted, 'Client Key'), serverKey: hmac(salted, 'Server Key') };
}

/** What a server keeps: enough to check a client, not enough to be one. */
export interface ScramVerifier {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** Made once per password, so that a handshake costs a few hashes. `salt` is 16 random bytes. */
export async function makeScramVerifier(
  password: string,
  salt: Buffer,
  iterations = recommendedIterations,
): Promise<ScramVerifier> {
  const keys = await deriveScramKeys(password, salt, iterations);
  return { salt, iterations, storedKey: storedKeyOf(keys.clientKey), serverKey: keys.serverKey };
}

/**
 * age files for owners of an ssh-ed25519 key: the recipient and identity that age's own library has, and its TypeScript
 * one has not. Source: "age and SSH keys" (filippo.io/age/agessh): the Ed25519 point as one of Curve25519 (RFC 7748), X25519 with an
 * ephemeral key, a tweak that binds the SSH key, HKDF-SHA-256, ChaCha20-Poly1305.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { Stanza } from 'age-encryption';

const label = 'age-encryption.org/v1/ssh-ed25519';
const stanzaType = 'ssh-ed25519';
const cipher = 'chacha20-poly1305';
const tagBytes = 16;
const nonce = Buffer.alloc(12);
const keyBytes = 32;
/** RFC 8709 section 4: the name of the algorithm, then the length of the key. */
const wireHead = Buffer.from('0000000b7373682d6564323535313900000020', 'hex');
const basePoint = Buffer.from([9, ...new Uint8Array(31)]);

/** `wrapFileKey` of an age recipient. @param line `ssh-ed25519 AAAA...`, checked before */
export function sshRecipient(line: string): { wrapFileKey(fileKey: Uint8Array): Stanza[] } {
  const wire = Buffer.from(line.split(/\s+/)[1] ?? '', 'base64');
  const theirs = montgomery(wire.subarray(wireHead.length));
  return {
    wrapFileKey(fileKey) {
      const ephemeral = randomBytes(keyBytes);
      const ours = x25519(ephemeral, basePoint);
      const shared = x25519(tweakOf(wire), x25519(ephemeral, theirs));
      const encryption = createCipheriv(cipher, wrappingKey(shared, ours, theirs), nonce, { authTagLength: tagBytes });
      const body = Buffer.concat([encryption.update(fileKey), encryption.final(), encryption.getAuthTag()]);
      return [new Stanza([stanzaType, fingerprint(wire), unpadded(ours)], body)];
    },
  };
}

/** `unwrapFileKey` of an age identity. @param seed the private key, 32 bytes. @param publicKey 32 bytes */
export function sshIdentity(
  seed: Uint8Array,
  publicKey: Uint8Array,
): { unwrapFileKey(all: Stanza[]): Uint8Array | null } {
  const wire = Buffer.concat([wireHead, publicKey]);
  const own = montgomery(publicKey);
  const secret = createHash('sha512').update(seed).digest().subarray(0, keyBytes);
  return {
    unwrapFileKey(all) {
      for (const { args, body } of all) {
        if (args[0] !== stanzaType || args[1] !== fingerprint(wire)) continue;
        const theirs = Buffer.from(args[2] ?? '', 'base64');
        if (theirs.length !== keyBytes || body.length !== 16 + tagBytes) continue;
        const shared = x25519(tweakOf(wire), x25519(secret, theirs));
        const fileKey = opened(wrappingKey(shared, theirs, own), body);
        if (fileKey !== undefined) return fileKey;
      }
      return null;
    },
  };
}

function opened(key: Uint8Array, body: Uint8Array): Buffer | undefined {
  const decryption = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes });
  decryption.setAuthTag(body.subarray(body.length - tagBytes));
  const begin = decryption.update(body.subarray(0, body.length - tagBytes));
  try {
    return Buffer.concat([begin, decryption.final()]);
  } catch {
    return undefined; // for another key with the same four bytes of fingerprint
  }
}

function tweakOf(wire: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', Buffer.alloc(0), wire, label, keyBytes));
}

function wrappingKey(shared: Buffer, ephemeral: Buffer, recipient: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', shared, Buffer.concat([ephemeral, recipient]), label, keyBytes));
}

function fingerprint(wire: Buffer): string {
  return unpadded(createHash('sha256').update(wire).digest().subarray(0, 4));
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}

const p = 2n ** 255n - 19n;

/** u = (1 + y) / (1 - y), RFC 7748 section 4.1. @param point an Ed25519 public key */
function montgomery(point: Uint8Array): Buffer {
  const bytes = Buffer.from(point);
  bytes[31] = (bytes[31] ?? 0) & 0x7f;
  const y = BigInt(`0x${bytes.reverse().toString('hex')}`);
  const u = (mod(1n + y) * power(mod(1n - y), p - 2n)) % p;
  return Buffer.from(u.toString(16).padStart(64, '0'), 'hex').reverse();
}

function mod(value: bigint): bigint {
  return ((value % p) + p) % p;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let [square, rest] = [base, exponent]; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % p;
    square = (square * square) % p;
  }
  return result;
}

/** RFC 7748 section 5. Throws where the result would be zero: no honest key leads there. */
function x25519(scalar: Uint8Array, point: Uint8Array): Buffer {
  return diffieHellman({ privateKey: privateHalf(scalar), publicKey: publicHalf(point) });
}

/** RFC 8410 section 7 and 4. */
function privateHalf(scalar: Uint8Array): KeyObject {
  const der = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), scalar]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

function publicHalf(point: Uint8Array): KeyObject {
  const der = Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), point]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

/**
 * age files for owners of an ssh-ed25519 key: the recipient and identity that age's own library has, and its TypeScript
 * one has not; for Node and for browsers. Source: "age and SSH keys" (filippo.io/age/agessh): the Ed25519 point as one of Curve25519
 * (RFC 7748), X25519 with an ephemeral key, a tweak that binds the SSH key, HKDF-SHA-256, ChaCha20-Poly1305.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { Stanza } from 'age-encryption';
import { DbguardError } from '../../errors.js';

const label = new TextEncoder().encode('age-encryption.org/v1/ssh-ed25519');
const stanzaType = 'ssh-ed25519';
const fileKeyBytes = 16;
const tagBytes = 16;
const keyBytes = 32;
const nonce = new Uint8Array(12);
/** RFC 8709 section 4: the name of the algorithm, then the length of the key. */
const wireHead = Buffer.from('0000000b7373682d6564323535313900000020', 'hex');

/** `wrapFileKey` of an age recipient. @param line `ssh-ed25519 AAAA...`, checked before */
export function sshRecipient(line: string): { wrapFileKey(fileKey: Uint8Array): Stanza[] } {
  const wire = Buffer.from(line.split(/\s+/)[1] ?? '', 'base64');
  const theirs = curvePoint(line, wire.subarray(wireHead.length));
  return {
    wrapFileKey(fileKey) {
      const { secretKey, publicKey: ours } = x25519.keygen();
      const shared = tweaked(wire, x25519.getSharedSecret(secretKey, theirs));
      const body = chacha20poly1305(wrappingKey(shared, ours, theirs), nonce).encrypt(fileKey);
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
  const own = ed25519.utils.toMontgomery(publicKey);
  const secret = sha512(seed).subarray(0, keyBytes);
  return {
    unwrapFileKey(all) {
      for (const { args, body } of all) {
        if (args[0] !== stanzaType || args[1] !== fingerprint(wire)) continue;
        const theirs = Uint8Array.from(Buffer.from(args[2] ?? '', 'base64'));
        if (theirs.length !== keyBytes || body.length !== fileKeyBytes + tagBytes) continue;
        const fileKey = opened(() => {
          const shared = tweaked(wire, x25519.getSharedSecret(secret, theirs));
          return chacha20poly1305(wrappingKey(shared, theirs, own), nonce).decrypt(body);
        });
        if (fileKey !== undefined) return fileKey;
      }
      return null;
    },
  };
}

/** Throws `config-invalid`: half of all slips of the pen make 32 bytes that are no key. */
function curvePoint(line: string, publicKey: Uint8Array): Uint8Array {
  try {
    return ed25519.utils.toMontgomery(publicKey);
  } catch (cause) {
    throw new DbguardError('config-invalid', `record: encrypt_to: this is nobody’s key: ${line}`, {
      hint: 'Copy the line anew from the .pub file.',
      cause,
    });
  }
}

/** Undefined for another key with the same four bytes of fingerprint, and for a point that no honest sender takes. */
function opened(decrypt: () => Uint8Array): Uint8Array | undefined {
  try {
    return decrypt();
  } catch {
    return undefined;
  }
}

/** So that two SSH keys with one point of Curve25519 (its two signs) are two. */
function tweaked(wire: Uint8Array, shared: Uint8Array): Uint8Array {
  return x25519.getSharedSecret(hkdf(sha256, new Uint8Array(), Uint8Array.from(wire), label, keyBytes), shared);
}

function wrappingKey(shared: Uint8Array, ephemeral: Uint8Array, recipient: Uint8Array): Uint8Array {
  return hkdf(sha256, shared, Uint8Array.from([...ephemeral, ...recipient]), label, keyBytes);
}

function fingerprint(wire: Uint8Array): string {
  return unpadded(sha256(Uint8Array.from(wire)).subarray(0, 4));
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}

/** Fresh keys of every kind, through PKCS #8: see `src/identity/new-key.ts` for why. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

const publicKeyEncoding = { format: 'der', type: 'spki' } as const;
const privateKeyEncoding = { format: 'der', type: 'pkcs8' } as const;

type Kind = 'ed25519' | 'rsa' | 'rsa-3' | 'ec' | 'P-384' | 'P-521';

/** `ec` is P-256; `rsa-3` has the exponent 3. */
export function newKeyPair(kind: Kind): { privateKey: KeyObject; publicKey: KeyObject } {
  const privateKey = createPrivateKey({ key: generate(kind), format: 'der', type: 'pkcs8' });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

function generate(kind: Kind): Buffer {
  if (kind === 'rsa')
    return generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding, privateKeyEncoding }).privateKey;
  if (kind === 'rsa-3') {
    const size = { modulusLength: 2048, publicExponent: 3 };
    return generateKeyPairSync('rsa', { ...size, publicKeyEncoding, privateKeyEncoding }).privateKey;
  }
  if (kind === 'ed25519') return generateKeyPairSync('ed25519', { publicKeyEncoding, privateKeyEncoding }).privateKey;
  const namedCurve = kind === 'ec' ? 'P-256' : kind;
  return generateKeyPairSync('ec', { namedCurve, publicKeyEncoding, privateKeyEncoding }).privateKey;
}

/** Fresh keys of every kind, through PKCS #8: see `src/identity/new-key.ts` for why. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

const publicKeyEncoding = { format: 'der', type: 'spki' } as const;
const privateKeyEncoding = { format: 'der', type: 'pkcs8' } as const;

export function newKeyPair(kind: 'ed25519' | 'rsa' | 'ec'): { privateKey: KeyObject; publicKey: KeyObject } {
  const privateKey = createPrivateKey({ key: generate(kind), format: 'der', type: 'pkcs8' });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

function generate(kind: 'ed25519' | 'rsa' | 'ec'): Buffer {
  if (kind === 'rsa')
    return generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding, privateKeyEncoding }).privateKey;
  if (kind === 'ec')
    return generateKeyPairSync('ec', { namedCurve: 'P-256', publicKeyEncoding, privateKeyEncoding }).privateKey;
  return generateKeyPairSync('ed25519', { publicKeyEncoding, privateKeyEncoding }).privateKey;
}

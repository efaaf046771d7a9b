/** A fresh Ed25519 key: the one place that makes one. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

/**
 * The private key; `createPublicKey` gives its other half.
 *
 * It goes through PKCS #8. Node's key objects that come out of a generator share a mutex with the generator's job. When
 * the garbage collector frees that job while such a key is exported as a JWK, the thread waits for itself, for ever.
 */
export function newEd25519Key(): KeyObject {
  const { privateKey } = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  });
  return createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' });
}

/** Encryption of recordings by age (age-encryption.org/v1), loaded only where something is encrypted or read. */
import type { AgeIdentity } from './identities.js';

export type Encrypt = (bytes: Uint8Array) => Promise<Uint8Array>;
/** Rejects where no key fits, or the bytes are no age file. */
export type Decrypt = (bytes: Uint8Array) => Promise<Uint8Array>;

/** @param recipients `age1...` and `ssh-ed25519 ...`, checked by the policy's reader */
export async function encryptionTo(recipients: readonly string[]): Promise<Encrypt> {
  const { Encrypter } = await import('age-encryption');
  const { sshRecipient } = await import('./ssh-ed25519.js');
  const encrypter = new Encrypter();
  for (const one of recipients) encrypter.addRecipient(one.startsWith('ssh-') ? sshRecipient(one) : one);
  return (bytes) => encrypter.encrypt(bytes);
}

export async function decryptionWith(identities: readonly AgeIdentity[]): Promise<Decrypt> {
  const { Decrypter } = await import('age-encryption');
  const { sshIdentity } = await import('./ssh-ed25519.js');
  const decrypter = new Decrypter();
  for (const one of identities) decrypter.addIdentity('age' in one ? one.age : sshIdentity(one.seed, one.publicKey));
  return (bytes) => decrypter.decrypt(bytes);
}

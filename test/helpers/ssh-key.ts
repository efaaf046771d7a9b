/** An ssh-ed25519 key as ssh-keygen writes it, without ssh-keygen: PROTOCOL.key of OpenSSH. */
import { type KeyObject, randomBytes } from 'node:crypto';
import { newEd25519Key } from '../../src/identity/new-key.js';

export interface SshKey {
  /** A line of authorized_keys. */
  readonly publicLine: string;
  /** The file, without a passphrase. */
  readonly privateFile: string;
}

export function newSshKey(): SshKey {
  return sshKeyOf(newEd25519Key());
}

export function sshKeyOf(key: KeyObject): SshKey {
  const { x = '', d = '' } = key.export({ format: 'jwk' });
  const [publicKey, seed] = [Buffer.from(x, 'base64url'), Buffer.from(d, 'base64url')];
  const type = string('ssh-ed25519');
  const wire = Buffer.concat([type, string(publicKey)]);
  const check = randomBytes(4);
  const inner = Buffer.concat([check, check, wire, string(Buffer.concat([seed, publicKey])), string('reader')]);
  const padding = Buffer.from(Array.from({ length: (8 - (inner.length % 8)) % 8 }, (_, at) => at + 1));
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...[string('none'), string('none'), string(''), Buffer.from([0, 0, 0, 1])],
    ...[string(wire), string(Buffer.concat([inner, padding]))],
  ]);
  const lines = file.toString('base64').match(/.{1,70}/g) ?? [];
  return {
    publicLine: `ssh-ed25519 ${wire.toString('base64')} reader`,
    privateFile: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`,
  };
}

function string(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as Uint8Array);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

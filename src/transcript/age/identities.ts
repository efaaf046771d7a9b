/**
 * The private keys with which somebody reads recordings: a file of age's (`AGE-SECRET-KEY-1...`, one a line), or an OpenSSH
 * private key of the kind ssh-ed25519. For Node and for browsers. Nothing of them is kept, shown, or part of an error.
 */
import { DbguardError } from '../../errors.js';

export type AgeIdentity = { readonly age: string } | { readonly seed: Buffer; readonly publicKey: Buffer };

/** Throws DbguardError `usage`. @param name of the file, for the error */
export function readIdentities(text: string, name: string): AgeIdentity[] {
  if (/-----BEGIN OPENSSH PRIVATE KEY-----/.test(text)) return [openSshIdentity(text, name)];
  if (/^(?:age-encryption\.org\/v1\s|-----BEGIN AGE ENCRYPTED FILE-----)/.test(text.trimStart()))
    throw locked(name, unlockAge);
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const kept = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (kept.length === 0 || !kept.every((line) => /^AGE-SECRET-KEY-1[A-Z0-9]+$/i.test(line))) {
    throw unreadable(name, 'it is neither a file of age-keygen nor an OpenSSH private key');
  }
  return kept.map((age) => ({ age: age.toUpperCase() }));
}

/** PROTOCOL.key of OpenSSH: magic, cipher, key derivation, one public key, the private part. */
function openSshIdentity(text: string, name: string): AgeIdentity {
  const [, base64 = ''] = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END/.exec(text) ?? [];
  const magic = 'openssh-key-v1\0';
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.subarray(0, magic.length).toString('latin1') !== magic)
    throw unreadable(name, 'it is no whole OpenSSH private key');
  try {
    const outer = new Strings(bytes, magic.length);
    if (outer.next().toString('latin1') !== 'none') throw locked(name, unlockSsh);
    outer.next();
    outer.next();
    outer.skip(4);
    outer.next();
    const inner = new Strings(outer.next(), 8);
    if (inner.next().toString('latin1') !== 'ssh-ed25519')
      throw unreadable(name, 'it is of another kind than ssh-ed25519');
    const publicKey = inner.next();
    const secret = inner.next();
    if (publicKey.length !== 32 || secret.length !== 64) throw unreadable(name, 'it is no whole OpenSSH private key');
    return { seed: Buffer.from(secret.subarray(0, 32)), publicKey: Buffer.from(publicKey) };
  } catch (error) {
    if (error instanceof RangeError) throw unreadable(name, 'it is no whole OpenSSH private key');
    throw error;
  }
}

/** Strings of the SSH protocol, RFC 4251 section 5. */
class Strings {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  next(): Buffer {
    const { buffer, byteOffset, byteLength } = this.#bytes;
    // throws RangeError behind the end
    const length = new DataView(buffer, byteOffset, byteLength).getUint32(this.#at);
    const end = this.#at + 4 + length;
    if (end > this.#bytes.length) throw new RangeError('the end of the key');
    const found = this.#bytes.subarray(this.#at + 4, end);
    this.#at = end;
    return found;
  }
}

function unreadable(name: string, why: string): DbguardError {
  return new DbguardError('usage', `${name} holds no key that reads recordings: ${why}`, {
    hint: 'Give the file of age-keygen, or an ssh-ed25519 private key.',
  });
}

/** dbguard asks for no passphrases: the programs that lock keys unlock them. */
function locked(name: string, howTo: string): DbguardError {
  return new DbguardError('usage', `${name} is locked with a passphrase, and dbguard asks for none`, {
    hint: `Make a copy without, and delete it afterwards: ${howTo}`,
  });
}

const unlockAge = 'age -d -o opened-key LOCKED-KEY';
const unlockSsh = "cp LOCKED-KEY opened-key && ssh-keygen -p -N '' -f opened-key";

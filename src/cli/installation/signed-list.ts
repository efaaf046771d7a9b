/**
 * The list of what a release installs: text that `sha256sum -c` reads, its first line a comment that says of which
 * release and for which target it is, and a signature over its bytes beside it. Pure.
 *
 * The first line keeps a list of another release, and the signed checksums of the archives themselves, from passing
 * for this one. `.ci/release` writes what is read here.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { DbguardError } from '../../errors.js';

/** From the root of the package. The signature is the 64 bytes of Ed25519 (RFC 8032), as `openssl pkeyutl` takes them. */
export const listFile = 'dist/files.sha256';
export const signatureFile = 'dist/files.sha256.sig';

/** Far over any release, far under what would be felt. */
export const listLimit = 1024 * 1024;

export interface SignedList {
  readonly version: string;
  /** `npm`, or a platform: `linux-x64`, `linux-x64-musl`, `darwin-arm64`, `win32-x64`. */
  readonly target: string;
  /** Path from the root of the package -> SHA-256 in hex. */
  readonly files: ReadonlyMap<string, string>;
}

const head = /^# dbguard (\S{1,64}) (\S{1,64}): what is installed$/;
const line = /^([0-9a-f]{64}) {2}(\S(?:.*\S)?)$/;

/** Undefined when it is not such a list: a line too much, a path that leads out of the package, one named twice. */
export function parseSignedList(text: string): SignedList | undefined {
  const [first = '', ...rest] = text.split('\n');
  const [, version, target] = head.exec(first) ?? [];
  if (version === undefined || target === undefined || rest.pop() !== '') return undefined;
  const files = new Map<string, string>();
  for (const one of rest) {
    const [, digest, path] = line.exec(one) ?? [];
    if (digest === undefined || path === undefined || files.has(path) || !staysInside(path)) return undefined;
    files.set(path, digest);
  }
  return files.size === 0 ? undefined : { version, target, files };
}

function staysInside(path: string): boolean {
  return !path.includes('\\') && path.split('/').every((name) => name !== '' && name !== '.' && name !== '..');
}

export interface Differences {
  readonly changed: readonly string[];
  readonly missing: readonly string[];
  readonly additional: readonly string[];
}

/** @param found path -> SHA-256 in hex, or what else stands there (`a link`); the list and its signature are not in it */
export function differencesFrom(list: SignedList, found: ReadonlyMap<string, string>): Differences {
  const listed = [...list.files];
  return {
    changed: listed.filter(([path, digest]) => found.has(path) && found.get(path) !== digest).map(([path]) => path),
    missing: listed.filter(([path]) => !found.has(path)).map(([path]) => path),
    additional: [...found.keys()].filter((path) => !list.files.has(path)),
  };
}

/**
 * @param text PEM (SPKI), or the 32 bytes in base64url
 * @throws DbguardError `usage` when it is no public Ed25519 key
 */
export function releaseKeyFrom(text: string): KeyObject {
  try {
    const x = text.trim();
    const key = /^[\w-]{43}$/.test(x)
      ? createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
      : createPublicKey(/^-----BEGIN PUBLIC KEY-----/.test(x) ? x : '');
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // said below
  }
  throw new DbguardError('usage', 'this is no public Ed25519 key', {
    hint: 'Give the PEM file that the project publishes beside its releases.',
  });
}

export function isSignedBy(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, bytes, key, signature);
}

/** The 32 bytes in base64url: how a key is pinned and told apart. */
export function keyWords(key: KeyObject): string {
  return key.export({ format: 'jwk' }).x ?? '';
}

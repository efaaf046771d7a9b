/**
 * Ed25519 by WebCrypto (RFC 8032, Web Cryptography Level 2), in the page that proves itself in place of src/ed25519.ts.
 * A browser that cannot do it says no to every signature, and the page says why: nothing but the native answer is
 * taken for a yes. Keys of small order never come here (identity/key-checks.ts).
 */
import type * as native from '../../ed25519.js';

interface WebKey extends native.VerifyingKey {
  readonly key: Promise<CryptoKey | undefined>;
}

type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

export function verifyingKey(x: string): WebKey {
  const key = crypto.subtle.importKey('jwk', { kty: 'OKP', crv: 'Ed25519', x }, { name: 'Ed25519' }, false, ['verify']);
  // asked about later, if ever
  return { type: 'public', key: key.catch(() => undefined) };
}

export async function isSignature(
  { key }: native.VerifyingKey & { readonly key?: WebKey['key'] },
  bytes: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const imported = await key;
  if (imported === undefined) return false;
  try {
    return (await crypto.subtle.verify({ name: 'Ed25519' }, imported, copyOf(signature), copyOf(bytes))) === true;
  } catch {
    return false;
  }
}

export function checkSignature(
  key: native.VerifyingKey,
  bytes: Uint8Array,
  signature: Uint8Array,
  done: (holds: boolean) => void,
): void {
  isSignature(key, bytes, signature).then(done, () => done(false));
}

/** On a buffer of its own, as the types want it. */
function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** RFC 8032 section 7.1, test 2: does this browser know a signature that holds, and one that does not? */
export async function knowsEd25519(): Promise<boolean> {
  const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const key = verifyingKey('PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw');
  const signature = bytes(
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
      '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  );
  return (await isSignature(key, bytes('72'), signature)) && !(await isSignature(key, bytes('73'), signature));
}

/**
 * That somebody has seen an issuer's RSA signature over a token, without the signature: whoever reads a transcript can
 * check that the person's token was there, and cannot log in with it.
 *
 * L. Guillou, J.-J. Quisquater, "A Practical Zero-Knowledge Protocol Fitted to Security Microprocessor Minimizing Both
 * Transmission and Memory" (EUROCRYPT '88), sixteen rounds at once, made non-interactive by a hash (Fiat-Shamir) that also
 * binds the proof to one session key: nobody else's session can show it again.
 *
 * What lives here: numbers. What it must not know: claims, sessions, where keys come from.
 */
import { sha256Bytes } from '../sha256.js';
import type { IssuerKey } from './identity.js';

const context = Buffer.from('dbguard-token-proof-v1\0', 'latin1');
/** Prime, as the protocol needs it, and what RSA keys have. */
const exponent = 65_537n;
/** Each challenge has 16 bits, less than the exponent: together the 256 of the hash. */
const rounds = 16;
const challengeBytes = 2;
const digestBytes = 32;
/** RFC 8017 section 9.2, note 1: DigestInfo of SHA-256. */
const digestInfo = Buffer.from('3031300d060960864801650304020105000420', 'hex');

type Random = (bytes: number) => Uint8Array;

/** What the proof is about. */
export interface SignedText {
  /** The first two parts of the JWT, with the dot between them. */
  readonly signingInput: string;
  /** The issuer's public key. */
  readonly key: IssuerKey;
  /** Raw public key of the session that it is made for, 32 bytes in base64url. */
  readonly session: string;
}

/** RS256 under a key with the usual exponent; of all others nothing can be shown without the signature itself. */
export function canBeProven(alg: string, { kty, e }: IssuerKey): boolean {
  return (
    alg === 'RS256' && kty === 'RSA' && typeof e === 'string' && numberOf(Buffer.from(e, 'base64url')) === exponent
  );
}

/**
 * @param signature of the token, which has been verified
 * @param random fresh bytes @returns base64url
 */
export function proveSignature(signed: SignedText, signature: Uint8Array, random: Random): string {
  const { modulus, size } = modulusOf(signed.key);
  const secret = numberOf(signature);
  const randoms = Array.from({ length: rounds }, () => randomBelow(modulus, size, random));
  const commitments = randoms.map((one) => power(one, exponent, modulus));
  const digest = challengesFor(signed, commitments, size);
  const answers = randoms.map((one, round) => {
    const answer = (one * power(secret, challengeIn(digest, round), modulus)) % modulus;
    return bytesOf(answer, size);
  });
  return Buffer.concat([digest, ...answers]).toString('base64url');
}

/** False for anything that is no proof. `proof` is attacker-controlled; the key is sound (key-checks.ts). */
export function provesSignature(signed: SignedText, proof: string): boolean {
  const { modulus, size } = modulusOf(signed.key);
  const bytes = Buffer.from(proof, 'base64url');
  if (bytes.toString('base64url') !== proof || bytes.length !== digestBytes + rounds * size) return false;
  const digest = bytes.subarray(0, digestBytes);
  const inverse = inverseOf(encoded(signed.signingInput, size), modulus);
  if (inverse === undefined) return false;
  const commitments: bigint[] = [];
  for (let round = 0; round < rounds; round++) {
    const at = digestBytes + round * size;
    const answer = numberOf(bytes.subarray(at, at + size));
    if (answer === 0n || answer >= modulus) return false;
    const raised = power(answer, exponent, modulus) * power(inverse, challengeIn(digest, round), modulus);
    commitments.push(raised % modulus);
  }
  return challengesFor(signed, commitments, size).toString('hex') === digest.toString('hex');
}

function challengesFor({ signingInput, session }: SignedText, commitments: readonly bigint[], size: number): Buffer {
  const said = [context, Buffer.from(session, 'base64url'), sha256Bytes(signingInput)];
  return sha256Bytes(Buffer.concat([...said, ...commitments.map((one) => bytesOf(one, size))]));
}

function challengeIn(digest: Buffer, round: number): bigint {
  return numberOf(digest.subarray(round * challengeBytes, (round + 1) * challengeBytes));
}

/** EMSA-PKCS1-v1_5 (RFC 8017 section 9.2) of what was signed. */
function encoded(signingInput: string, size: number): bigint {
  const end = Buffer.concat([Buffer.from([0]), digestInfo, sha256Bytes(signingInput)]);
  const padding = Buffer.alloc(size - 2 - end.length).fill(0xff);
  return numberOf(Buffer.concat([Buffer.from([0, 1]), padding, end]));
}

function modulusOf({ n }: IssuerKey): { modulus: bigint; size: number } {
  const bytes = Buffer.from(String(n), 'base64url');
  return { modulus: numberOf(bytes), size: bytes.length };
}

function randomBelow(modulus: bigint, size: number, random: Random): bigint {
  for (;;) {
    const value = numberOf(random(size));
    if (value > 1n && value < modulus) return value;
  }
}

function power(base: bigint, by: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let left = by; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** Euclid's algorithm; undefined where the two have a factor in common. */
function inverseOf(value: bigint, modulus: bigint): bigint | undefined {
  let [old, rest] = [value % modulus, modulus];
  let [oldFactor, factor] = [1n, 0n];
  while (rest !== 0n) {
    const quotient = old / rest;
    [old, rest] = [rest, old - quotient * rest];
    [oldFactor, factor] = [factor, oldFactor - quotient * factor];
  }
  return old === 1n ? ((oldFactor % modulus) + modulus) % modulus : undefined;
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function bytesOf(value: bigint, size: number): Buffer {
  return Buffer.from(value.toString(16).padStart(size * 2, '0'), 'hex');
}

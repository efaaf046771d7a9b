/**
 * Keys under which "the signature fits" proves nothing: everybody can sign for a point of small order, an RSA exponent of
 * 1, a modulus that anybody can factor, a private half that stands beside the public one. One encoding per key, too: a
 * revoked key must not come back under another spelling.
 *
 * What lives here: arithmetic on attacker-controlled JWKs. What it must not know: tokens, transcripts, who uses the key.
 */
import type { IssuerKey } from './identity.js';

const FIELD = 2n ** 255n - 19n;
/** RFC 8032 section 5.1: y of the points of order 1, 2, 4 and 8; both signs of x are meant. */
const smallOrder: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  FIELD - 1n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
]);

/** Why this `x` (RFC 8037) is no Ed25519 key to trust; undefined when nothing is wrong with it. */
export function ed25519Fault(x: unknown): string | undefined {
  const bytes = typeof x === 'string' ? canonicalBytes(x) : undefined;
  if (bytes?.length !== 32) return 'it is not 32 bytes in base64url';
  const y = toNumber(Buffer.from(bytes).reverse()) & (2n ** 255n - 1n);
  if (y >= FIELD) return 'its encoding is not canonical';
  return smallOrder.has(y) ? 'it is a point of small order: anybody can sign for it' : undefined;
}

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/** RFC 7518 section 6.2.1: coordinates have the full length of the field. */
const coordinateBytes: Readonly<Record<string, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66 };
const MIN_MODULUS_BITS = 2048;
/** OpenSSL's own limit (OPENSSL_RSA_MAX_MODULUS_BITS): a larger one only costs time. */
const MAX_MODULUS_BITS = 16_384;

/** Why a token under this key of an issuer proves nothing; undefined when nothing is wrong with it. */
export function issuerKeyFault(key: IssuerKey): string | undefined {
  const known = judged.get(key);
  if (known !== undefined) return known.fault;
  const fault = findFault(key);
  judged.set(key, { fault });
  return fault;
}

/** Key sets are asked about once for each token; factoring attempts cost milliseconds. */
const judged = new WeakMap<IssuerKey, { readonly fault: string | undefined }>();

function findFault(key: IssuerKey): string | undefined {
  if (privateMembers.some((name) => name in key)) return 'its private half is published with it';
  switch (key.kty) {
    case 'OKP':
      return key.crv === 'Ed25519' ? ed25519Fault(key.x) : `the curve ${String(key.crv)} is not known here`;
    case 'EC':
      return ecFault(key);
    case 'RSA':
      return rsaFault(key);
    default:
      return `keys of the type ${key.kty} are not known here`;
  }
}

/** That the point is on the curve is checked where it is imported; P-256 and its like have no small subgroups. */
function ecFault({ crv, x, y }: IssuerKey): string | undefined {
  const length = typeof crv === 'string' ? coordinateBytes[crv] : undefined;
  if (length === undefined) return `the curve ${String(crv)} is not known here`;
  const whole = [x, y].every((part) => typeof part === 'string' && canonicalBytes(part)?.length === length);
  return whole ? undefined : 'its coordinates do not have the length of the field';
}

function rsaFault(key: IssuerKey): string | undefined {
  const [n, e] = [positive(key.n), positive(key.e)];
  if (n === undefined || e === undefined) return 'its modulus or exponent is not a positive number in base64url';
  const bits = n.toString(2).length;
  if (bits < MIN_MODULUS_BITS) return `its modulus has ${bits} bits, ${MIN_MODULUS_BITS} are the least`;
  if (bits > MAX_MODULUS_BITS) return `its modulus has ${bits} bits, ${MAX_MODULUS_BITS} are the most`;
  if (e === 1n) return 'its exponent is 1: the message is its own signature';
  // FIPS 186-5 section A.1.1 wants an odd exponent; OpenSSL takes 64 bits with a large modulus.
  if (e % 2n === 0n || e >= 2n ** 64n) return 'its exponent is even or has more than 64 bits';
  const factor = smallPrimes.find((prime) => n % BigInt(prime) === 0n);
  if (factor !== undefined) return `its modulus is divisible by ${factor}`;
  if (hasClosePrimes(n)) return 'its modulus is a product of two primes that lie close together';
  if (isFromInfineon(n)) return 'its modulus was made by a chip whose keys can be factored (CVE-2017-15361)';
  return undefined;
}

const smallPrimes: readonly number[] = primesBelow(1000);

function primesBelow(limit: number): number[] {
  const primes: number[] = [];
  for (let n = 2; n < limit; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes;
}

/** Fermat's method, 100 rounds, as certificate authorities must try (CA/Browser Forum, section 6.1.1.3; CVE-2022-26320). */
function hasClosePrimes(n: bigint): boolean {
  let a = squareRoot(n);
  if (a * a < n) a++;
  for (let round = 0; round < 100; round++, a++) {
    const rest = a * a - n;
    const root = squareRoot(rest);
    if (root * root === rest) return true;
  }
  return false;
}

/** Newton's method, rounded down. */
function squareRoot(n: bigint): bigint {
  if (n < 2n) return n;
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

/** "The Return of Coppersmith's Attack" (ROCA): modulo each of these primes such a modulus is a power of 65537. */
function isFromInfineon(n: bigint): boolean {
  return rocaResidues.every(({ prime, powers }) => powers.has(Number(n % BigInt(prime))));
}

const rocaResidues = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157].map((prime) => {
  const powers = new Set<number>();
  for (let power = 1; !powers.has(power); power = (power * 65537) % prime) powers.add(power);
  return { prime, powers };
});

/** RFC 7518 section 2, Base64urlUInt: no leading zero byte. */
function positive(text: unknown): bigint | undefined {
  const bytes = typeof text === 'string' ? canonicalBytes(text) : undefined;
  return bytes === undefined || bytes.length === 0 || bytes[0] === 0 ? undefined : toNumber(bytes);
}

/** Undefined for a second spelling of the same bytes. */
function canonicalBytes(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

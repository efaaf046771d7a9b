/** Sessions from fixed keys, clock and salts: the same bytes in each run, for other implementations to check against. */
import { checkPrimeSync, createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { SignJWT } from 'jose';
import { bindingNonce, publicHalf, thumbprint } from '../../src/identity/binding.js';
import type { Ed25519Jwk, IssuerKey, JsonWebKeyPrivate } from '../../src/identity/identity.js';
import { CERTIFICATE_TYPE, sessionId } from '../../src/identity/session.js';
import { Chain } from '../../src/transcript/chain.js';
import type { Disclosures, EntryBody } from '../../src/transcript/entry.js';
import { openEntry } from '../../src/transcript/open-entry.js';

/** 2026-11-23T12:00:00Z in milliseconds. */
export const startedAt = Date.UTC(2026, 10, 23, 12);
export const sid = sessionId(startedAt, Buffer.from('dbguard v1'));
/** Of the same moment, and of the day before. */
export const otherSid = sessionId(startedAt, Buffer.from('dbguard v2'));
export const olderSid = sessionId(startedAt - 24 * 3_600_000, Buffer.from('dbguard v0'));
export const subject = { iss: 'https://issuer.example', sub: 'u1', email: 'u1@example.test' };
const HOUR = 3_600_000;

export interface FixedKey {
  readonly key: KeyObject;
  readonly jwk: JsonWebKeyPrivate;
}

/** A public key, and what makes signatures that hold under it. */
export interface Signing {
  readonly jwk: Ed25519Jwk;
  readonly sign: (bytes: Uint8Array) => Buffer;
}

/**
 * A point of small order: R the neutral point, S zero is a signature by it over anything, as far as the equation of RFC
 * 8032 section 5.1.7 goes.
 */
export function degenerate(point: string): Signing {
  const x = Buffer.from(point, 'hex').toString('base64url');
  const neutral = Buffer.alloc(64);
  neutral[0] = 1;
  return { jwk: { kty: 'OKP', crv: 'Ed25519', x }, sign: () => neutral };
}

export function signing({ key, jwk }: FixedKey): Signing {
  return { jwk, sign: (bytes) => sign(null, bytes, key) };
}

/** RSA with 2048 bits, from primes that are found by counting on from the name's hash. */
export function fixedRsaKey(name: string): { readonly key: KeyObject; readonly jwk: IssuerKey } {
  const e = 65_537n;
  const [p, q] = ['p', 'q'].map((which) => {
    const bytes = createHash('shake256', { outputLength: 128 }).update(`dbguard vector: ${name} ${which}`).digest();
    let candidate = BigInt(`0x${bytes.toString('hex')}`) | (3n << 1022n) | 1n;
    while ((candidate - 1n) % e === 0n || !checkPrimeSync(candidate)) candidate += 2n;
    return candidate;
  });
  if (p === undefined || q === undefined) throw new Error('no primes');
  const d = inverse(e, (p - 1n) * (q - 1n));
  const numbers = { n: p * q, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
  const entries = Object.entries(numbers).map(([part, value]) => [part, base64urlOf(value)]);
  const key = createPrivateKey({ key: { kty: 'RSA', ...Object.fromEntries(entries) }, format: 'jwk' });
  return { key, jwk: { kty: 'RSA', n: base64urlOf(numbers.n), e: base64urlOf(e) } };
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [old, rest, oldFactor, factor] = [value, modulus, 1n, 0n];
  while (rest !== 0n) {
    const quotient = old / rest;
    [old, rest, oldFactor, factor] = [rest, old - quotient * rest, factor, oldFactor - quotient * factor];
  }
  return ((oldFactor % modulus) + modulus) % modulus;
}

function base64urlOf(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url');
}

export function fixedKey(name: string): FixedKey {
  const seed = createHash('sha256').update(`dbguard vector: ${name}`).digest();
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]); // RFC 8410 section 7
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const { x = '', d = '' } = key.export({ format: 'jwk' });
  return { key, jwk: { kty: 'OKP', crv: 'Ed25519', x, d } };
}

export const keys = {
  issuer: fixedKey('issuer'),
  login: fixedKey('login key'),
  session: fixedKey('session key'),
  other: fixedKey('another key'),
};
export const salt = createHash('sha256').update('salt').digest().subarray(0, 16).toString('base64url');
const kid = 'vector-1';
export const issuerKeys = { keys: [{ ...publicHalf(keys.issuer.jwk), kid, alg: 'EdDSA', use: 'sig' }] };

/** @param more claims; undefined takes one out */
export async function token(
  more: Readonly<Record<string, unknown>> = {},
  by = keys.issuer,
  head = {},
): Promise<string> {
  const claims = {
    email: subject.email,
    nonce: bindingNonce(keys.login.jwk, salt),
    iss: subject.iss,
    sub: subject.sub,
    aud: 'dbguard',
    iat: startedAt / 1000 - 60,
    exp: startedAt / 1000 + 3540,
    ...more,
  };
  const kept = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
  return new SignJWT(kept).setProtectedHeader({ alg: 'EdDSA', kid, ...head }).sign(by.key);
}

export function certificate(more: Readonly<Record<string, unknown>> = {}, by = signing(keys.login)): string {
  const claims = {
    sid,
    sessionKey: publicHalf(keys.session.jwk),
    notBefore: startedAt,
    notAfter: startedAt + HOUR,
    ...more,
  };
  const payload = JSON.stringify(claims);
  const preAuth = `DSSEv1 ${CERTIFICATE_TYPE.length} ${CERTIFICATE_TYPE} ${Buffer.byteLength(payload)} ${payload}`;
  return JSON.stringify({
    payloadType: CERTIFICATE_TYPE,
    payload: Buffer.from(payload).toString('base64'),
    signatures: [{ keyid: thumbprint(by.jwk), sig: by.sign(Buffer.from(preAuth)).toString('base64') }],
  });
}

export const details = {
  subject,
  level: 'nonce',
  clientId: 'dbguard',
  method: 'device',
  loggedInAt: startedAt - 60_000,
  loginKey: publicHalf(keys.login.jwk),
  salt,
  idToken: await token(),
  sessionKey: publicHalf(keys.session.jwk),
  certificate: certificate(),
  connection: { name: 'shop', host: 'db.example', port: 5432, database: 'shop', user: 'app' },
  policy: { name: 'guarded', digest: createHash('sha256').update('policy').digest('base64url') },
  version: '0.1.0',
  agent: 'psql',
};

export type Written = readonly [EntryBody, (Disclosures | undefined)?];

/** What a line of a recording is: an entry, a signature, a seal with its signature that ends the segment. `later`: a minute goes by. */
export type Step = Written | 'sign' | 'seal' | 'final' | 'later';

export interface Recording {
  readonly sid?: string;
  readonly open?: object;
  readonly steps: readonly Step[];
  readonly signedBy?: Signing;
}

/** Signed by the session key, whatever stands there: lines by segment. The opening entry is a segment of its own. */
export function recorded({ sid: id = sid, open = {}, steps, signedBy = signing(keys.session) }: Recording): string[][] {
  const clock = fixedClock();
  const chain = fixedChain(id, clock.now);
  const segments: string[][] = [];
  let segment: string[] = [];
  const add = (...[body, disclosures]: Written): void => void segment.push(chain.add(body, disclosures).line.trimEnd());
  const take = (step: Step): void => {
    if (typeof step === 'object') add(...step);
    else if (step === 'later') clock.wait();
    else {
      if (step !== 'sign') add(chain.seal(step === 'final'));
      segment.push(chain.sign(signedBy).trimEnd());
      if (step === 'sign') return;
      segments.push(segment);
      segment = [];
    }
  };
  for (const step of [[{ ...openEntry(details), ...open }] as const, 'seal' as const, ...steps]) take(step);
  if (segment.length > 0) segments.push(segment);
  return segments;
}

function fixedClock() {
  let time = startedAt * 1000;
  const now = (): number => {
    time += 1500;
    return time;
  };
  const wait = (): void => {
    time += 60_000_000;
  };
  return { now, wait };
}

function fixedChain(id: string, now = fixedClock().now): Chain {
  return new Chain(id, {
    now,
    randomBytes: (size) => createHash('shake256', { outputLength: size }).update('salts').digest(),
  });
}

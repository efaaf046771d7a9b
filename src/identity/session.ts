/**
 * The session key of one run and its certificate: the login key says, for one session id and one span of time, which
 * key signs the transcript. The login key itself signs nothing else, and the session key never touches a disk.
 */
import { type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import { DbguardError, messageOf } from '../errors.js';
import type { Signer } from '../transcript/entry.js';
import { crockford } from '../transcript/object-key.js';
import { hasRepeatedKeys } from '../transcript/repeated-keys.js';
import { privateKeyObject, publicKeyObject, thumbprint } from './binding.js';
import type { Ed25519Jwk, Login, SessionCredential } from './identity.js';
import { newEd25519Key } from './new-key.js';

export const CERTIFICATE_TYPE = 'application/vnd.dbguard.session-certificate.v1+json';
const SID = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;
/** A session key signs for no longer than this, and a reader believes no certificate that says more. */
export const MAX_SESSION_MS = 7 * 24 * 3600 * 1000;
/** Certificates are some 400 bytes; anything much larger is not one. */
const MAX_CERTIFICATE = 8192;

/** The signed statement. Times in milliseconds since 1970 UTC. */
export interface CertificateClaims {
  readonly sid: string;
  readonly sessionKey: Ed25519Jwk;
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface SessionOptions {
  /** Milliseconds since 1970 UTC. */
  readonly now: number;
  /** How long the session key may sign; at most `MAX_SESSION_MS`. */
  readonly lifetimeMs: number;
  readonly sid?: string;
}

/**
 * A ULID in lower case: 48 bits of time, 80 random bits, 26 characters of Crockford base32. Sorts by time, cannot be
 * guessed, is safe in URLs, file names on any file system, and PostgreSQL's application_name.
 */
export function sessionId(now: number, random: Uint8Array = randomBytes(10)): string {
  if (!Number.isInteger(now) || now < 0 || now >= 2 ** 48) throw new RangeError('now must fit 48 bits');
  if (random.length !== 10) throw new RangeError('a session id takes 10 random bytes');
  let value = BigInt(now);
  for (const byte of random) value = (value << 8n) | BigInt(byte);
  let text = '';
  for (let shift = 125n; shift >= 0n; shift -= 5n) text += crockford[Number((value >> shift) & 31n)];
  return text;
}

export function isSessionId(text: string): boolean {
  return SID.test(text);
}

/** Makes the session key and has the login key certify it. */
export function createSession(login: Login, options: SessionOptions): SessionCredential {
  const sid = options.sid ?? sessionId(options.now);
  if (!isSessionId(sid)) throw new RangeError('not a session id');
  if (options.lifetimeMs > MAX_SESSION_MS) throw new RangeError('a session key does not live that long');
  const sessionKey = newEd25519Key();
  const { x } = sessionKey.export({ format: 'jwk' });
  if (x === undefined) throw new TypeError('Ed25519 export without x');
  const sessionJwk: Ed25519Jwk = { kty: 'OKP', crv: 'Ed25519', x };
  const claims: CertificateClaims = {
    sid,
    sessionKey: sessionJwk,
    notBefore: options.now,
    notAfter: options.now + options.lifetimeMs,
  };
  const payload = Buffer.from(JSON.stringify(claims));
  const signature = sign(null, preAuthEncoding(payload), privateKeyObject(login.loginKey));
  const certificate = JSON.stringify({
    payloadType: CERTIFICATE_TYPE,
    payload: payload.toString('base64'),
    signatures: [{ keyid: thumbprint(login.loginKey), sig: signature.toString('base64') }],
  });
  return { sid, login, sessionKey, sessionJwk, certificate };
}

/** Signs with the one KeyObject of this session: parsing the key each time would cost ten times the signature. */
export function sessionSigner(credential: SessionCredential): Signer {
  const key = credential.sessionKey;
  return { sign: (bytes) => sign(null, bytes, key) };
}

/**
 * Checks an attacker-controlled certificate: shape, signature by the login key, session id, and that `at`
 * (milliseconds since 1970 UTC) lies in its span. Throws DbguardError `transcript-invalid` that names what is wrong.
 */
export function verifyCertificate(
  certificate: string,
  loginKey: Ed25519Jwk,
  expected: { readonly sid: string; readonly at: number },
): CertificateClaims {
  const { payload, signature } = readEnvelope(certificate);
  if (!verify(null, preAuthEncoding(payload), readKey(loginKey), signature)) {
    throw invalid('the session certificate is not signed by the login key');
  }
  const claims = readClaims(payload);
  if (claims.sid !== expected.sid) throw invalid('the session certificate belongs to another session');
  if (claims.notAfter - claims.notBefore > MAX_SESSION_MS) {
    throw invalid(`the session certificate claims to hold for more than ${MAX_SESSION_MS / 86_400_000} days`);
  }
  if (expected.at < claims.notBefore) throw invalid('the session certificate was not valid yet at that time');
  if (expected.at > claims.notAfter) throw invalid('the session certificate had expired by that time');
  return claims;
}

/** Which session a certificate says to be for, unverified; undefined where it says nothing. */
export function certifiedSid(certificate: string): string | undefined {
  try {
    return readClaims(readEnvelope(certificate).payload).sid;
  } catch {
    return undefined;
  }
}

/** DSSE v1: "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body. */
function preAuthEncoding(payload: Buffer): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(CERTIFICATE_TYPE)} ${CERTIFICATE_TYPE} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

function readEnvelope(certificate: string): { payload: Buffer; signature: Buffer } {
  if (certificate.length > MAX_CERTIFICATE) throw invalid('the session certificate is too long');
  const envelope = parse(certificate);
  const signatures = envelope.signatures;
  const first: unknown = Array.isArray(signatures) && signatures.length === 1 ? signatures[0] : undefined;
  const sig = isRecord(first) ? first.sig : undefined;
  const payload = envelope.payload;
  if (envelope.payloadType !== CERTIFICATE_TYPE || typeof payload !== 'string' || typeof sig !== 'string') {
    throw invalid('the session certificate is not an envelope of the expected type with one signature');
  }
  return { payload: Buffer.from(payload, 'base64'), signature: Buffer.from(sig, 'base64') };
}

function readKey(loginKey: Ed25519Jwk): KeyObject {
  try {
    return publicKeyObject(loginKey);
  } catch (error) {
    throw invalid(`the login key proves nothing: ${messageOf(error)}`);
  }
}

function readClaims(payload: Buffer): CertificateClaims {
  const { sid, sessionKey, notBefore, notAfter } = parse(payload.toString('utf8'));
  if (
    typeof sid !== 'string' ||
    !isSessionId(sid) ||
    !isRecord(sessionKey) ||
    sessionKey.kty !== 'OKP' ||
    sessionKey.crv !== 'Ed25519' ||
    typeof sessionKey.x !== 'string' ||
    !Number.isSafeInteger(notBefore) ||
    !Number.isSafeInteger(notAfter)
  ) {
    throw invalid('the session certificate lacks a field');
  }
  return {
    sid,
    sessionKey: { kty: 'OKP', crv: 'Ed25519', x: sessionKey.x },
    notBefore: Number(notBefore),
    notAfter: Number(notAfter),
  };
}

function parse(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`the session certificate is not JSON: ${messageOf(error)}`);
  }
  if (!isRecord(value)) throw invalid('the session certificate is not a JSON object');
  if (hasRepeatedKeys(text, value)) throw invalid('a key stands twice in the session certificate');
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): DbguardError {
  return new DbguardError('transcript-invalid', message);
}

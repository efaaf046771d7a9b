/**
 * The session key of one run and its certificate: the login key says, for one session id and one span of time, which
 * key signs the transcript. The login key itself signs nothing else, and the session key never touches a disk.
 */
import { randomBytes, sign } from 'node:crypto';
import type { VerifyingKey } from '../ed25519.js';
import { DbguardError, messageOf } from '../errors.js';
import type { Signer } from '../transcript/entry.js';
import { envelopeText, isEnvelopeBy, parseSigned, type ReadEnvelope, readEnvelope } from '../transcript/envelope.js';
import { isRecord } from '../transcript/line.js';
import { crockford } from '../transcript/object-key.js';
import type { Evidence, GatewayLogin } from '../transcript/open-entry.js';
import { certifyingKey, privateKeyObject, publicHalf, thumbprint } from './binding.js';
import type { Ed25519Jwk, Guest, Login, SessionCredential, Subject } from './identity.js';
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
  /** For whom a gateway signs; see SessionCredential. @param session see SignedText */
  readonly guest?: (session: string) => Guest;
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
  const loginKey = privateKeyObject(login.loginKey);
  const certificate = envelopeText(CERTIFICATE_TYPE, claims, {
    keyid: thumbprint(login.loginKey),
    sign: (bytes) => sign(null, bytes, loginKey),
  });
  return { sid, login, sessionKey, sessionJwk, certificate, ...(options.guest && { guest: options.guest(x) }) };
}

/** Signs with the one KeyObject of this session: parsing the key each time would cost ten times the signature. */
export function sessionSigner(credential: SessionCredential): Signer {
  const key = credential.sessionKey;
  return { sign: (bytes) => sign(null, bytes, key) };
}

/** The public side of a credential, and the tokens that prove it. */
export function evidenceOf({ login, sessionJwk, certificate, guest }: SessionCredential): Evidence {
  const key = { loginKey: publicHalf(login.loginKey), salt: login.salt, sessionKey: sessionJwk, certificate };
  const own = loginEvidence(login);
  if (guest === undefined) return { ...own, ...(login.method === undefined ? {} : { method: login.method }), ...key };
  return {
    subject: guest.subject,
    level: 'gateway',
    clientId: guest.clientId,
    audience: guest.audience,
    loggedInAt: guest.shownAt,
    idToken: guest.shown,
    ...(guest.proof === undefined ? {} : { proof: guest.proof }),
    gateway: own,
    ...key,
  };
}

function loginEvidence(login: Login): GatewayLogin {
  return {
    subject: login.subject,
    level: login.level,
    clientId: login.clientId,
    ...(login.audience === undefined ? {} : { audience: login.audience }),
    loggedInAt: login.loggedInAt,
    idToken: login.bindingIdToken,
    ...(login.bindingAccessToken === undefined ? {} : { accessToken: login.bindingAccessToken }),
  };
}

/** Whose transcript it is: the person's, also where a gateway signs. */
export function subjectOfSession({ login, guest }: SessionCredential): Subject {
  return guest?.subject ?? login.subject;
}

/**
 * Checks an attacker-controlled certificate: shape, signature by the login key, session id, and that `at`
 * (milliseconds since 1970 UTC) lies in its span. Rejects with DbguardError `transcript-invalid` that names what is wrong.
 */
export async function verifyCertificate(
  certificate: string,
  loginKey: Ed25519Jwk,
  expected: { readonly sid: string; readonly at: number },
): Promise<CertificateClaims> {
  const envelope = readCertificate(certificate);
  if (!(await isEnvelopeBy(readKey(loginKey), CERTIFICATE_TYPE, envelope))) {
    throw invalid('the session certificate is not signed by the login key');
  }
  const claims = readClaims(envelope.payload);
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
    return readClaims(readCertificate(certificate).payload).sid;
  } catch {
    return undefined;
  }
}

const WHAT = 'the session certificate';

function readCertificate(certificate: string): ReadEnvelope {
  if (certificate.length > MAX_CERTIFICATE) throw invalid('the session certificate is too long');
  return readEnvelope(certificate, CERTIFICATE_TYPE, WHAT);
}

function readKey(loginKey: Ed25519Jwk): VerifyingKey {
  try {
    return certifyingKey(loginKey);
  } catch (error) {
    throw invalid(`the login key proves nothing: ${messageOf(error)}`);
  }
}

function readClaims(payload: Buffer): CertificateClaims {
  const { sid, sessionKey, notBefore, notAfter } = parseSigned(payload.toString('utf8'), WHAT);
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

function invalid(message: string): DbguardError {
  return new DbguardError('transcript-invalid', message);
}

/**
 * How a reader checks who signed a transcript, with nothing but the issuer's keys and years later.
 */
import { DbguardError } from '../errors.js';
import type { IdentityEvidence } from './evidence.js';
import { type JsonWebKeySet, verifyBinding } from './id-token.js';
import {
  type Ed25519Jwk,
  type EvidenceLevel,
  evidenceLevels,
  type IssuerKey,
  type LoginMethod,
  type Subject,
} from './identity.js';
import { verifyCertificate } from './session.js';

export interface EvidenceExpectations {
  /** Session id of the entry that the evidence stands in. */
  readonly sid: string;
  /** When the session opened, milliseconds since 1970 UTC. */
  readonly openedAt: number;
  /** What the organisation trusts; a reader who leaves these out trusts any issuer whose keys were given. */
  readonly issuer?: string;
  readonly audience?: string;
  readonly minimumLevel?: EvidenceLevel;
  readonly maxLoginAgeMs?: number;
  /** Seconds. */
  readonly clockSkew?: number;
}

export interface VerifiedIdentity {
  readonly subject: Subject;
  /** The level that was proven, never better than the one that was claimed. */
  readonly level: EvidenceLevel;
  /** The issuer's key that signed. */
  readonly issuerKey: IssuerKey;
  /** Signs the session's entries until `notAfter`, milliseconds since 1970 UTC. */
  readonly sessionKey: Ed25519Jwk;
  readonly notAfter: number;
}

/**
 * Checks attacker-controlled evidence. `keys` are the issuer's as of the login, from a source that the writer could not
 * change. Rejects with DbguardError `transcript-invalid` that names the first thing that is wrong.
 */
export async function verifyIdentityEvidence(
  evidence: unknown,
  keys: JsonWebKeySet,
  expected: EvidenceExpectations,
): Promise<VerifiedIdentity> {
  const claim = readEvidence(evidence);
  const skewMs = (expected.clockSkew ?? 0) * 1000;
  if (expected.issuer !== undefined && claim.subject.iss !== expected.issuer) throw invalid('another issuer');
  if (expected.audience !== undefined && claim.audience !== expected.audience) throw invalid('another client');
  const verified = await verifyBinding({ ...claim, workload: claim.method === 'workload' }, keys, {
    issuer: claim.subject.iss,
    audience: claim.audience,
    now: claim.loggedInAt,
    ...(expected.clockSkew === undefined ? {} : { clockSkew: expected.clockSkew }),
  }).catch((error: unknown) => {
    throw invalid(error instanceof DbguardError ? error.message : 'the tokens cannot be read');
  });
  const { subject, level, key } = verified;
  if (subject.sub !== claim.subject.sub || subject.email !== claim.subject.email) {
    throw invalid('the ID token names another subject');
  }
  if (rank(level) > rank(claim.level)) throw invalid(`level ${claim.level} is claimed, the tokens prove ${level}`);
  const proven = rank(level) < rank(claim.level) ? claim.level : level;
  if (expected.minimumLevel !== undefined && rank(proven) > rank(expected.minimumLevel)) {
    throw invalid(`level ${proven}, but ${expected.minimumLevel} is demanded`);
  }
  // The issuer's own time of the login, not the writer's word.
  if (expected.openedAt + skewMs < verified.issuedAt) throw invalid('the session opened before the login');
  if (expected.maxLoginAgeMs !== undefined && expected.openedAt - verified.issuedAt > expected.maxLoginAgeMs) {
    throw invalid('the login was too old when the session opened');
  }
  const { sessionKey, notAfter } = verifyCertificate(claim.certificate, claim.loginKey, {
    sid: expected.sid,
    at: expected.openedAt,
  });
  return { subject, level: proven, issuerKey: key, sessionKey, notAfter };
}

/** Position in `evidenceLevels`: 0 is the best. */
function rank(level: EvidenceLevel): number {
  return evidenceLevels.indexOf(level);
}

function readEvidence(value: unknown): IdentityEvidence {
  const fields = record(value, 'it is not an object');
  const subject = record(fields.subject, 'no subject');
  const loginKey = record(fields.loginKey, 'no login key');
  const { level, method, loggedInAt } = fields;
  const email = subject.email;
  const accessToken = fields.accessToken;
  if (!isLevel(level) || !isMethod(method) || typeof loggedInAt !== 'number' || !Number.isFinite(loggedInAt)) {
    throw invalid('level, method or time of the login is missing');
  }
  if (loginKey.kty !== 'OKP' || loginKey.crv !== 'Ed25519') throw invalid('the login key is not Ed25519');
  const salt = text(fields, 'salt');
  if (!/^[\w-]{22}$/.test(salt)) throw invalid('the salt has not 16 bytes');
  return {
    subject: {
      iss: text(subject, 'iss'),
      sub: text(subject, 'sub'),
      ...(email === undefined ? {} : { email: text(subject, 'email') }),
    },
    level,
    method,
    audience: text(fields, 'audience'),
    loggedInAt,
    loginKey: { kty: 'OKP', crv: 'Ed25519', x: text(loginKey, 'x') },
    salt,
    idToken: text(fields, 'idToken'),
    ...(accessToken === undefined ? {} : { accessToken: text(fields, 'accessToken') }),
    certificate: text(fields, 'certificate'),
  };
}

function isLevel(value: unknown): value is EvidenceLevel {
  return evidenceLevels.some((level) => level === value);
}

function isMethod(value: unknown): value is LoginMethod {
  return value === 'device' || value === 'browser' || value === 'workload';
}

function text(fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw invalid(`${name} is missing`);
  return value;
}

function record(value: unknown, problem: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(problem);
  return value as Record<string, unknown>;
}

function invalid(problem: string): DbguardError {
  return new DbguardError('transcript-invalid', `the evidence of who signed does not hold: ${problem}`);
}

/** Names of a session's objects: the same in the spool (without `.gz`) and in the bucket. */
import { sha256 } from '../sha256.js';

const VERSION = 'v1';
const KEY =
  /^v1\/([0-9a-f]{32})\/([0-7][0-9a-hjkmnp-tv-z]{25})\/(?:(\d{8})(?:-([0-9a-f]{16}))?|redactions\/([0-7][0-9a-hjkmnp-tv-z]{25}))\.jsonl\.gz$/;
const FOLDER = /^v1\/([0-9a-f]{32})\/([0-7][0-9a-hjkmnp-tv-z]{25})\//;

/** Attacker-controlled: anybody who may create objects may choose names. */
export interface ObjectName {
  readonly subject: string;
  readonly sid: string;
  /** Undefined for a redaction. */
  readonly segment?: number;
  /** What the name says of its text, as `textDigest` gives it; undefined for a plain name. */
  readonly text?: string;
  /** The reviewer's session that redacts this one. */
  readonly redaction?: string;
}

/** The folder of everything that one person wrote: first 32 hex digits of SHA-256 of issuer, a zero byte, subject. */
export function subjectHash(subject: { readonly iss: string; readonly sub: string }): string {
  return sha256(`${subject.iss}\0${subject.sub}`, 'hex').slice(0, 32);
}

export function subjectPrefix(subject: string): string {
  return `${VERSION}/${subject}/`;
}

export function sessionPrefix(subject: string, sid: string): string {
  return `${subjectPrefix(subject)}${sid}/`;
}

export const allSessionsPrefix = `${VERSION}/`;

export function segmentFileName(number: number): string {
  return `${String(number).padStart(8, '0')}.jsonl`;
}

/** Undefined for a name that is no segment's. */
export function segmentNumber(fileName: string): number | undefined {
  const digits = /^(\d{8})\.jsonl$/.exec(fileName)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** @param prefix as `sessionPrefix` gives it */
export function segmentKey(prefix: string, number: number): string {
  return `${prefix}${segmentFileName(number)}.gz`;
}

/**
 * The name for a segment whose first choice is taken by something that we may not read or that is not ours: named by its
 * content, so that a second try writes the same object.
 */
export function alternativeKey(prefix: string, number: number, content: Uint8Array): string {
  return `${prefix}${String(number).padStart(8, '0')}-${textDigest(sha256(content, 'hex'))}.jsonl.gz`;
}

/** As it stands in a name. @param hex SHA-256 of a segment's text */
export function textDigest(hex: string): string {
  return hex.slice(0, 16);
}

export function redactionKey(prefix: string, reviewerSid: string): string {
  return `${prefix}redactions/${reviewerSid}.jsonl.gz`;
}

/** No person's: SHA-256 of nothing that anybody knows begins like this. */
export const nobodysFolder = '0'.repeat(32);

const PROBE = /^v1\/[0-9a-f]{32}\/probes\/[\w-]{1,64}\.txt$/;

/** What `transcripts check-bucket` stores to see what a bucket allows; never evidence. @param subject a folder */
export function probeKey(subject: string, id: string): string {
  return `${subjectPrefix(subject)}probes/${id}.txt`;
}

export function isProbeKey(key: string): boolean {
  return PROBE.test(key);
}

/** Undefined for a key that is none of ours. */
export function parseObjectKey(key: string): ObjectName | undefined {
  const [, subject, sid, digits, text, redaction] = KEY.exec(key) ?? [];
  if (subject === undefined || sid === undefined) return undefined;
  if (redaction !== undefined) return { subject, sid, redaction };
  return { subject, sid, segment: Number(digits), ...(text === undefined ? {} : { text }) };
}

/** Where the leads' archive keeps the login keys that nobody may sign with any more. */
export const revokedKeysPrefix = 'revoked/';

/** Named by content too: what has been said about a key stays. @param thumbprint RFC 7638, base64url */
export function revokedKeyName(thumbprint: string, content: Uint8Array): string {
  return `${revokedKeysPrefix}${thumbprint}-${sha256(content, 'hex').slice(0, 16)}.json`;
}

/** Undefined for a name that `revokedKeyName` does not give. */
export function thumbprintIn(key: string): string | undefined {
  return /^revoked\/([\w-]{43})-[0-9a-f]{16}\.json$/.exec(key)?.[1];
}

/** The session in whose folder a key lies, whatever it names. */
export function sessionFolderOf(key: string): Pick<ObjectName, 'subject' | 'sid'> | undefined {
  const [, subject, sid] = FOLDER.exec(key) ?? [];
  return subject === undefined || sid === undefined ? undefined : { subject, sid };
}

export const issuerKeysFolder = 'jwks/';

/** Where the leads' archive keeps an issuer's public keys. */
export function issuerKeysPrefix(issuer: string): string {
  return `${issuerKeysFolder}${sha256(issuer, 'hex').slice(0, 32)}/`;
}

/** A session id is a ULID: its first ten characters are milliseconds since 1970 UTC in Crockford's base32. */
export function sessionTime(sid: string): number {
  return [...sid.slice(0, timeCharacters)].reduce((time, character) => time * 32 + crockford.indexOf(character), 0);
}

/** What ids of this millisecond begin with. @param ms since 1970 UTC; what is before or after all ids counts as the end */
export function sessionIdsAt(ms: number): string {
  let [rest, text] = [Math.min(Math.max(0, ms), 2 ** 48 - 1), ''];
  for (; text.length < timeCharacters; rest = Math.floor(rest / 32)) text = `${crockford[rest % 32]}${text}`;
  return text;
}

/** Crockford's base32 in lower case. */
export const crockford = '0123456789abcdefghjkmnpqrstvwxyz';
const timeCharacters = 10;

/**
 * One entry as one line of JSON, and back. `p` is the payload as text, `x` the disclosures, `s` the signature.
 *
 * What is signed and hashed are the bytes of `p` as they stand, so there is no canonical form to get wrong. The line
 * around them has exactly one spelling: a reader that finds another one has found a change.
 */
import { DbguardError } from '../errors.js';
import { sha256 } from '../sha256.js';
import type { Entry } from './entry.js';
import { hasRepeatedKeys } from './repeated-keys.js';

const ENTRY_TYPE = 'application/vnd.dbguard.entry.v1+json';
/** `prev` of the first line: SHA-256 of nothing. */
export const EMPTY_HASH = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU';
const PAE_HEAD = `DSSEv1 ${ENTRY_TYPE.length} ${ENTRY_TYPE} `;
const HASH_TEXT = /^[\w-]{43}$/;
/** Characters of disclosed text in one entry. PostgreSQL takes statements up to 1 GB; what is longer than this is not run. */
export const MAX_DISCLOSED = 32 * 1024 * 1024;
/** Escaped twice, a character may take eight. */
const MAX_LINE = 8 * MAX_DISCLOSED;

/** DSSE v1: "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body; lengths in bytes of UTF-8. */
export function preAuthEncoding(payload: string): string {
  return `${PAE_HEAD}${Buffer.byteLength(payload)} ${payload}`;
}

/** SHA-256 of the UTF-8 bytes, base64url: 43 characters. */
export function digest(text: string): string {
  return sha256(text, 'base64url');
}

/** RFC 9901 section 4.2.1. `valueJson` is the value as JSON text. */
export function disclosureText(salt: string, name: string, valueJson: string): string {
  return `["${salt}",${JSON.stringify(name)},${valueJson}]`;
}

/** A line without its end, so that a signature can still be put in. */
export function openLine(payload: string, disclosures: readonly string[]): string {
  const p = `{"p":${JSON.stringify(payload)}`;
  return disclosures.length === 0 ? p : `${p},"x":${JSON.stringify(disclosures)}`;
}

export const LINE_END = '}\n';

/** @param signature base64url */
export function signedLineEnd(signature: string): string {
  return `,"s":"${signature}"}\n`;
}

export interface Line {
  readonly payload: string;
  readonly disclosures: readonly string[];
  /** base64url, as written. */
  readonly signature: string | undefined;
}

/** A line without its newline. */
export function encodeLine({ payload, disclosures, signature }: Line): string {
  const end = signature === undefined ? LINE_END : signedLineEnd(signature);
  return (openLine(payload, disclosures) + end).trimEnd();
}

/** Reads an attacker-controlled line. Throws `transcript-invalid` for anything that `encodeLine` would not have written. */
export function decodeLine(text: string): Line {
  const value = parseObject(text, 'the line');
  const { p, x, s } = value;
  const disclosures: unknown[] = x === undefined ? [] : Array.isArray(x) ? x : [undefined];
  if (typeof p !== 'string' || !disclosures.every(isString) || !(s === undefined || typeof s === 'string')) {
    throw invalid('the line lacks a payload, or has fields of the wrong type');
  }
  const line = { payload: p, disclosures, signature: s };
  // Repeated keys, extra fields and blanks would be read differently by different readers.
  if (encodeLine(line) !== text) throw invalid('the line is not written the way dbguard writes lines');
  return line;
}

export interface Disclosure {
  readonly name: string;
  readonly value: unknown;
  readonly digest: string;
}

/** Throws `transcript-invalid` when the text is not `["salt","name",value]`. */
export function decodeDisclosure(text: string): Disclosure {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('a disclosure is not JSON');
  }
  if (!Array.isArray(value) || value.length !== 3 || !isString(value[0]) || !isString(value[1])) {
    throw invalid('a disclosure is not a list of salt, name and value');
  }
  return { name: value[1], value: value[2], digest: digest(text) };
}

/** Throws `transcript-invalid` when a field that every entry has is missing or of the wrong type. */
export function decodePayload(payload: string): Entry {
  const value = parseObject(payload, 'the payload');
  if (hasRepeatedKeys(payload, value)) throw invalid('a key stands twice in the payload');
  const { sid, n, t, k, prev, c, ...fields } = value;
  if (
    typeof sid !== 'string' ||
    typeof n !== 'number' ||
    !Number.isSafeInteger(n) ||
    typeof t !== 'number' ||
    !Number.isSafeInteger(t) ||
    typeof k !== 'string' ||
    typeof prev !== 'string' ||
    !isDigests(c)
  ) {
    throw invalid('the payload lacks one of sid, n, t, k, prev, or c is not a set of digests');
  }
  return { sid, n, t, k, prev, c: c ?? {}, fields };
}

function isDigests(value: unknown): value is Record<string, string> | undefined {
  if (value === undefined) return true;
  return isRecord(value) && Object.values(value).every((item) => typeof item === 'string' && HASH_TEXT.test(item));
}

function parseObject(text: string, what: string): Record<string, unknown> {
  if (text.length > MAX_LINE) throw invalid(`${what} is too long`);
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    throw invalid(`${what} is not JSON`);
  }
  throw invalid(`${what} is not a JSON object`);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function invalid(message: string): DbguardError {
  return new DbguardError('transcript-invalid', message);
}

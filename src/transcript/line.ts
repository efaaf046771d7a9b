/**
 * Lines of a transcript as bytes, and back: entries with their disclosures, and signatures. FORMAT.md describes them.
 *
 * What is hashed are the bytes of a line as they stand, so there is no canonical form to get wrong; what is not hashed
 * (the order of disclosures) has exactly one spelling: a reader that finds another one has found a change.
 */
import { DbguardError } from '../errors.js';
import { sha256 } from '../sha256.js';
import type { Entry } from './entry.js';
import { hasRepeatedKeys, isNestedDeeply } from './repeated-keys.js';

const HEAD_TYPE = 'application/vnd.dbguard.head.v1+json';
const PAE_HEAD = `DSSEv1 ${HEAD_TYPE.length} ${HEAD_TYPE} `;
/** Characters in which nothing can be nested too deeply. */
const SHALLOW = 128;
const HASH_TEXT = /^[\w-]{43}$/;
const SIGNATURE_LINE = /^\{"size":(0|[1-9]\d{0,15}),"head":"([\w-]{43})","sig":"([\w-]{86})"\}$/;
export const SIGNATURE_START = '{"size":';
/** Characters of disclosed text in one entry. PostgreSQL takes statements up to 1 GB; what is longer than this is not run. */
export const MAX_DISCLOSED = 32 * 1024 * 1024;
/** Bytes of an entry without what it discloses. */
export const LONGEST_PAYLOAD = 1024 * 1024;

/** SHA-256 of the UTF-8 bytes, base64url: 43 characters. */
export function digest(text: string): string {
  return sha256(text, 'base64url');
}

/** The head of a session that has no lines yet: no two sessions share one, so that no line fits into another session. */
export function firstHead(sid: string): string {
  return digest(`dbguard-transcript-v1\0${sid}`);
}

/** @param text a payload, or a signature line without its newline */
export function nextHead(head: string, text: string): string {
  return digest(head + text);
}

/**
 * What a signature signs: DSSE v1, "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body, over JSON that has one spelling.
 *
 * @param size how many entries there are
 * @param head of the chain after the last of them
 */
export function signedBytes(sid: string, size: number, head: string): Buffer {
  const body = `{"sid":${JSON.stringify(sid)},"size":${size},"head":"${head}"}`;
  return Buffer.from(`${PAE_HEAD}${Buffer.byteLength(body)} ${body}`);
}

/** RFC 9901 section 4.2.1. `valueJson` is the value as JSON text. */
export function disclosureText(salt: string, name: string, valueJson: string): string {
  return name === 'bind' ? `["${salt}","bind",${valueJson}]` : `["${salt}",${JSON.stringify(name)},${valueJson}]`;
}

export interface EntryLine<Disclosure = string> {
  readonly kind: 'entry';
  readonly payload: string;
  readonly disclosures: readonly Disclosure[];
}

/** As it stands where it is held. */
export type ReadDisclosure = string | PassedDisclosure;

/** A disclosure that was read and is not held, because it is long. */
export interface PassedDisclosure {
  readonly name: string;
  /** Of its text, base64url. */
  readonly digest: string;
  /** Why it is none. */
  readonly problem?: string;
}

export interface SignatureLine {
  readonly kind: 'signature';
  /** As it stands; part of the chain. */
  readonly text: string;
  readonly size: number;
  readonly head: string;
  /** 64 bytes, base64url. */
  readonly signature: string;
}

export type Line<Disclosure = string> = EntryLine<Disclosure> | SignatureLine;

/** A line without its newline. */
export function entryLine(payload: string, disclosures: readonly string[]): string {
  return disclosures.length === 0 ? payload : `${payload}\t${disclosures.join('\t')}`;
}

/** A line without its newline. @param signature 64 bytes */
export function signatureLine(size: number, head: string, signature: Uint8Array): string {
  return `{"size":${size},"head":"${head}","sig":"${Buffer.from(signature).toString('base64url')}"}`;
}

/**
 * Reads an attacker-controlled line. Throws `transcript-invalid` for a signature that is not written as dbguard writes it.
 *
 * @param passed what a long line discloses; `text` is then what stands before it
 */
export function decodeLine(text: string): Line;
export function decodeLine(text: string, passed: readonly PassedDisclosure[] | undefined): Line<ReadDisclosure>;
export function decodeLine(text: string, passed?: readonly PassedDisclosure[]): Line<ReadDisclosure> {
  if (!text.startsWith(SIGNATURE_START)) {
    if (passed !== undefined) return { kind: 'entry', payload: text, disclosures: passed };
    const [payload = '', ...disclosures] = text.split('\t');
    return { kind: 'entry', payload, disclosures };
  }
  const [, size, head = '', signature = ''] = SIGNATURE_LINE.exec(text) ?? [];
  // Two spellings of the same 64 bytes would let a change go unseen.
  if (size === undefined || Buffer.from(signature, 'base64url').toString('base64url') !== signature) {
    throw invalid('the signature is not written the way dbguard writes signatures');
  }
  return { kind: 'signature', text, size: Number(size), head, signature };
}

export interface Disclosure {
  readonly name: string;
  /** A text, or a list of texts and nulls; undefined where it was not held. */
  readonly value: string | readonly (string | null)[] | undefined;
  readonly digest: string;
}

/** Throws `transcript-invalid` when the text is not `["salt","name",value]`. */
export function decodeDisclosure(text: ReadDisclosure): Disclosure {
  if (typeof text !== 'string') {
    if (text.problem !== undefined) throw invalid(text.problem);
    return { name: text.name, value: undefined, digest: text.digest };
  }
  const [salt, name, value, ...more] = listIn(text);
  if (!isString(salt) || !isString(name) || !isDisclosable(value) || more.length > 0) {
    throw invalid('a disclosure is not a list of salt, name and value');
  }
  return { name, value, digest: digest(text) };
}

function listIn(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return value;
  } catch {
    throw invalid('a disclosure is not JSON');
  }
  return [];
}

function isDisclosable(value: unknown): value is string | readonly (string | null)[] {
  return isString(value) || (Array.isArray(value) && value.every((one) => one === null || isString(one)));
}

/** Throws `transcript-invalid` when a field that every entry has is missing or of the wrong type. */
export function decodePayload(payload: string): Entry {
  const value = parseObject(payload);
  if (hasRepeatedKeys(payload, value)) throw invalid('a key stands twice in the entry');
  if (payload.length > SHALLOW && isNestedDeeply(value)) throw invalid('the entry is nested too deeply');
  const { n, t, k, c, ...fields } = value;
  if (!isCount(n) || !isCount(t) || typeof k !== 'string' || !isDigests(c)) {
    throw invalid('the entry lacks one of n, t, k, or c is not a set of digests');
  }
  return { n, t, k, c: c ?? {}, fields };
}

function isDigests(value: unknown): value is Record<string, string> | undefined {
  if (value === undefined) return true;
  return isRecord(value) && Object.values(value).every((item) => typeof item === 'string' && HASH_TEXT.test(item));
}

function parseObject(text: string): Record<string, unknown> {
  if (text.length > LONGEST_PAYLOAD) throw invalid('the entry is too long');
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    throw invalid('the entry is not JSON');
  }
  throw invalid('the entry is not a JSON object');
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whole, and below 2^53. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function invalid(message: string): DbguardError {
  return new DbguardError('transcript-invalid', message);
}

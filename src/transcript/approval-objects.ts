/**
 * The three objects by which a second person approves: a request, verdicts, a claim. Each is written once, into
 * `approvals/<id>/` of the bucket, and stands in the transcript as it lies there. FORMAT.md describes them.
 *
 * What lives here: names, bytes and types of the objects. What it must not know: whether any of them holds.
 */
import { DbguardError } from '../errors.js';
import { sha256 } from '../sha256.js';
import { type EnvelopeSigner, envelopeText, parseSigned, type ReadEnvelope, readEnvelope } from './envelope.js';
import { isRecord } from './line.js';
import { sessionIdsAt } from './object-key.js';
import { type Evidence, evidenceFields, readEvidence } from './open-entry.js';

const approvalParts = ['request', 'verdict', 'claim'] as const;
export type ApprovalPart = (typeof approvalParts)[number];

const types: Readonly<Record<ApprovalPart, string>> = {
  request: 'application/vnd.dbguard.approval-request.v1+json',
  verdict: 'application/vnd.dbguard.approval-verdict.v1+json',
  claim: 'application/vnd.dbguard.approval-claim.v1+json',
};

/** What a request asks of those who answer. Times in milliseconds. */
export interface ApprovalDemands {
  /** E-mail addresses, and `group:` with the name of a group. */
  readonly approvers: readonly string[];
  /** How many of them have to approve. */
  readonly min: number;
  /** The weakest evidence: `nonce`, `dpop`, `audience`. */
  readonly level: string;
  /** How long ago they may have logged in. */
  readonly maxAge: number;
  /** How long an approval may be used. */
  readonly validFor: number;
}

/** Times in milliseconds since 1970 UTC. */
export interface ApprovalRequestClaims {
  readonly id: string;
  readonly sid: string;
  readonly at: number;
  /** No verdict counts that is given later. */
  readonly expiresAt: number;
  /** SHA-256 of the text that says what is asked, base64url. */
  readonly shown: string;
  /** The connection's name. */
  readonly connection: string;
  /** The statement runs as this role. */
  readonly role?: string;
  readonly demands: ApprovalDemands;
  readonly who: Evidence;
}

export interface ApprovalVerdictClaims {
  readonly id: string;
  /** Of the approver, for the certificate. */
  readonly sid: string;
  /** SHA-256 of the request's payload, base64url. */
  readonly request: string;
  readonly decision: 'allow' | 'deny';
  readonly reason?: string;
  readonly at: number;
  /** SHA-256 of what was on the approver's screen, base64url. */
  readonly seen: string;
  readonly who: Evidence;
}

export interface ApprovalClaimClaims {
  readonly id: string;
  /** The session that runs the statement, and the number of the statement's entry in it. */
  readonly sid: string;
  readonly of: number;
  readonly request: string;
  /** SHA-256 of the payload of each verdict that it rests on, base64url. */
  readonly verdicts: readonly string[];
  readonly at: number;
}

export interface ClaimsOf {
  readonly request: ApprovalRequestClaims;
  readonly verdict: ApprovalVerdictClaims;
  readonly claim: ApprovalClaimClaims;
}

/** An object as it was read; nothing of it is checked but its shape. */
export interface ReadObject<P extends ApprovalPart = ApprovalPart> extends ReadEnvelope {
  readonly part: P;
  readonly claims: ClaimsOf[P];
  /** SHA-256 of its payload, base64url: what other objects call it. */
  readonly digest: string;
}

const VERSION = 1;
const approvalsPrefix = 'approvals/';
const KEY = /^approvals\/([0-7][0-9a-hjkmnp-tv-z]{25})\/(?:(request)|(claim)|verdict-([0-9a-f]{32}))$/;
const APPROVAL_ID = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;

export function approvalFolder(id: string): string {
  return `${approvalsPrefix}${id}/`;
}

export function requestKey(id: string): string {
  return `${approvalFolder(id)}request`;
}

/** @param subject as `subjectHash` gives it */
export function verdictKey(id: string, subject: string): string {
  return `${approvalFolder(id)}verdict-${subject}`;
}

export function claimKey(id: string): string {
  return `${approvalFolder(id)}claim`;
}

/** Undefined for a key that is none of these. Attacker-controlled. */
export function parseApprovalKey(
  key: string,
): { readonly id: string; readonly part: ApprovalPart; readonly subject?: string } | undefined {
  const [, id, request, claim, subject] = KEY.exec(key) ?? [];
  if (id === undefined) return undefined;
  if (subject !== undefined) return { id, part: 'verdict', subject };
  return { id, part: request ? 'request' : claim ? 'claim' : 'verdict' };
}

/**
 * What the keys of all requests since `from` begin with, in few prefixes: ids begin with their time.
 * @param from and `to`: milliseconds since 1970 UTC
 */
export function requestPrefixes(from: number, to: number): string[] {
  const prefixes = new Set<string>();
  for (let at = from; ; at += STEP_MS) {
    prefixes.add(`${approvalsPrefix}${sessionIdsAt(Math.min(at, to)).slice(0, STEP_CHARACTERS)}`);
    if (at >= to) return [...prefixes];
  }
}

/** Nine hours: the first five of the ten characters of time. */
const STEP_CHARACTERS = 5;
const STEP_MS = 32 ** 5;

/** JSON text of the envelope. */
export function approvalText<P extends ApprovalPart>(part: P, claims: ClaimsOf[P], signer: EnvelopeSigner): string {
  const fields = 'who' in claims ? { ...claims, who: evidenceFields(claims.who) } : claims;
  return envelopeText(types[part], { v: VERSION, ...fields }, signer);
}

/** Characters of an object without the text that says what is asked. */
const MAX_OBJECT = 256 * 1024;

/** Reads attacker-controlled text. Throws `transcript-invalid` that says what is wrong. */
export function readApproval<P extends ApprovalPart>(part: P, text: string): ReadObject<P> {
  if (text.length > MAX_OBJECT) throw invalid(`the ${part} is too long`);
  const envelope = readEnvelope(text, types[part], `the ${part}`);
  const payload = parseSigned(envelope.payload.toString('utf8'), `the ${part}`);
  if (payload.v !== VERSION) throw invalid(`the ${part} is of a version that this dbguard does not know`);
  const read = readers[part] as (fields: Fields) => ClaimsOf[P];
  return { part, ...envelope, claims: read(new Fields(part, payload)), digest: sha256(envelope.payload, 'base64url') };
}

export function approvalType(part: ApprovalPart): string {
  return types[part];
}

const readers: { readonly [P in ApprovalPart]: (fields: Fields) => ClaimsOf[P] } = {
  request: (fields) => ({
    id: fields.text('id', APPROVAL_ID),
    sid: fields.text('sid', APPROVAL_ID),
    at: fields.time('at'),
    expiresAt: fields.time('expiresAt'),
    shown: fields.text('shown', DIGEST),
    connection: fields.text('connection'),
    ...(fields.has('role') ? { role: fields.text('role') } : {}),
    demands: demandsOf(fields.record('demands')),
    who: readEvidence(fields.object('who')),
  }),
  verdict: (fields) => ({
    id: fields.text('id', APPROVAL_ID),
    sid: fields.text('sid', APPROVAL_ID),
    request: fields.text('request', DIGEST),
    decision: fields.text('decision', /^(?:allow|deny)$/) as 'allow' | 'deny',
    ...(fields.has('reason') ? { reason: fields.text('reason') } : {}),
    at: fields.time('at'),
    seen: fields.text('seen', DIGEST),
    who: readEvidence(fields.object('who')),
  }),
  claim: (fields) => ({
    id: fields.text('id', APPROVAL_ID),
    sid: fields.text('sid', APPROVAL_ID),
    of: fields.time('of'),
    request: fields.text('request', DIGEST),
    verdicts: fields.texts('verdicts', DIGEST),
    at: fields.time('at'),
  }),
};

function demandsOf(fields: Fields): ApprovalDemands {
  return {
    approvers: fields.texts('approvers'),
    min: fields.time('min'),
    level: fields.text('level'),
    maxAge: fields.time('maxAge'),
    validFor: fields.time('validFor'),
  };
}

const DIGEST = /^[\w-]{43}$/;

/** Attacker-controlled fields of a signed object. */
class Fields {
  readonly #part: ApprovalPart;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(part: ApprovalPart, fields: Readonly<Record<string, unknown>>) {
    this.#part = part;
    this.#fields = fields;
  }

  has(name: string): boolean {
    return this.#fields[name] !== undefined;
  }

  text(name: string, pattern?: RegExp): string {
    const value = this.#fields[name];
    return typeof value === 'string' && (pattern?.test(value) ?? true) ? value : this.#refuse(name);
  }

  texts(name: string, pattern?: RegExp): string[] {
    const value = this.#fields[name];
    const isText = (one: unknown): one is string => typeof one === 'string' && (pattern?.test(one) ?? true);
    return Array.isArray(value) && value.every(isText) ? value : this.#refuse(name);
  }

  /** A whole number, not negative. */
  time(name: string): number {
    const value = this.#fields[name];
    return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : this.#refuse(name);
  }

  object(name: string): Record<string, unknown> {
    const value = this.#fields[name];
    return isRecord(value) ? value : this.#refuse(name);
  }

  record(name: string): Fields {
    return new Fields(this.#part, this.object(name));
  }

  #refuse(name: string): never {
    throw invalid(`the ${this.#part} has no usable ${name}`);
  }
}

function invalid(message: string): DbguardError {
  return new DbguardError('transcript-invalid', message);
}

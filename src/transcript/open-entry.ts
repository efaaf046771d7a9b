/**
 * The first entry of a session: who, by which evidence, with which key, connected to what, under which policy.
 */
import { DbguardError } from '../errors.js';
import { type Entry, type EntryBody, type JsonValue, RawJson } from './entry.js';
import { isCount, isRecord } from './line.js';

/** RFC 8037. */
export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
}

export interface SessionConnection {
  /** In dbguard.yaml. */
  readonly name: string;
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  /** The role on the server. */
  readonly user?: string;
  readonly serverVersion?: string;
  readonly environment?: string;
  /** Each client of it stands in a time for which somebody granted that. */
  readonly access?: 'on-request';
  /** The server's settings `log_line_prefix` and `log_timezone`, by which its log is read. */
  readonly logLinePrefix?: string;
  readonly logTimezone?: string;
}

/** The session before this one, of this subject on this machine. */
export interface PreviousSession {
  readonly sid: string;
  /** Entries and SHA-256 of the last one; absent while that session still ran, or when it crashed. */
  readonly size?: number;
  readonly head?: string;
}

/** Who signs with a session key, and how the issuer vouches for that. Times in milliseconds since 1970 UTC. */
export interface Evidence {
  readonly subject: { readonly iss: string; readonly sub: string; readonly email?: string };
  /** What the login claims to have reached; verification finds out by itself. */
  readonly level: string;
  readonly clientId: string;
  /** What the ID token was issued for, where that is not the client id. */
  readonly audience?: string;
  readonly method?: string;
  readonly loggedInAt: number;
  readonly loginKey: PublicJwk;
  /** Of the binding nonce, base64url. */
  readonly salt: string;
  /** The one that carries the binding. */
  readonly idToken: string;
  /** Level `dpop` only. */
  readonly accessToken?: string;
  readonly sessionKey: PublicJwk;
  /** DSSE envelope by the login key over the session key, as JSON text. */
  readonly certificate: string;
  /** Level `gateway` only: the login that `loginKey` is of. `idToken` is the subject's, without its signature. */
  readonly gateway?: GatewayLogin;
  /** Of the signature over `idToken`. */
  readonly proof?: string;
}

/** As in Evidence, of the gateway itself. */
export type GatewayLogin = Pick<
  Evidence,
  'subject' | 'level' | 'clientId' | 'audience' | 'loggedInAt' | 'idToken' | 'accessToken'
>;

export interface OpenDetails extends Evidence {
  readonly connection?: SessionConnection;
  readonly policy?: { readonly name: string; readonly digest: string };
  readonly version: string;
  /** The command that was run, as shown. */
  readonly agent?: string;
  readonly previous?: PreviousSession;
}

const FORMAT_VERSION = 1;
/** What a login reaches, and how it is made. */
const loginLevels: readonly string[] = ['nonce', 'dpop', 'audience', 'asserted'];
const levels: readonly string[] = [...loginLevels, 'gateway', 'local'];
const methods: readonly string[] = ['device', 'browser', 'workload'];

export function openEntry(details: OpenDetails): EntryBody {
  const fields: Record<string, JsonValue | undefined> = {};
  for (const [name, value] of Object.entries(details)) fields[name] = value;
  return { k: 'open', v: FORMAT_VERSION, ...fields, certificate: new RawJson(JSON.parse(details.certificate)) };
}

/** As it stands in JSON. */
export function evidenceFields(evidence: Evidence): object {
  return { ...evidence, certificate: JSON.parse(evidence.certificate) };
}

/** Reads an attacker-controlled entry. Throws `transcript-invalid` that names the field. */
export function readOpen(entry: Entry): OpenDetails {
  if (entry.k !== 'open') throw invalid('the first entry is not of the kind open');
  const { fields } = entry;
  if (fields.v !== FORMAT_VERSION) throw invalid('the transcript is of a version that this dbguard does not know');
  const previous = fields.previous === undefined ? undefined : record(fields, 'previous');
  const policy = fields.policy === undefined ? undefined : record(fields, 'policy');
  return {
    ...readEvidence(fields),
    ...(fields.connection === undefined ? {} : { connection: connection(record(fields, 'connection')) }),
    ...(policy ? { policy: { name: text(policy, 'name'), digest: text(policy, 'digest') } } : {}),
    version: text(fields, 'version'),
    ...optional(fields, 'agent', isText),
    ...(previous
      ? {
          previous: {
            sid: text(previous, 'sid'),
            ...optional(previous, 'size', isCount),
            ...optional(previous, 'head', isText),
          },
        }
      : {}),
  };
}

/** Reads attacker-controlled fields. Throws `transcript-invalid` that names the field. */
export function readEvidence(fields: Readonly<Record<string, unknown>>): Evidence {
  const level = oneOf(fields, 'level', levels);
  if ((level === 'gateway') !== (fields.gateway !== undefined))
    throw invalid('the opening entry has no usable gateway');
  if (level !== 'gateway' && fields.proof !== undefined) throw invalid('the opening entry has no usable proof');
  return {
    subject: subjectIn(fields),
    level,
    clientId: text(fields, 'clientId'),
    ...optional(fields, 'audience', isText),
    ...(fields.gateway === undefined ? {} : { gateway: gatewayLogin(record(fields, 'gateway')) }),
    ...optional(fields, 'proof', isText),
    ...(fields.method === undefined ? {} : { method: oneOf(fields, 'method', methods) }),
    loggedInAt: number(fields, 'loggedInAt'),
    loginKey: publicJwk(fields, 'loginKey'),
    salt: text(fields, 'salt'),
    idToken: text(fields, 'idToken'),
    ...optional(fields, 'accessToken', isText),
    sessionKey: publicJwk(fields, 'sessionKey'),
    certificate: JSON.stringify(record(fields, 'certificate')),
  };
}

function gatewayLogin(fields: Fields): GatewayLogin {
  return {
    subject: subjectIn(fields),
    level: oneOf(fields, 'level', loginLevels),
    clientId: text(fields, 'clientId'),
    ...optional(fields, 'audience', isText),
    loggedInAt: number(fields, 'loggedInAt'),
    idToken: text(fields, 'idToken'),
    ...optional(fields, 'accessToken', isText),
  };
}

function subjectIn(fields: Fields): Evidence['subject'] {
  const subject = record(fields, 'subject');
  return { iss: text(subject, 'iss'), sub: text(subject, 'sub'), ...optional(subject, 'email', isText) };
}

function connection(value: Record<string, unknown>): SessionConnection {
  return {
    name: text(value, 'name'),
    ...optional(value, 'host', isText),
    ...optional(value, 'port', isCount),
    ...optional(value, 'database', isText),
    ...optional(value, 'user', isText),
    ...optional(value, 'serverVersion', isText),
    ...optional(value, 'environment', isText),
    ...optional(value, 'access', isOnRequest),
    ...optional(value, 'logLinePrefix', isText),
    ...optional(value, 'logTimezone', isText),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function publicJwk(fields: Fields, name: string): PublicJwk {
  const { kty, crv, x } = record(fields, name);
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string') throw invalid(`${name} is not an Ed25519 key`);
  return { kty, crv, x };
}

function record(fields: Fields, name: string): Record<string, unknown> {
  const value = fields[name];
  if (!isRecord(value)) throw invalid(`the opening entry has no usable ${name}`);
  return value;
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw invalid(`the opening entry has no usable ${name}`);
  return value;
}

function number(fields: Fields, name: string): number {
  const value = fields[name];
  if (!isCount(value)) throw invalid(`the opening entry has no usable ${name}`);
  return value;
}

function oneOf(fields: Fields, name: string, words: readonly string[]): string {
  const word = text(fields, name);
  if (!words.includes(word)) throw invalid(`the opening entry has no usable ${name}`);
  return word;
}

/** Left out when absent. Something else in its place hides how the session before ended, or what a token was made for. */
function optional<K extends string, T>(
  fields: Fields,
  name: K,
  is: (value: unknown) => value is T,
): { readonly [key in K]?: T } {
  const value = fields[name];
  if (value === undefined) return {};
  if (!is(value)) throw invalid(`the opening entry has no usable ${name}`);
  return { [name]: value } as { [key in K]: T };
}

function isOnRequest(value: unknown): value is 'on-request' {
  return value === 'on-request';
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function invalid(message: string): DbguardError {
  return new DbguardError('transcript-invalid', message);
}

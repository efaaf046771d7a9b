/** `serve`: where a gateway listens, whom it lets in, and how much of it one of them may have. */
import { configKeys } from './config-keys.js';
import { type ProfileName, profileNames } from './profiles.js';
import { readDuration } from './read-identity.js';
import type { Value } from './yaml-source.js';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface ServeConfig {
  /** Tokens as passwords. */
  readonly listen: ListenAddress;
  /** SASL OAUTHBEARER; a client is offered one of the two, so it is a port of its own. */
  readonly listenOauth?: ListenAddress;
  /** PEM files, as written; undefined: clear text, on loopback addresses. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** `/livez`, `/readyz`, `/metrics`. */
  readonly http?: ListenAddress;
  /** In the order in which they count: people and services by name, then groups. */
  readonly grants: readonly ServeGrant[];
  readonly limits: ServeLimits;
  /** Undefined: each client has a server connection of its own. */
  readonly pool?: ServePool;
  readonly revoked: readonly Revocation[];
}

/** To whom which connections are open, and as what. */
export interface ServeGrant {
  readonly kind: 'person' | 'service' | 'group';
  /** E-mail address or `sub`; of a group its name. `*` and `?` are wildcards, but for groups. */
  readonly name: string;
  /** Of services: whose; undefined where one issuer of workloads is configured. */
  readonly issuer?: string;
  readonly connections: readonly string[];
  /** `users` of the connection that they may be; empty: the connection's own. */
  readonly users: readonly string[];
  readonly profile?: ProfileName;
}

/** Counts, and times in milliseconds. */
export interface ServeLimits {
  readonly connections: number;
  readonly perPerson: number;
  /** Clients at once that have not shown a token. */
  readonly authenticating: number;
  readonly authenticationMs: number;
  readonly idleMs: number;
  readonly idleInTransactionMs: number;
  readonly statementMs: number;
  /** From the token's issue to the end of what was connected with it. */
  readonly sessionMs: number;
  /** How long an issuer's keys count that cannot be asked for anew. */
  readonly keysMs: number;
}

/** Server connections for each user of each connection. */
export interface ServePool {
  readonly size: number;
  /** How long one waits for a client, milliseconds. */
  readonly idleMs: number;
  /** How long a client waits for one, milliseconds. */
  readonly waitMs: number;
}

/** What was issued before its time does not count any more. */
export type Revocation =
  | { readonly person: string; readonly before: number }
  /** `jti`. */
  | { readonly token: string };

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const usualServeLimits: ServeLimits = {
  connections: 200,
  perPerson: 20,
  authenticating: 64,
  authenticationMs: 20 * SECOND,
  idleMs: HOUR,
  idleInTransactionMs: 10 * MINUTE,
  statementMs: HOUR,
  sessionMs: 12 * HOUR,
  keysMs: 6 * HOUR,
};

export function readServe(value: Value): ServeConfig {
  const fields = value.fields(configKeys.serve);
  const listen = fields.required('listen', readAddress, '0.0.0.0:6432');
  const listenOauth = fields.optional('listen_oauth', readAddress);
  const tls = fields.optional('tls', (item) => readTls(item, [listen, listenOauth]));
  fields.exactlyOne(['tls'], 'expected "tls" with "certificate" and "key"; on a loopback address "tls: false"');
  const http = fields.optional('http', readAddress);
  const grants = (key: 'people' | 'services' | 'groups', kind: ServeGrant['kind']): ServeGrant[] => {
    const found = fields.optional(key, (item) => item.record((one, name) => readGrant(one, name, kind)));
    return [...(found ?? new Map<string, ServeGrant>()).values()];
  };
  const pool = fields.optional('pool', readPool);
  return {
    listen,
    ...(listenOauth === undefined ? {} : { listenOauth }),
    ...(tls ? { tls } : {}),
    ...(http === undefined ? {} : { http }),
    grants: [...grants('people', 'person'), ...grants('services', 'service'), ...grants('groups', 'group')],
    limits: fields.optional('limits', readLimits) ?? usualServeLimits,
    ...(pool === undefined ? {} : { pool }),
    revoked: fields.optional('revoked', (item) => item.list(readRevocation)) ?? [],
  };
}

function readAddress(value: Value): ListenAddress {
  const text = value.string('an address and a port');
  const [, v4, v6, name, digits] = /^(?:(\d+(?:\.\d+){3})|\[([0-9a-f:]+)\]|(localhost)):(\d{1,5})$/i.exec(text) ?? [];
  const host = name === undefined ? (v4 ?? v6) : '127.0.0.1';
  const port = Number(digits);
  if (host !== undefined && port <= 65_535) return { host, port };
  return value.fail('expected an address and a port, such as 0.0.0.0:6432');
}

function isLoopback({ host }: ListenAddress): boolean {
  return /^127\./.test(host) || host === '::1';
}

function readTls(value: Value, listens: readonly (ListenAddress | undefined)[]): ServeConfig['tls'] {
  if (!value.isMapping) {
    if (value.boolean()) value.expected('a mapping with "certificate" and "key"');
    if (listens.every((one) => one === undefined || isLoopback(one))) return undefined;
    return value.fail('without TLS a token can be read on its way: only a loopback address may do without');
  }
  const fields = value.fields(configKeys.serve_tls);
  return {
    certificate: fields.required('certificate', (item) => item.string('a path'), '/etc/dbguard/tls.crt'),
    key: fields.required('key', (item) => item.string('a path'), '/etc/dbguard/tls.key'),
  };
}

function readGrant(value: Value, name: string, kind: ServeGrant['kind']): ServeGrant {
  const fields = value.fields(configKeys.serve_grant);
  const words = (item: Value): string[] => item.oneOrMore((one) => one.string());
  const issuer = fields.optional('issuer', (item) => item.string('the URL of an issuer'));
  if (issuer !== undefined && kind !== 'service') value.fail('"issuer" goes with services');
  const profile = fields.optional('profile', (item) => item.oneOf(profileNames));
  return {
    kind,
    name,
    ...(issuer === undefined ? {} : { issuer }),
    connections: fields.required('connections', words, '[main]'),
    users: fields.optional('users', words) ?? [],
    ...(profile === undefined ? {} : { profile }),
  };
}

function readLimits(value: Value): ServeLimits {
  const fields = value.fields(configKeys.serve_limits);
  const count = (key: 'connections' | 'per_person' | 'authenticating', usual: number) =>
    fields.optional(key, (item) => item.integer(1, 100_000)) ?? usual;
  const time = (key: Exclude<keyof typeof configKeys.serve_limits, Parameters<typeof count>[0]>, usual: number) =>
    fields.optional(key, readTime) ?? usual;
  const usual = usualServeLimits;
  return {
    connections: count('connections', usual.connections),
    perPerson: count('per_person', usual.perPerson),
    authenticating: count('authenticating', usual.authenticating),
    authenticationMs: time('authentication', usual.authenticationMs),
    idleMs: time('idle', usual.idleMs),
    idleInTransactionMs: time('idle_in_transaction', usual.idleInTransactionMs),
    statementMs: time('statement', usual.statementMs),
    sessionMs: time('session', usual.sessionMs),
    keysMs: time('keys', usual.keysMs),
  };
}

function readPool(value: Value): ServePool {
  const fields = value.fields(configKeys.serve_pool);
  return {
    size: fields.required('size', (item) => item.integer(1, 100_000), '20'),
    idleMs: fields.optional('idle', readTime) ?? 30 * SECOND,
    waitMs: fields.optional('wait', readTime) ?? 10 * SECOND,
  };
}

function readTime(value: Value): number {
  const milliseconds = readDuration(value);
  // beyond it a timer of Node overflows and fires at once
  return milliseconds >= SECOND && milliseconds <= 7 * 24 * HOUR
    ? milliseconds
    : value.fail('expected a time from 1s to 7d');
}

function readRevocation(value: Value): Revocation {
  const fields = value.fields(configKeys.serve_revoked);
  fields.exactlyOne(['token', 'person'], 'expected either "token" or "person"');
  fields.needs('person', 'before', '2026-11-30T15:00:00Z');
  const token = fields.optional('token', (item) => item.string('the jti of a token'));
  const person = fields.optional('person', (item) => item.string('an e-mail address or a subject'));
  const before = fields.optional('before', readMoment);
  // where one of them is wrong the file has a problem already, and nothing of it counts
  return token === undefined ? { person: person ?? '', before: before ?? 0 } : { token };
}

function readMoment(value: Value): number {
  const text = value.string('a time');
  const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(moment) ? value.fail('expected a time in UTC, such as 2026-11-30T15:00:00Z') : moment;
}

/**
 * An S3 and STS server on loopback that enforces what emulators do not: SigV4 signatures, SHA-256 checksums, conditional
 * creation, Object Lock, and expiry of temporary credentials. Faults are injected per request.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer as readAll } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { escaped, listObjects, listVersions, lockOf, versioningOf } from './s3-answers.js';
import { S3Store } from './s3-store.js';

export interface S3Request {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  /** Access key id. */
  readonly caller: string;
  /** Names of the query's parameters: `versions`, `versionId`, `versioning`, `object-lock`. */
  readonly query: readonly string[];
  /** Has If-None-Match: what a bucket policy sees as `s3:if-none-match`. */
  readonly onlyIfNew: boolean;
}

/**
 * `status`: the answer instead of the real one. `cut`: the connection ends before the answer, `cut-after` when the
 * request has been carried out. `hang`: no answer until the server closes. `slowMs`: the real answer, later.
 */
export type Fault =
  | { readonly status: number; readonly code: string; readonly message?: string }
  | { readonly slowMs: number }
  | 'cut'
  | 'cut-after'
  | 'hang';

interface Credentials {
  readonly secret: string;
  readonly token?: string;
  expires?: number;
}

export interface S3Server {
  readonly endpoint: string;
  readonly buckets: Map<string, S3Store>;
  readonly requests: S3Request[];
  readonly credentials: Map<string, Credentials>;
  /** Replaced by tests: looked at before each request to S3. */
  fault: (request: S3Request) => Fault | undefined;
  /** Replaced by tests: what a caller may do. */
  allows: (request: S3Request) => boolean;
  /** Replaced by tests: whether STS takes a token. */
  acceptsToken: (token: string) => boolean;
  /** Replaced by tests: the store's own time, milliseconds since 1970 UTC. */
  clock: () => number;
  /**
   * Replaced by tests: what kind of store this is. `deaf` takes no notice of If-None-Match, `deaf-with-versions` (Ceph
   * 16.2) none in buckets that keep versions, `unable` refuses it.
   */
  conditions: 'honoured' | 'deaf' | 'deaf-with-versions' | 'unable';
  /** Replaced by tests: whether bytes are held against their SHA-256. */
  checksums: boolean;
  /** Replaced by tests: objects on a page of a list. */
  pageSize: number;
  /** Life of the credentials that STS gives, in milliseconds. */
  roleMs: number;
  close(): Promise<void>;
}

class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message = code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const testKey = { id: 'AKTEST', secret: 'test-secret' } as const;

export async function startS3(...buckets: readonly string[]): Promise<S3Server> {
  const http = createServer((request, response) => {
    void answer(server, request, response);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const server: S3Server = {
    endpoint: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    buckets: new Map(buckets.map((name) => [name, new S3Store()])),
    requests: [],
    credentials: new Map([[testKey.id, { secret: testKey.secret }]]),
    fault: () => undefined,
    allows: () => true,
    acceptsToken: () => false,
    clock: () => Date.now(),
    conditions: 'honoured',
    checksums: true,
    // few, so that paging is exercised
    pageSize: 2,
    roleMs: 3_600_000,
    close: async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}

async function answer(server: S3Server, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const body = await readAll(request);
    const url = new URL(request.url ?? '/', server.endpoint);
    if (request.method === 'POST' && url.pathname === '/') {
      assumeRole(server, new URLSearchParams(body.toString()), response);
      return;
    }
    response.setHeader('date', new Date(server.clock()).toUTCString());
    const caller = authenticate(server, request, url, body);
    const [bucket = '', ...rest] = url.pathname.slice(1).split('/');
    const asked: S3Request = {
      method: request.method ?? '',
      bucket,
      key: decodeURIComponent(rest.join('/')),
      caller,
      query: [...url.searchParams.keys()],
      onlyIfNew: request.headers['if-none-match'] === '*',
    };
    server.requests.push(asked);
    const fault = server.fault(asked);
    if (fault === 'hang') return;
    if (fault === 'cut') {
      response.destroy();
      return;
    }
    if (typeof fault === 'object' && 'slowMs' in fault) await sleep(fault.slowMs);
    else if (typeof fault === 'object') throw new Refusal(fault.status, fault.code, fault.message);
    if (!server.allows(asked)) throw new Refusal(403, 'AccessDenied', 'Access Denied');
    const finish = () => carryOut(server, asked, url.searchParams, request.headers, body, response);
    if (fault !== 'cut-after') finish();
    else {
      put(server, asked, request.headers, body);
      response.destroy();
    }
  } catch (error) {
    const { status, code, message } =
      error instanceof Refusal ? error : new Refusal(500, 'InternalError', String(error));
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`);
  }
}

function carryOut(
  server: S3Server,
  asked: S3Request,
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
  body: Buffer,
  response: ServerResponse,
): void {
  const store = storeOf(server, asked.bucket);
  const version = query.get('versionId') ?? undefined;
  if (asked.method === 'PUT') {
    const id = put(server, asked, headers, body);
    response.writeHead(200, { etag: etag(body), ...(store.versioning ? { 'x-amz-version-id': id } : {}) }).end();
  } else if (asked.method === 'GET' && asked.key === '') {
    const text = query.has('versions')
      ? listVersions(store, query, server.pageSize)
      : query.has('versioning')
        ? versioningOf(store)
        : query.has('object-lock')
          ? lockOf(store)
          : listObjects(store, query, server.pageSize);
    if (text === undefined) throw new Refusal(404, 'ObjectLockConfigurationNotFoundError');
    response.writeHead(200, { 'content-type': 'application/xml' }).end(text);
  } else if (asked.method === 'GET') {
    get(store, asked.key, version, headers, response);
  } else if (asked.method === 'DELETE') {
    const doomed = version === undefined ? undefined : store.versions(asked.key).find(({ id }) => id === version);
    const lock = (version === undefined ? store.get(asked.key) : doomed?.object)?.lock;
    // Where versions are kept, a DELETE without a version id only hides what is locked.
    const destroys = version !== undefined || store.versioning === undefined;
    if (destroys && lock && lock.until > new Date()) throw new Refusal(403, 'AccessDenied', 'protected by object lock');
    if (version === undefined) store.remove(asked.key, new Date(server.clock()));
    else store.removeVersion(asked.key, version);
    response.writeHead(204).end();
  } else throw new Refusal(501, 'NotImplemented');
}

function get(
  store: S3Store,
  key: string,
  version: string | undefined,
  headers: IncomingHttpHeaders,
  response: ServerResponse,
): void {
  const found = version === undefined ? store.versions(key)[0] : store.versions(key).find(({ id }) => id === version);
  if (found === undefined) throw new Refusal(404, version === undefined ? 'NoSuchKey' : 'NoSuchVersion');
  const { object } = found;
  if (object === undefined) {
    response.setHeader('x-amz-delete-marker', 'true');
    throw version === undefined ? new Refusal(404, 'NoSuchKey') : new Refusal(405, 'MethodNotAllowed');
  }
  const checksum = createHash('sha256').update(object.body).digest('base64');
  response.writeHead(200, {
    etag: etag(object.body),
    'content-length': object.body.length,
    'last-modified': object.createdAt.toUTCString(),
    ...(store.versioning ? { 'x-amz-version-id': found.id } : {}),
    ...(headers['x-amz-checksum-mode'] ? { 'x-amz-checksum-sha256': checksum } : {}),
  });
  response.end(object.body);
}

/** Returns the id of the version. */
function put(server: S3Server, asked: S3Request, headers: IncomingHttpHeaders, body: Buffer): string {
  const store = storeOf(server, asked.bucket);
  const checksum = headers['x-amz-checksum-sha256'];
  if (server.checksums && checksum !== undefined && checksum !== createHash('sha256').update(body).digest('base64')) {
    throw new Refusal(400, 'BadDigest', 'The sha256 you specified did not match');
  }
  if (asked.onlyIfNew && server.conditions === 'unable') throw new Refusal(501, 'NotImplemented');
  const heeds =
    server.conditions === 'honoured' || (server.conditions === 'deaf-with-versions' && !keepsVersions(store));
  if (asked.onlyIfNew && heeds && store.has(asked.key)) {
    throw new Refusal(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
  }
  const mode = header(headers, 'x-amz-object-lock-mode');
  const until = header(headers, 'x-amz-object-lock-retain-until-date');
  const encryption = header(headers, 'x-amz-server-side-encryption');
  return store.put(asked.key, {
    body,
    createdAt: new Date(server.clock()),
    ...(mode !== undefined && until !== undefined ? { lock: { mode, until: new Date(until) } } : {}),
    ...(encryption === undefined ? {} : { encryption }),
  });
}

function keepsVersions({ versioning }: S3Store): boolean {
  return versioning === 'Enabled';
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
function assumeRole(server: S3Server, form: URLSearchParams, response: ServerResponse): void {
  if (form.get('Action') !== 'AssumeRoleWithWebIdentity') throw new Refusal(400, 'InvalidAction');
  if (!server.acceptsToken(form.get('WebIdentityToken') ?? '')) throw new Refusal(400, 'InvalidIdentityToken');
  const id = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
  const made = {
    secret: randomBytes(20).toString('hex'),
    token: randomBytes(24).toString('base64'),
    expires: Date.now() + server.roleMs,
  };
  server.credentials.set(id, made);
  response.writeHead(200, { 'content-type': 'text/xml' });
  response.end(
    `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>${id}</AccessKeyId>` +
      `<SecretAccessKey>${made.secret}</SecretAccessKey><SessionToken>${made.token}</SessionToken>` +
      `<Expiration>${new Date(made.expires).toISOString()}</Expiration></Credentials>` +
      '</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>',
  );
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/** Signature version 4 in the Authorization header. Returns the access key id. */
function authenticate(server: S3Server, request: IncomingMessage, url: URL, body: Buffer): string {
  const [, id = '', day = '', region = '', service = '', signed = '', signature = ''] =
    AUTHORIZATION.exec(request.headers.authorization ?? '') ?? [];
  const known = server.credentials.get(id);
  if (!known) throw new Refusal(403, 'InvalidAccessKeyId');
  if (known.token && request.headers['x-amz-security-token'] !== known.token) throw new Refusal(403, 'InvalidToken');
  if (known.expires !== undefined && known.expires < Date.now()) throw new Refusal(400, 'ExpiredToken');
  // 15 minutes, as the S3 documentation says of RequestTimeTooSkewed
  const [, y, mo, d, h, mi, s] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(header(request.headers, 'x-amz-date') ?? '') ?? [];
  const sentAt = Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
  if (!(Math.abs(sentAt - server.clock()) < 15 * 60_000)) throw new Refusal(403, 'RequestTimeTooSkewed');
  const declared = header(request.headers, 'x-amz-content-sha256') ?? '';
  if (declared !== 'UNSIGNED-PAYLOAD' && declared !== createHash('sha256').update(body).digest('hex')) {
    throw new Refusal(400, 'XAmzContentSHA256Mismatch');
  }
  const query = [...url.searchParams]
    .map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`)
    .sort()
    .join('&');
  const headers = signed.split(';').map(
    (name) =>
      `${name}:${String(request.headers[name] ?? '')
        .trim()
        .replace(/ +/g, ' ')}`,
  );
  const canonical = [request.method, url.pathname, query, ...headers, '', signed, declared].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const hashed = createHash('sha256').update(canonical).digest('hex');
  const toSign = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, hashed].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce(hmac, Buffer.from(`AWS4${known.secret}`));
  if (!timingSafeEqual(hmac(key, toSign), Buffer.from(signature, 'hex')))
    throw new Refusal(403, 'SignatureDoesNotMatch');
  return id;
}

function hmac(key: Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

function storeOf(server: S3Server, name: string): S3Store {
  const bucket = server.buckets.get(name);
  if (!bucket) throw new Refusal(404, 'NoSuchBucket');
  return bucket;
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function etag(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}

function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

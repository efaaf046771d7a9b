/**
 * An S3 and STS server on loopback that enforces what emulators do not: SigV4 signatures, SHA-256 checksums, conditional
 * creation, Object Lock, and expiry of temporary credentials. Faults are injected per request.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer as readAll } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

export interface S3Object {
  readonly body: Buffer;
  readonly createdAt: Date;
  readonly lock?: { readonly mode: string; readonly until: Date };
  readonly encryption?: string;
}

export interface S3Request {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  /** Access key id. */
  readonly caller: string;
}

/**
 * `status`: the answer instead of the real one. `cut`: the connection ends before the answer, `cut-after` when the
 * request has been carried out. `hang`: no answer until the server closes. `slowMs`: the real answer, later.
 */
export type Fault =
  | { readonly status: number; readonly code: string }
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
  readonly buckets: Map<string, Map<string, S3Object>>;
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
    buckets: new Map(buckets.map((name) => [name, new Map()])),
    requests: [],
    credentials: new Map([[testKey.id, { secret: testKey.secret }]]),
    fault: () => undefined,
    allows: () => true,
    acceptsToken: () => false,
    clock: () => Date.now(),
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
    const asked = { method: request.method ?? '', bucket, key: decodeURIComponent(rest.join('/')), caller };
    server.requests.push(asked);
    const fault = server.fault(asked);
    if (fault === 'hang') return;
    if (fault === 'cut') {
      response.destroy();
      return;
    }
    if (typeof fault === 'object' && 'slowMs' in fault) await sleep(fault.slowMs);
    else if (typeof fault === 'object') throw new Refusal(fault.status, fault.code);
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
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${xml(message)}</Message></Error>`);
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
  if (asked.method === 'PUT') {
    put(server, asked, headers, body);
    response.writeHead(200, { etag: etag(body) }).end();
  } else if (asked.method === 'GET' && asked.key === '') {
    list(bucketOf(server, asked.bucket), query, response);
  } else if (asked.method === 'GET') {
    const object = bucketOf(server, asked.bucket).get(asked.key);
    if (!object) throw new Refusal(404, 'NoSuchKey');
    const checksum = createHash('sha256').update(object.body).digest('base64');
    response.writeHead(200, {
      etag: etag(object.body),
      'content-length': object.body.length,
      'last-modified': object.createdAt.toUTCString(),
      ...(headers['x-amz-checksum-mode'] ? { 'x-amz-checksum-sha256': checksum } : {}),
    });
    response.end(object.body);
  } else if (asked.method === 'DELETE') {
    const objects = bucketOf(server, asked.bucket);
    const lock = objects.get(asked.key)?.lock;
    if (lock && lock.until > new Date()) throw new Refusal(403, 'AccessDenied', 'protected by object lock');
    objects.delete(asked.key);
    response.writeHead(204).end();
  } else throw new Refusal(501, 'NotImplemented');
}

function put(server: S3Server, asked: S3Request, headers: IncomingHttpHeaders, body: Buffer): void {
  const objects = bucketOf(server, asked.bucket);
  const checksum = headers['x-amz-checksum-sha256'];
  if (checksum !== undefined && checksum !== createHash('sha256').update(body).digest('base64')) {
    throw new Refusal(400, 'BadDigest', 'The sha256 you specified did not match');
  }
  if (headers['if-none-match'] === '*' && objects.has(asked.key)) {
    throw new Refusal(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
  }
  const mode = header(headers, 'x-amz-object-lock-mode');
  const until = header(headers, 'x-amz-object-lock-retain-until-date');
  const encryption = header(headers, 'x-amz-server-side-encryption');
  objects.set(asked.key, {
    body,
    createdAt: new Date(server.clock()),
    ...(mode !== undefined && until !== undefined ? { lock: { mode, until: new Date(until) } } : {}),
    ...(encryption === undefined ? {} : { encryption }),
  });
}

/** ListObjectsV2, two keys a page so that paging is exercised. */
function list(objects: ReadonlyMap<string, S3Object>, query: URLSearchParams, response: ServerResponse): void {
  const prefix = query.get('prefix') ?? '';
  const after = Buffer.from(query.get('continuation-token') ?? '', 'base64url').toString();
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  const page = keys.slice(0, 2);
  const more = keys.length > page.length;
  const contents = page.map((key) => {
    const object = objects.get(key);
    const modified = object?.createdAt.toISOString();
    return `<Contents><Key>${xml(key)}</Key><LastModified>${modified}</LastModified><Size>${object?.body.length}</Size></Contents>`;
  });
  const next = more
    ? `<NextContinuationToken>${Buffer.from(page.at(-1) ?? '').toString('base64url')}</NextContinuationToken>`
    : '';
  response.writeHead(200, { 'content-type': 'application/xml' });
  response.end(`<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`);
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

function bucketOf(server: S3Server, name: string): Map<string, S3Object> {
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

function xml(text: string): string {
  return text.replace(/[<>&"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/**
 * The agents of every HTTP request that leaves dbguard: through the company's proxy where there is one, and believing the
 * roots that Node brings, those of this system, and those of NODE_EXTRA_CA_CERTS.
 *
 * A tunnel is opened here and not by a library: what a proxy answers to CONNECT must never be taken for the answer of who
 * is behind it, and an upload's receipt least of all.
 */
import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import * as tls from 'node:tls';
import { DbguardError, reasonOf } from '../../errors.js';
import { systemBundles } from '../files/system-roots.js';
import { portOf, proxyFor, proxyLabel } from './proxy-settings.js';

export interface OutwardAgents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

type Env = Readonly<Record<string, string | undefined>>;
type Created = (error: Error | null, socket?: Socket) => void;
interface Target {
  readonly host?: string;
  readonly port?: number | string;
  readonly servername?: string;
}

/** A proxy that does not answer must not hold anybody for minutes. */
const tunnelTimeoutMs = 15_000;

/** Idle connections do not keep the process alive. */
export function outwardAgents(env: Env): OutwardAgents {
  const context = lazily(() => tls.createSecureContext({ ca: roots(env) }));
  const httpAgent = new HttpAgent({ keepAlive: true });
  const httpsAgent = new HttpsAgent({ keepAlive: true });
  // what Node calls for each new connection (http.Agent, "agent.createConnection"); its types know no callback
  const direct = {
    http: httpAgent.createConnection.bind(httpAgent) as unknown as (target: Target, created: Created) => Socket,
    https: httpsAgent.createConnection.bind(httpsAgent) as unknown as (target: Target, created: Created) => Socket,
  };
  const connectWith = (protocol: 'http' | 'https') => (target: Target, created: Created) => {
    const secure = protocol === 'https' ? { ...target, secureContext: context() } : target;
    try {
      const proxy = proxyFor(urlOf(protocol, target), env);
      if (proxy === undefined) return direct[protocol](secure, created);
      void tunnel(proxy, target, context).then(
        (socket) =>
          created(null, protocol === 'https' ? tls.connect({ ...secure, socket } as tls.ConnectionOptions) : socket),
        (error: Error) => created(error),
      );
    } catch (error) {
      created(error as Error);
    }
    return undefined;
  };
  Object.assign(httpAgent, { createConnection: connectWith('http') });
  Object.assign(httpsAgent, { createConnection: connectWith('https') });
  return { httpAgent, httpsAgent };
}

function urlOf(protocol: string, { host = 'localhost', port }: Target): URL {
  return new URL(`${protocol}://${host.includes(':') ? `[${host}]` : host}:${port ?? ''}`);
}

/** A connection through the company's proxy, for bytes of somebody else; undefined where none is set for that host. */
export async function tunnelFor(
  target: { readonly host: string; readonly port: number },
  env: Env,
): Promise<Socket | undefined> {
  const proxy = proxyFor(urlOf(target.port === 80 ? 'http' : 'https', target), env);
  return proxy && tunnel(proxy, target, () => tls.createSecureContext({ ca: roots(env) }));
}

/** RFC 9110 section 9.3.6. Rejects with DbguardError `proxy-refused`; whatever the proxy says beside 2xx is no answer of the target. */
function tunnel(proxy: URL, { host = '', port }: Target, context: () => tls.SecureContext): Promise<Socket> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const credentials = proxy.username ? { 'proxy-authorization': `Basic ${basic(proxy)}` } : {};
  return new Promise((resolve, reject) => {
    const common = {
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: portOf(proxy),
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...credentials },
      timeout: tunnelTimeoutMs,
      agent: false as const,
    };
    const secured = { ...common, secureContext: proxy.protocol === 'https:' ? context() : undefined };
    const request = proxy.protocol === 'https:' ? httpsRequest(secured as RequestOptions) : httpRequest(common);
    request.once('connect', ({ statusCode = 0 }, socket, head) => {
      if (statusCode >= 200 && statusCode < 300 && head.length === 0) {
        socket.setTimeout(0);
        return resolve(socket as Socket);
      }
      socket.destroy();
      reject(refused(proxy, authority, statusCode));
    });
    request.once('timeout', () => request.destroy(new Error('no answer')));
    request.once('error', (error) => {
      reject(
        new DbguardError('proxy-refused', `the proxy ${proxyLabel(proxy)} cannot be used: ${reasonOf(error)}`, {
          hint: 'Check HTTPS_PROXY and NO_PROXY; names in NO_PROXY are reached without it.',
        }),
      );
    });
    request.end();
  });
}

/** Percent-encoding that is none is taken as it stands. */
function basic({ username, password }: URL): string {
  const plain = (text: string) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
  return Buffer.from(`${plain(username)}:${plain(password)}`).toString('base64');
}

function refused(proxy: URL, authority: string, status: number): DbguardError {
  const hint =
    status === 407
      ? 'It wants a login: HTTPS_PROXY=http://user:password@proxy:port (Basic), special characters percent-encoded.'
      : 'Ask who runs the proxy to let it through, or put the name into NO_PROXY where it can be reached directly.';
  return new DbguardError('proxy-refused', `the proxy ${proxyLabel(proxy)} refused ${authority}: HTTP ${status}`, {
    hint,
  });
}

/** Company networks re-sign what leaves them; their root is in the system's store or in NODE_EXTRA_CA_CERTS. */
function roots(env: Env): string[] {
  const files = [env.NODE_EXTRA_CA_CERTS, env.SSL_CERT_FILE, ...systemBundles];
  const read = files.flatMap((path) => (path ? (readIfThere(path) ?? []) : []));
  const { getCACertificates } = tls as { getCACertificates?: (kind: 'system') => string[] };
  return [...tls.rootCertificates, ...read, ...(read.length === 0 ? (getCACertificates?.('system') ?? []) : [])];
}

function readIfThere(path: string): string | undefined {
  try {
    const pem = readFileSync(path, 'utf8');
    return pem.includes('-----BEGIN CERTIFICATE-----') ? pem : undefined;
  } catch {
    return undefined;
  }
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

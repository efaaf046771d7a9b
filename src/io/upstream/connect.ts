/**
 * Connects to the server as libpq does: hosts in order, addresses in order, encryption as sslmode says, login, and
 * the wanted kind of server. The whole way is in `connectUpstream` and `tryEndpoint`.
 */
import { randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import { newestProtocolMinor } from '../../wire/startup.js';
import type { TargetSessionAttrs, UpstreamConfig } from './config.js';
import { Deadline } from './deadline.js';
import { dial, type Endpoint, endpointsOf } from './dial.js';
import { encrypt } from './encrypt.js';
import { UpstreamError } from './failure.js';
import type { OauthTokenSource } from './oauth.js';
import { hasSessionAttrs } from './session-attrs.js';
import { type BackendKey, startSession } from './start-session.js';
import { loadTlsMaterial, type TlsMaterial, type TlsSession } from './tls.js';

/** A connection that is logged in and ready for its first query. */
export interface Upstream {
  /**
   * Paused, with no listener of ours but one for `error` that does nothing (`close` follows and tells the owner).
   * Nothing is lost between this and the first `resume()`.
   */
  readonly socket: Socket;
  /** Bytes that came after ReadyForQuery; they precede what the socket emits. */
  readonly rest: Buffer;
  /** ParameterStatus as reported so far. */
  readonly parameters: Map<string, string>;
  /** undefined where the server (a pooler) gave none: nothing can be cancelled. */
  readonly backendKey: BackendKey | undefined;
  /** Raw NoticeResponse messages met on the way, in order. */
  readonly notices: readonly Buffer[];
  /** As reported: `18.1 (Debian ...)`; empty where it was not. */
  readonly serverVersion: string;
  readonly tls: TlsSession | undefined;
  /** For people: `db.example.com:5432`. */
  readonly hostLabel: string;
  readonly protocolMinor: number;
  /** `_pq_.` options of the startup parameters that the server did not understand. */
  readonly unknownOptions: readonly string[];
  /** Where a cancel request for this connection has to go. */
  readonly cancelTarget: CancelTarget;
}

export interface CancelTarget {
  readonly endpoint: Endpoint;
  /** How to encrypt it; undefined: as little as the connection itself. */
  readonly tlsMaterial: TlsMaterial | undefined;
  readonly config: UpstreamConfig;
  readonly backendKey: BackendKey | undefined;
}

export interface ConnectOptions {
  readonly signal?: AbortSignal;
  /** Minor version of protocol 3 to ask for; what the client asked for, so that nothing is promised twice. */
  readonly protocolMinor?: number;
  readonly oauthToken?: OauthTokenSource;
  /** For SSL_CERT_FILE. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * `startupParameters` are the client's own; they win over those of the connection, except that `user` and `database` are
 * the connection's unless given. Rejects with UpstreamError, or with the reason of an aborted `signal`.
 */
export async function connectUpstream(
  config: UpstreamConfig,
  startupParameters: ReadonlyMap<string, string>,
  options: ConnectOptions = {},
): Promise<Upstream> {
  const material = config.tls.mode === 'disable' ? undefined : await loadTlsMaterial(config.tls, options.env ?? {});
  const parameters = new Map([
    ['user', config.user],
    ['database', config.database],
    ...config.parameters,
    ...startupParameters,
  ]);
  const attempt = { config, parameters, material, options };
  const { targetSessionAttrs: attrs } = config;
  if (attrs !== 'prefer-standby') return tryHosts(attempt, attrs);
  try {
    return await tryHosts(attempt, attrs);
  } catch (error) {
    if (!(error instanceof WrongServer)) throw error;
    return tryHosts(attempt, 'any');
  }
}

interface Attempt {
  readonly config: UpstreamConfig;
  readonly parameters: ReadonlyMap<string, string>;
  readonly material: TlsMaterial | undefined;
  readonly options: ConnectOptions;
}

/** A server that let us in, but is not of the kind that target_session_attrs names. */
class WrongServer extends UpstreamError {
  constructor(label: string, attrs: string) {
    super('upstream-unreachable', `${label} is not what target_session_attrs=${attrs} asks for`, {
      hint: 'No host of the connection is of that kind now: check the hosts, or whether a failover is going on.',
    });
  }
}

async function tryHosts(attempt: Attempt, attrs: TargetSessionAttrs): Promise<Upstream> {
  const { config } = attempt;
  const failures: UpstreamError[] = [];
  for (const host of inOrder(config.hosts, config.loadBalanceHosts)) {
    const endpoints = await endpointsOf(host).catch(keep(failures));
    for (const endpoint of inOrder(endpoints ?? [], config.loadBalanceHosts)) {
      try {
        return await tryEndpoint(attempt, endpoint, attrs);
      } catch (error) {
        if (!(error instanceof UpstreamError) || !goesOn(error)) throw error;
        failures.push(error);
      }
    }
  }
  throw worst(failures);
}

/** As libpq: the next host is tried after trouble on the way or a server that is not up, not after a refused login. */
function goesOn(error: UpstreamError): boolean {
  if (error instanceof WrongServer) return true;
  if (error.response) return error.sqlState === '57P03';
  return error.code === 'upstream-unreachable' || error.code === 'upstream-tls' || error.code === 'upstream-protocol';
}

function keep(failures: UpstreamError[]): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof UpstreamError)) throw error;
    failures.push(error);
    return undefined;
  };
}

/** The error of one host, or one for all with each host's own in it. */
function worst(failures: readonly UpstreamError[]): UpstreamError {
  const [first] = failures;
  const last = failures[failures.length - 1];
  if (!first || !last) return new UpstreamError('upstream-unreachable', 'the connection names no host');
  const messages = [...new Set(failures.map((failure) => failure.message))];
  const wrongServer = failures.find((failure) => failure instanceof WrongServer);
  if (wrongServer && failures.length === 1) return wrongServer;
  if (messages.length === 1) return first;
  const response = failures.find((failure) => failure.response)?.response;
  const details = { hint: last.hint ?? 'Check each host.', ...(response ? { response } : {}) };
  const summary = `no host of the connection could be used: ${messages.join('; ')}`;
  if (wrongServer) return Object.assign(new WrongServer('', ''), { message: summary });
  return new UpstreamError(last.code, summary, details);
}

/** load_balance_hosts=random: Fisher-Yates. */
function inOrder<T>(items: readonly T[], random: boolean): readonly T[] {
  if (!random) return items;
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
  }
  return shuffled;
}

/** sslmode allow and prefer have two ways; the second is tried when the server refuses the first. */
async function tryEndpoint(attempt: Attempt, endpoint: Endpoint, attrs: TargetSessionAttrs): Promise<Upstream> {
  const ways = endpoint.unix ? (['plain'] as const) : waysOf[attempt.config.tls.mode];
  let failure: unknown;
  for (const way of ways) {
    try {
      return await tryWay(attempt, endpoint, attrs, way);
    } catch (error) {
      const other = error instanceof UpstreamError && isBetterToTell(failure, error) ? failure : error;
      failure = other;
      if (!mayTryOtherWay(error)) throw failure;
    }
  }
  throw failure;
}

type Way = 'plain' | 'tls' | 'tls-if-offered';

const waysOf: Readonly<Record<UpstreamConfig['tls']['mode'], readonly Way[]>> = {
  disable: ['plain'],
  allow: ['plain', 'tls'],
  prefer: ['tls-if-offered', 'plain'],
  require: ['tls'],
  'verify-ca': ['tls'],
  'verify-full': ['tls'],
};

/** A wrong password stays wrong: trying it twice only brings the account's lock-out nearer. */
function mayTryOtherWay(error: unknown): boolean {
  if (!(error instanceof UpstreamError)) return false;
  if (error.response) return error.sqlState !== '28P01';
  return error.code === 'upstream-tls';
}

/** Of the two ways' errors, TLS trouble or a named refusal says more than "no pg_hba.conf entry ... no encryption". */
function isBetterToTell(first: unknown, second: UpstreamError): boolean {
  if (!(first instanceof UpstreamError)) return false;
  if (second.sqlState === '28P01') return false;
  return first.code === 'upstream-tls' || first.sqlState === '28P01' || second.code === 'upstream-tls';
}

async function tryWay(attempt: Attempt, endpoint: Endpoint, attrs: TargetSessionAttrs, way: Way): Promise<Upstream> {
  const { config, parameters, options } = attempt;
  const deadline = new Deadline(config.connectTimeout, endpoint.label, options.signal);
  let socket: Socket | undefined;
  try {
    socket = await dial(endpoint, config, deadline.signal);
    deadline.guards(socket);
    const material = way === 'plain' ? undefined : attempt.material;
    const channel = material
      ? await encrypt(socket, endpoint, config.tls, material, way === 'tls-if-offered')
      : { socket, tls: undefined };
    socket = channel.socket;
    deadline.guards(socket);
    const login = {
      label: endpoint.label,
      host: endpoint.host,
      user: parameters.get('user') ?? config.user,
      database: parameters.get('database') ?? config.database,
      auth: config.auth,
      unix: endpoint.unix,
      oauthToken: options.oauthToken,
      signal: deadline.signal,
    };
    const protocolMinor = options.protocolMinor ?? config.maxProtocolMinor ?? 0;
    const session = await startSession({
      channel,
      config,
      login,
      parameters,
      protocolMinor: Math.min(protocolMinor, config.maxProtocolMinor ?? newestProtocolMinor),
    });
    if (!(await hasSessionAttrs(attrs, session, login))) throw new WrongServer(endpoint.label, attrs);
    return {
      ...session,
      serverVersion: session.parameters.get('server_version') ?? '',
      tls: channel.tls,
      hostLabel: endpoint.label,
      cancelTarget: {
        endpoint,
        tlsMaterial: channel.tls ? material : undefined,
        config,
        backendKey: session.backendKey,
      },
    };
  } catch (error) {
    socket?.destroy();
    throw deadline.signal.aborted ? deadline.signal.reason : error;
  } finally {
    deadline.clear();
  }
}

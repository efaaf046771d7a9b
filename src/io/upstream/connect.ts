/**
 * Connects to the server as libpq does: each host's addresses in order, encrypted as sslmode says, logged in, and
 * of the wanted kind. The hosts' order is in hosts.ts, the ways of sslmode in ways.ts, one attempt here.
 */
import type { Socket } from 'node:net';
import { newestProtocolMinor } from '../../wire/startup.js';
import type { TargetSessionAttrs, UpstreamAuth, UpstreamConfig } from './config.js';
import { Deadline } from './deadline.js';
import { dial, type Endpoint } from './dial.js';
import { encrypt } from './encrypt.js';
import { eachWay, type Way } from './encryption-attempts.js';
import { UpstreamError } from './failure.js';
import { firstOf, nextHostMayHelp, WrongServer } from './hosts.js';
import { withCommandPassword } from './password.js';
import { hasSessionAttrs } from './session-attrs.js';
import { type BackendKey, startSession } from './start-session.js';
import { loadTlsMaterial, type TlsMaterial } from './tls-files.js';
import type { TlsSession } from './tls-session.js';

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
}

/**
 * `startupParameters` are the client's own; they win over those of the connection, `user` and `database` included.
 * Rejects with UpstreamError, or with the reason of an aborted `signal`.
 */
export async function connectUpstream(
  config: UpstreamConfig,
  startupParameters: ReadonlyMap<string, string>,
  options: ConnectOptions = {},
): Promise<Upstream> {
  const parameters = new Map([
    ['user', config.user],
    ['database', config.database],
    ...config.parameters,
    ...startupParameters,
  ]);
  const auth = await withCommandPassword(config, options.signal);
  let material: Promise<TlsMaterial> | undefined;
  const attempt: Attempt = {
    config,
    auth,
    parameters,
    options,
    // Once for all hosts, and only when one of them is to be encrypted.
    tlsMaterial: () => {
      material ??= loadTlsMaterial(config);
      return material;
    },
  };
  return withSessionAttrs(config.targetSessionAttrs, (attrs) =>
    firstOf(config.hosts, config.loadBalanceHosts, (endpoint) =>
      eachWay(endpoint, config.tls.mode, (way, declined) => connectOnce(attempt, endpoint, attrs, way, declined)),
    ),
  );
}

interface Attempt {
  readonly config: UpstreamConfig;
  readonly auth: UpstreamAuth;
  readonly parameters: ReadonlyMap<string, string>;
  readonly options: ConnectOptions;
  readonly tlsMaterial: () => Promise<TlsMaterial>;
}

/** `prefer-standby` is two rounds: a standby, else anything. */
async function withSessionAttrs(
  attrs: TargetSessionAttrs,
  round: (attrs: TargetSessionAttrs) => Promise<Upstream>,
): Promise<Upstream> {
  if (attrs !== 'prefer-standby') return round(attrs);
  try {
    return await round(attrs);
  } catch (error) {
    if (!(error instanceof UpstreamError) || !nextHostMayHelp(error)) throw error;
    return round('any');
  }
}

/** One address, one way, within connect_timeout. */
async function connectOnce(
  attempt: Attempt,
  endpoint: Endpoint,
  attrs: TargetSessionAttrs,
  way: Way,
  declined: () => void,
): Promise<Upstream> {
  const { config, parameters, options } = attempt;
  const { label } = endpoint;
  const material = way === 'plain' ? undefined : await attempt.tlsMaterial();
  const deadline = new Deadline(config.connectTimeout, label, options.signal);
  let socket: Socket | undefined;
  try {
    socket = await dial(endpoint, config, deadline.signal);
    deadline.guard(socket);
    const channel = material
      ? await encrypt(socket, endpoint, config.tls, material, way === 'tls-if-offered')
      : { socket, tls: undefined };
    socket = channel.socket;
    if (material && !channel.tls) declined();
    deadline.guard(socket);
    const login = {
      label,
      host: endpoint.host,
      user: parameters.get('user') ?? config.user,
      database: parameters.get('database') ?? config.database,
      auth: attempt.auth,
      memory: config.memory,
      proofs: config.proofs,
      unix: endpoint.unix,
      oauthToken: config.oauthToken,
      signal: deadline.signal,
    };
    const newest = config.maxProtocolMinor ?? newestProtocolMinor;
    const protocolMinor = Math.min(options.protocolMinor ?? config.maxProtocolMinor ?? 0, newest);
    const session = await startSession({ channel, config, login, parameters, protocolMinor });
    if (!(await hasSessionAttrs(attrs, session, login))) throw new WrongServer(label, attrs);
    const { backendKey } = session;
    return {
      ...session,
      serverVersion: session.parameters.get('server_version') ?? '',
      tls: channel.tls,
      hostLabel: label,
      cancelTarget: { endpoint, tlsMaterial: channel.tls ? material : undefined, config, backendKey },
    };
  } catch (error) {
    socket?.destroy();
    throw deadline.signal.aborted ? deadline.signal.reason : error;
  } finally {
    deadline.clear();
  }
}

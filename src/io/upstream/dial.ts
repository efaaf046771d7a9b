/** From a host of the connection string to a connected socket. */
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { longestSocketPath } from '../files/socket-path.js';
import type { UpstreamConfig, UpstreamHost } from './config.js';
import { unreachable } from './failure.js';

/** One place to connect to: a host may have several. Enough to come back later with a cancel request. */
export interface Endpoint {
  readonly host: UpstreamHost;
  /** IP address, or path of a unix socket (a NUL in front: Linux's abstract namespace). */
  readonly address: string;
  readonly unix: boolean;
  /** For people: `db.example.com:5432`, `/run/postgresql/.s.PGSQL.5432`. */
  readonly label: string;
}

function isSocketFolder(host: string): boolean {
  return host.startsWith('/') || host.startsWith('@');
}

/** Rejects with UpstreamError `upstream-unreachable` when the name cannot be resolved. */
export async function endpointsOf(host: UpstreamHost): Promise<Endpoint[]> {
  if (host.hostaddr === undefined && isSocketFolder(host.host)) {
    const path = `${host.host}/.s.PGSQL.${host.port}`;
    const address = path.startsWith('@') ? `\0${path.slice(1)}` : path;
    // libuv may cut it off, and connect to something else
    if (Buffer.byteLength(address) > longestSocketPath) throw unreachable(path, { code: 'ENAMETOOLONG' });
    return [{ host, address, unix: true, label: path }];
  }
  const label = `${isIP(host.host) === 6 ? `[${host.host}]` : host.host}:${host.port}`;
  if (host.hostaddr !== undefined) return [{ host, address: host.hostaddr, unix: false, label }];
  try {
    const addresses = await lookup(host.host, { all: true });
    return addresses.map(({ address }) => ({ host, address, unix: false, label }));
  } catch (error) {
    throw unreachable(label, error);
  }
}

/** Connects, without a byte sent. Rejects with UpstreamError `upstream-unreachable`, or what `signal` was aborted with. */
export async function dial(
  endpoint: Endpoint,
  config: Pick<UpstreamConfig, 'keepalivesIdle'>,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const socket = endpoint.unix
    ? connect({ path: endpoint.address })
    : connect({ host: endpoint.address, port: endpoint.host.port, noDelay: true });
  const abort = () => socket.destroy(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  // Stays: an error between two owners must not end the process, and `close` follows it to tell the next owner.
  socket.on('error', () => {});
  try {
    await once(socket, 'connect');
  } catch (error) {
    socket.destroy();
    throw signal.aborted ? signal.reason : unreachable(endpoint.label, error);
  } finally {
    signal.removeEventListener('abort', abort);
  }
  if (!endpoint.unix && config.keepalivesIdle !== undefined) socket.setKeepAlive(true, config.keepalivesIdle);
  return socket;
}

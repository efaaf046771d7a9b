/**
 * The loopback listeners of one run: a TCP port on 127.0.0.1 and a unix socket in a private folder, the same passwords
 * for both.
 *
 * What lives here: listeners, the connections that are open, the cancel keys. What it must not know: messages,
 * policies, where the upstream server is.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DbguardError, reasonOf } from '../../errors.js';
import { CancelMap } from '../../proxy/client/cancel-map.js';
import { foreignFenceHint } from '../fence/foreign-fence.js';
import { socketPath } from '../files/socket-path.js';
import { type ConnectionParts, ProxyConnection } from './client-connection.js';
import { EarlyDials } from './early-dials.js';
import { loopbackPasswords } from './loopback-passwords.js';

export interface ProxyOptions {
  /** Loopback address and port; port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Folder for the unix socket, made private; undefined makes one in the temporary folder. */
  readonly socketParent?: string;
  /** Opens every user. */
  readonly password: string;
  /** Passwords of users, each for that user alone. */
  readonly ownPasswords?: ReadonlyMap<string, string>;
  /** Clients at once, those not counted that have not shown the password. */
  readonly maxConnections: number;
  readonly connection: Omit<ConnectionParts, 'number' | 'namespace' | 'full' | 'handshake' | 'cancels' | 'earlyDials'>;
}

export interface RunningProxy {
  readonly host: string;
  readonly port: number;
  /** PGHOST for the unix socket. */
  readonly socketDir: string;
  readonly connections: number;
  /** Keys that a CancelRequest could carry now. */
  readonly cancelKeys: number;
  /**
   * Takes connections of a further listener, which it closes with its own.
   *
   * @param namespace a process in the network namespace that it listens in
   */
  adopt(server: Server, namespace: number): void;
  /** Takes no new connection and no new statement; what runs may finish. */
  drain(): void;
  /** The same, and cuts off what has not finished after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const handshake = { scramFor: await loopbackPasswords(options.password, options.ownPasswords ?? new Map()) };
  const cancels = new CancelMap<ProxyConnection>();
  const earlyDials = new EarlyDials();
  const open = new Set<ProxyConnection>();
  let number = 0;
  const full = () => [...open].filter(({ authenticated }) => authenticated).length > options.maxConnections;
  const accept = (socket: Socket, namespace?: number): void => {
    if (open.size >= options.maxConnections + unauthenticatedSpare) {
      socket.destroy();
      return;
    }
    const parts = { ...options.connection, number: ++number, namespace, full, handshake, cancels, earlyDials };
    const connection = new ProxyConnection(socket, parts);
    open.add(connection);
    void connection.closed.finally(() => open.delete(connection));
  };

  const tcp = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: false }, accept);
  const port = await listen(tcp, options.listen);
  const unix = createServer({ allowHalfOpen: true }, accept);
  const socketDir = await listenInPrivateFolder(unix, options.socketParent ?? tmpdir(), port).catch((error) => {
    tcp.close();
    throw error;
  });

  const listening = [tcp, unix];
  let stopped: Promise<unknown> | undefined;
  const drain = (): void => {
    stopped ??= Promise.all(listening.map(stop));
    for (const connection of open) connection.drain();
  };

  return {
    host: options.listen.host,
    port,
    socketDir,
    adopt: (server, namespace) => {
      listening.push(server);
      // of a socket that was made elsewhere they are not set yet, and its types do not have them
      Object.assign(server, { allowHalfOpen: true, noDelay: true });
      server.on('connection', (socket) => accept(socket, namespace));
    },
    drain,
    get connections() {
      return open.size;
    },
    get cancelKeys() {
      return cancels.size;
    },
    async close(graceMs) {
      drain();
      const all = Promise.all([...open].map((connection) => connection.closed));
      await Promise.race([all, after(graceMs)]);
      for (const connection of open) connection.destroy('dbguard shut down before it was done');
      await Promise.all([...open].map((connection) => connection.closed));
      await stopped;
      rmSync(socketDir, { recursive: true, force: true });
    },
  };
}

/** Above the limit: cancel requests need a place, too, and who comes too late gets a polite refusal. */
const unauthenticatedSpare = 32;

/** The folder of the socket, which libpq takes as the host; the socket in it is named as libpq expects. */
async function listenInPrivateFolder(server: Server, parent: string, port: number): Promise<string> {
  let folder: string;
  try {
    folder = mkdtempSync(join(parent, 'dbg-'));
  } catch (error) {
    throw new DbguardError('listen-failed', `cannot make a folder for the socket in ${parent}: ${reasonOf(error)}`, {
      hint: 'Make it writable for you, or set DBGUARD_HOME to a folder that is.',
      cause: error,
    });
  }
  try {
    chmodSync(folder, 0o700);
    await listen(server, { path: socketPath(join(folder, `.s.PGSQL.${port}`)) });
    return folder;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

const portHint =
  'Choose another address with --listen (127.0.0.1:0 takes a free port), or stop the program that uses this one.';

function listen(server: Server, where: { host: string; port: number } | { path: string }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const place = 'path' in where ? where.path : `${where.host}:${where.port}`;
      reject(
        new DbguardError('listen-failed', `cannot listen on ${place}: ${reasonOf(error)}`, {
          hint: `${'path' in where ? 'Look at the folder of the socket; it must be yours.' : portHint}${foreignFenceHint(error.code ?? '')}`,
          cause: error,
        }),
      );
    });
    server.listen(where, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}

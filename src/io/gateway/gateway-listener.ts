/**
 * The ports of a gateway, and the clients that have not shown a token yet: so many at once, fewer from one address.
 *
 * What lives here: listeners and counts. What it must not know: tokens, sessions, policies.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { DbguardError, reasonOf } from '../../errors.js';
import type { GatewayHandshakeParts } from '../../proxy/client/gateway-handshake.js';
import { shuttingDown } from '../../proxy/statement/fatal.js';
import { Entrance, type EntranceParts } from './entrance.js';

export interface GatewayListenerOptions extends Omit<EntranceParts, 'handshake' | 'onTurnedAway'> {
  readonly ports: readonly {
    readonly host: string;
    readonly port: number;
    readonly handshake: GatewayHandshakeParts;
  }[];
  /** Clients at once that have not shown a token. */
  readonly most: () => number;
  /** @param heard its token was judged: that has been told */
  readonly onTurnedAway: (reason: string, address: string, heard: boolean) => void;
}

export interface GatewayListener {
  /** As the ports stand in the options; a port 0 is what was taken. */
  readonly ports: readonly number[];
  readonly waiting: number;
  /** No new clients; who has not shown a token is told that this is the end. */
  close(): Promise<void>;
}

/** Of all that may wait, from one address. A balancer has one address for everybody: never fewer than this. */
const shareOfOne = 0.5;

export async function openGatewayListener(options: GatewayListenerOptions): Promise<GatewayListener> {
  const waiting = new Map<Entrance, string>();
  const from = (address: string): number => [...waiting.values()].filter((one) => one === address).length;
  const accept = (socket: Socket, handshake: GatewayHandshakeParts): void => {
    const address = socket.remoteAddress ?? '';
    const most = options.most();
    // nothing is said: an answer would cost more than the question
    if (waiting.size >= most || from(address) >= Math.max(1, most * shareOfOne)) {
      socket.destroy();
      options.onTurnedAway('too many clients at once that have not shown a token', address, false);
      return;
    }
    const leave = (): void => void waiting.delete(entrance);
    let heard = false;
    const entrance: Entrance = new Entrance(socket, {
      ...options,
      handshake,
      judge: async (shown) => {
        const refusal = await options.judge(shown);
        heard = true;
        if (refusal === undefined) leave();
        return refusal;
      },
      onTurnedAway: (reason) => {
        leave();
        options.onTurnedAway(reason, address, heard);
      },
      cancel: (pid, key) => {
        leave();
        return options.cancel(pid, key);
      },
    });
    waiting.set(entrance, address);
  };
  const servers: Server[] = [];
  const stop = (): Promise<unknown> =>
    Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  const ports: number[] = [];
  try {
    for (const { host, port, handshake } of options.ports) {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => accept(socket, handshake));
      servers.push(server);
      ports.push(await listen(server, host, port));
    }
  } catch (error) {
    void stop();
    throw error;
  }
  return {
    ports,
    get waiting() {
      return waiting.size;
    },
    async close() {
      const stopped = stop();
      for (const entrance of [...waiting.keys()]) entrance.end(shuttingDown);
      await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, closeMs).unref())]);
    },
  };
}

/** Sockets that are somebody else's by now keep a server from being closed. */
const closeMs = 500;

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new DbguardError('listen-failed', `cannot listen on ${host}:${port}: ${reasonOf(error)}`, {
          hint: 'Choose another address in serve.listen, or stop the program that uses this one.',
          cause: error,
        }),
      );
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
}

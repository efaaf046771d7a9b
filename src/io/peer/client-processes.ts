/** Who is on the other end of a connection to this machine. Linux alone tells; elsewhere nobody is found. */
import { readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { ClientProcess } from '../../proxy/client-process.js';
import { describeProcess } from './describe-process.js';
import { SocketHolders } from './socket-holder.js';
import { tcpPeer } from './tcp-peers.js';
import { UnixPeers } from './unix-peers.js';

export interface ClientProcesses {
  /**
   * Never rejects. Undefined where it cannot be found, or has gone already.
   *
   * @param namespace a process in the network namespace of the connection, where that is not this one's
   */
  of(socket: Socket, namespace?: number): Promise<ClientProcess | undefined>;
  close(): void;
}

/** @param toldArguments false where nothing is to be said of what processes were started with */
export function openClientProcesses({ toldArguments = true } = {}): ClientProcesses {
  const unix = new UnixPeers();
  const holders = new SocketHolders();
  return {
    async of(socket, namespace) {
      if (process.platform !== 'linux') return undefined;
      try {
        const inode = await (socket.remotePort === undefined ? unixPeer(unix, socket) : tcpPeer(socket, namespace));
        const pid = inode === undefined ? undefined : await holders.find(inode);
        const found = pid === undefined ? undefined : await describeProcess(pid, process.pid);
        return found && !toldArguments ? { ...found, line: undefined } : found;
      } catch {
        return undefined;
      }
    },
    close: () => unix.close(),
  };
}

async function unixPeer(unix: UnixPeers, socket: Socket): Promise<string | undefined> {
  const own = inodeOf(socket);
  return own === undefined ? undefined : unix.peerOf(own);
}

/** Of our own end. The descriptor is Node's to tell, and it tells it on the handle alone. */
function inodeOf(socket: Socket): string | undefined {
  const { fd } = (socket as unknown as { readonly _handle?: { readonly fd?: number } })._handle ?? {};
  if (fd === undefined || fd < 0) return undefined;
  return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
}

/** The other end of a TCP connection of this machine, by /proc/PID/net/tcp (proc(5)). */
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';

/**
 * The inode of the client's socket; undefined where it is in another network namespace, or gone.
 *
 * @param namespace a process in the network namespace of the connection, or `self`
 */
export async function tcpPeer(
  { localPort, remotePort, remoteFamily }: Socket,
  namespace: number | 'self' = 'self',
): Promise<string | undefined> {
  if (localPort === undefined || remotePort === undefined) return undefined;
  const tables = remoteFamily === 'IPv6' ? ['tcp6', 'tcp'] : ['tcp', 'tcp6'];
  for (const table of tables) {
    const found = inodeIn(
      await readFile(`/proc/${namespace}/net/${table}`, 'latin1').catch(() => ''),
      remotePort,
      localPort,
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Of the established connection from `port` to `toPort`. Between loopback addresses the two ports tell it from every other. */
export function inodeIn(table: string, port: number, toPort: number): string | undefined {
  // "  1: 0100007F:8A2C 0100007F:1538 01 00000000:00000000 00:00000000 00000000  1000        0 48011 ..."
  const row = new RegExp(
    `^ *\\d+: [0-9A-F]+:${hex(port)} [0-9A-F]+:${hex(toPort)} 01 \\S+ \\S+ \\S+ +\\d+ +\\d+ ([1-9]\\d*) `,
    'm',
  );
  return row.exec(table)?.[1];
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}

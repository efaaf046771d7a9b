/**
 * Holds the network namespace of a fence until its child has joined it, and opens in it what dbguard asks for: each socket is
 * handed out and kept here no longer, so that nothing inside of the fence could be stopped or replaced by who is in it.
 *
 * A program of its own, started by enclosed-network.ts.
 */
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import type { HolderAnswer, HolderOrder } from './enclosed-network.js';

function say(answer: HolderAnswer, handle?: Server | Socket): void {
  process.send?.(answer, handle, {}, () => handle?.close());
}

process.on('disconnect', () => process.exit(0));
process.on('message', ({ id, kind, host, port }: HolderOrder) => {
  const failed = (error: Error): void => say({ id, failed: error.message });
  if (kind === 'tcp') {
    const server = createServer().once('error', failed);
    server.listen({ host, port, backlog: 511 }, () => say({ id }, server));
  } else {
    const socket = createSocket('udp4').once('error', failed);
    socket.bind(port, host, () => say({ id }, socket));
  }
});
say({ pid: process.pid });

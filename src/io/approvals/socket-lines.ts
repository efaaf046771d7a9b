/** JSON lines over a socket. */
import type { Socket } from 'node:net';

/** A preview of a quarter megabyte, escaped, fits; nothing near it comes from an approver. */
const lineMax = 4 * 1024 * 1024;

/** Calls back with each line; a peer that sends a longer one is cut off. */
export function onLines(socket: Socket, listener: (line: string) => void): void {
  let pending = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (pending + chunk).split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) listener(line);
    if (pending.length > lineMax) socket.destroy();
  });
}

export function sendLine(socket: Socket, message: object): void {
  if (!socket.destroyed) socket.write(`${JSON.stringify(message)}\n`);
}

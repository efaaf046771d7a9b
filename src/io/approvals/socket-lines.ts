/** JSON lines over a socket. */
import type { Socket } from 'node:net';

/** A preview of a quarter megabyte, escaped, fits; nothing near it comes from an approver. */
const longestLine = 4 * 1024 * 1024;

/** Calls back with each line; a peer that sends a longer one than `lineMax` characters is cut off. */
export function onLines(socket: Socket, listener: (line: string) => void, lineMax = longestLine): void {
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

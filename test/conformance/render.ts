/**
 * Backend messages as lines that can be compared: every byte of every message is in its line, except what differs
 * between any two sessions of one server.
 */
import type { Heard } from '../helpers/wire-client.js';

/** FirstNormalObjectId (access/transam.h): OIDs from here on are given out by the server's own counter. */
const firstUserOid = 16_384;

export function render(heard: Heard): string | undefined {
  const { type, body } = heard;
  if (type === 'R') return undefined; // the login: a random challenge, and another password
  if (type === 'K') return 'K (key)';
  // the server is told who works: a client that gives no application_name gets one that names the session
  if (type === 'S' && body.toString('latin1').startsWith('application_name\0dbguard/'))
    return 'S application_name\\00\\00';
  const line = `${type} ${printable(withoutChance(heard))}`.trimEnd();
  return type === 'E' ? line.replace(/(process|transaction) \d+/gi, '$1 0') : line; // in a deadlock's detail
}

/** A process id, and OIDs of the server's counter, become zero. */
function withoutChance({ type, body }: Heard): Buffer {
  const copy = Buffer.from(body);
  if (type === 'A') copy.fill(0, 0, 4);
  if (type === 't') for (let at = 2; at < copy.length; at += 4) clearUserOid(copy, at);
  if (type === 'T') {
    for (let at = 2; at < copy.length; at += 18) {
      at = copy.indexOf(0, at) + 1;
      clearUserOid(copy, at); // the table
      clearUserOid(copy, at + 6); // the type
    }
  }
  return copy;
}

function clearUserOid(bytes: Buffer, at: number): void {
  if (bytes.readUInt32BE(at) >= firstUserOid) bytes.writeUInt32BE(0, at);
}

function printable(bytes: Buffer): string {
  const shown = bytes.length > 2000 ? bytes.subarray(0, 2000) : bytes;
  const text = shown
    .toString('latin1')
    .replace(/[^ -~]|\\/g, (byte) => `\\${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return bytes.length > 2000 ? `${text}... ${bytes.length} bytes, sum ${sum(bytes)}` : text;
}

/** Tells long bodies apart: Adler-32 (RFC 1950). */
function sum(bytes: Buffer): number {
  let [low, high] = [1, 0];
  for (const byte of bytes) {
    low = (low + byte) % 65_521;
    high = (high + low) % 65_521;
  }
  return high * 65_536 + low;
}

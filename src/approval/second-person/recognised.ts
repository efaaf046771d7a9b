/**
 * How a statement is recognised in another session of the same person: by a digest beside what was shown. Settings and
 * values of a session go into it, so it is as hard to guess from as the commitment to a statement with secrets (FORMAT.md, `hidden`).
 */
import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(pbkdf2);
/** RFC 7677, section 4. */
const ITERATIONS = 4096;

/** @param key see `lastingKey` */
export async function exactDigest(key: string, salt: string): Promise<string> {
  return (await derive(key, salt, ITERATIONS, 32, 'sha256')).toString('base64url');
}

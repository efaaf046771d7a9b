import { DbguardError } from '../../errors.js';

/** sun_path in unix(7), without the zero byte at its end. */
export const longestSocketPath = 107;

/** libuv cuts a longer path off and would listen somewhere else. Throws `listen-failed`; returns `path`. */
export function socketPath(path: string): string {
  if (Buffer.byteLength(path) <= longestSocketPath) return path;
  throw new DbguardError(
    'listen-failed',
    `the path of a socket may have ${longestSocketPath} bytes, and this has more: ${path}`,
    {
      hint: 'Set XDG_RUNTIME_DIR or DBGUARD_HOME to a folder with a shorter path.',
    },
  );
}

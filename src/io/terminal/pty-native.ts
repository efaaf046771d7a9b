/** node-pty's native half, typed. Why not its JavaScript half: see `pty.ts`. */
import { createRequire } from 'node:module';

export interface ForkedPty {
  /** The master side, non-blocking, closed on exec. */
  readonly fd: number;
  readonly pid: number;
  /** Path of the slave side: /dev/pts/4. */
  readonly pty: string;
}

export interface NativePty {
  fork(
    file: string,
    args: readonly string[],
    env: readonly string[],
    cwd: string,
    columns: number,
    rows: number,
    uid: number,
    gid: number,
    utf8: boolean,
    helper: string,
    onExit: (code: number, signal: number) => void,
  ): ForkedPty;
  resize(fd: number, columns: number, rows: number): void;
}

export function loadNativePty(): { readonly native: NativePty; readonly helper: string } {
  const require = createRequire(import.meta.url);
  const { requireBinary } = require('@lydell/node-pty/requireBinary.js') as {
    requireBinary(name: string): NativePty;
  };
  // macOS starts the child through a helper program of the platform's package
  const helper = `@lydell/node-pty-${process.platform}-${process.arch}/spawn-helper`;
  return { native: requireBinary('pty.node'), helper: process.platform === 'darwin' ? require.resolve(helper) : '' };
}

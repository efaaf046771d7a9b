/** Puts a long text before a person screen by screen, in the program that PAGER names, as git and man do. */
import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { findProgram } from './child-program.js';

export interface Pages {
  readonly stream: Writable;
  /** After the last write; resolves when the person has left the pager. */
  close(): Promise<void>;
}

type Screen = Writable & { readonly isTTY?: boolean; readonly fd?: number };

/** less: leave when it fits one screen, pass colours on, do not clear the screen at the end. */
const lessOptions = 'FRX';

/** The stream itself where nobody pages: no terminal, `PAGER=cat`, or no pager on this machine. */
export function openPager(stdout: Screen, env: NodeJS.ProcessEnv): Pages {
  const command = pagerCommand(env);
  if (stdout.isTTY !== true || stdout.fd === undefined || command === undefined) {
    return { stream: stdout, close: async () => undefined };
  }
  // by a shell, because people write options into PAGER
  const pager = spawn(command, {
    shell: true,
    stdio: ['pipe', stdout.fd, 'inherit'],
    env: { ...env, LESS: env.LESS ?? lessOptions },
  });
  const stream = pager.stdin as Writable; // a pipe, as asked for
  // Ctrl-C is a key of the pager's, but the terminal sends the signal to both.
  const stay = (): void => undefined;
  process.on('SIGINT', stay);
  const left = new Promise<void>((resolve) => {
    pager.once('error', () => resolve());
    pager.once('close', () => resolve());
  }).finally(() => process.off('SIGINT', stay));
  stream.on('error', stay); // the person left before the end
  return {
    stream,
    close: () => {
      stream.end();
      return left;
    },
  };
}

function pagerCommand(env: NodeJS.ProcessEnv): string | undefined {
  const chosen = env.PAGER?.trim();
  if (chosen !== undefined) return chosen === '' || chosen === 'cat' ? undefined : chosen;
  if (env.TERM === 'dumb') return undefined;
  try {
    findProgram('less', env, process.cwd());
    return 'less';
  } catch {
    return undefined;
  }
}

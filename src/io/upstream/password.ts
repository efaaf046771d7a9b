/** Where the password comes from, asked only when the server wants one: given, printed by a command, or in .pgpass. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { UpstreamAuth, UpstreamHost } from './config.js';
import { authFailure } from './failure.js';
import { findInPassfile } from './passfile.js';
import { Secret } from './secret.js';

const run = promisify(execFile);

/** A vault may ask a person to unlock it. */
const commandTimeout = 60_000;

export interface FoundPassword {
  readonly password: Secret | undefined;
  /** What stood in the way, for the hint of an error: a passfile that was ignored. */
  readonly note: string | undefined;
}

export interface Login {
  readonly host: UpstreamHost;
  readonly user: string;
  readonly database: string;
}

export async function findPassword(auth: UpstreamAuth, login: Login, signal: AbortSignal): Promise<FoundPassword> {
  if (auth.password) return { password: auth.password, note: undefined };
  if (auth.passwordCommand) return { password: await runCommand(auth.passwordCommand, signal), note: undefined };
  return findInPassfile(auth.passfile, login);
}

/** No shell: an argument is never taken apart. What the command writes to stderr stays out of errors, it may hold a secret. */
async function runCommand(argv: readonly string[], signal: AbortSignal): Promise<Secret> {
  const [program, ...args] = argv;
  if (!program) throw authFailure('password_command is empty', 'Give it a program and its arguments.');
  let output: string;
  try {
    output = (await run(program, args, { signal, timeout: commandTimeout, windowsHide: true })).stdout;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const why = code === 'ENOENT' ? 'there is no such program' : `it failed (${code ?? 'killed'})`;
    throw authFailure(`password_command "${program}" gave no password: ${why}`, 'Run it by hand to see what it says.');
  }
  const password = /^[^\r\n]*/.exec(output)?.[0] ?? '';
  if (password === '') {
    throw authFailure(`password_command "${program}" printed nothing`, 'Its first line of output is the password.');
  }
  return new Secret(password);
}

/** Where the password comes from, asked only when the server wants one: given, printed by a command, made for this login, or in .pgpass. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { UpstreamAuth, UpstreamConfig } from './config.js';
import { authFailure } from './failure.js';
import { type FoundPassword, findInPassfile, type Login } from './passfile.js';
import { Secret } from './secret.js';

const run = promisify(execFile);

/** A vault may ask a person to unlock it. */
const commandTimeout = 120_000;

/** What a login takes when the server asks for a password that is not made for it (`auth.minted`). */
export async function findPassword(auth: UpstreamAuth, login: Login): Promise<FoundPassword> {
  if (auth.minted) return { password: undefined, note: undefined };
  return auth.password ? { password: auth.password, note: undefined } : findInPassfile(auth.passfile, login);
}

/**
 * `auth` with the password that password_command prints, where one is configured: asked anew for each connection, since
 * its answer may be good for one only. Before the server is called: a vault may wait for a person longer than the server
 * waits for a login.
 */
export async function withCommandPassword(
  { auth, memory }: Pick<UpstreamConfig, 'auth' | 'memory'>,
  signal: AbortSignal | undefined,
): Promise<UpstreamAuth> {
  const { passwordCommand } = auth;
  if (auth.password || !passwordCommand) return auth;
  const password = await runCommand(passwordCommand, signal);
  memory.printed = password;
  return { ...auth, password };
}

/** Every password that a connection may use, wherever it comes from: what nobody else may get to see. */
export async function knownPasswords(config: UpstreamConfig): Promise<Secret[]> {
  const { user, database, memory } = config;
  const auth = memory.printed ? { ...config.auth, password: memory.printed } : config.auth;
  const found = await Promise.all(config.hosts.map((host) => findPassword(auth, { host, user, database })));
  const all = [...found.map(({ password }) => password), config.tls.keyPassword];
  return all.filter((secret) => secret !== undefined);
}

/** No shell: an argument is never taken apart. What the command writes to stderr stays out of errors, it may hold a secret. */
async function runCommand(argv: readonly string[], signal: AbortSignal | undefined): Promise<Secret> {
  const [program, ...args] = argv;
  if (!program) throw authFailure('password_command is empty', 'Give it a program and its arguments.');
  let output: string;
  try {
    output = (await run(program, args, { ...(signal && { signal }), timeout: commandTimeout, windowsHide: true }))
      .stdout;
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const why =
      reasons[String(code)] ??
      (isTimeout(error)
        ? 'it took more than two minutes'
        : typeof code === 'number'
          ? `it ended with exit code ${code}`
          : 'it was ended');
    throw authFailure(`password_command "${program}" gave no password: ${why}`, 'Run it by hand to see what it says.');
  }
  const password = /^[^\r\n]*/.exec(output)?.[0] ?? '';
  if (password === '') {
    throw authFailure(`password_command "${program}" printed nothing`, 'Its first line of output is the password.');
  }
  return new Secret(password);
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such program',
  EACCES: 'it may not be run',
  ERR_CHILD_PROCESS_STDIO_MAXBUFFER: 'it printed more than a megabyte',
};

/** Ended by us, not by a signal of somebody else's. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && 'killed' in error && error.killed === true;
}

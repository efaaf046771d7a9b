/** The one place where an outcome becomes an exit code and an error becomes text. */
import { CommanderError } from 'commander';
import { DbguardError, messageOf, reasonOf } from '../errors.js';
import { singleLine } from '../untrusted-text.js';
import { nextStep } from './next-steps.js';
import { folded } from './print/text.js';

/** EX_USAGE of sysexits.h, as for `usage` in errors.ts. */
const usageExitCode = 64;

export interface Failure {
  readonly exitCode: number;
  /** What a person reads: what happened, and what to do next. Ends its last line; empty where all was said. */
  readonly text: string;
}

/** @param command the command's path, for the way to its help; @param stderr how wide it is, where it is a terminal */
export function failureOf(
  error: unknown,
  command: string,
  stderr: { readonly isTTY?: boolean; readonly columns?: number },
  env: NodeJS.ProcessEnv,
): Failure {
  // commander has said it already
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? 0 : usageExitCode, text: '' };
  const line = (text: string): string => `${folded(text, stderr)}\n`;
  if (error instanceof DbguardError) {
    const hint = error.hint ?? nextStep(error.code, command);
    return { exitCode: error.exitCode, text: line(`dbguard: ${error.message}`) + line(`  ${hint}`) };
  }
  const system = systemFailure(error);
  if (system !== undefined && !env.DBGUARD_DEBUG)
    return { exitCode: 74, text: line(`dbguard: ${system.said}`) + line(`  ${system.hint}`) };
  const stack = env.DBGUARD_DEBUG && error instanceof Error ? `${error.stack ?? ''}\n` : undefined;
  return {
    exitCode: 70,
    text: line(`dbguard: internal error: ${messageOf(error)}`) + (stack ?? line(`  ${nextStep('internal', command)}`)),
  };
}

/** What a disk or its permissions refuse, wherever it was: no fault of the program's, and its name tells nobody what to do. */
const refusals: Readonly<Record<string, string>> = {
  ENOSPC: 'Make room on that disk, or set DBGUARD_HOME to a folder on another one.',
  EDQUOT: 'Your quota there is used up: make room, or set DBGUARD_HOME to a folder elsewhere.',
  EROFS: 'That disk can only be read: set DBGUARD_HOME to a folder on another one.',
  EACCES: 'Look at whose it is and who may open it (ls -l).',
  EPERM: 'Look at whose it is and who may open it (ls -l).',
  EIO: 'The disk fails: look at it before you go on.',
  EMFILE: 'Too many files are open: raise the limit (ulimit -n).',
  ENFILE: 'This machine has too many files open: end other programs.',
};

function systemFailure(error: unknown): { readonly said: string; readonly hint: string } | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  const hint = refusals[String(error.code)];
  if (hint === undefined) return undefined;
  const where = 'path' in error && typeof error.path === 'string' ? `${error.path}: ` : '';
  return { said: singleLine(`${where}${reasonOf(error)}`, 400), hint };
}

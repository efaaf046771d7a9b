/** The one place where an outcome becomes an exit code and an error becomes text. */
import { CommanderError } from 'commander';
import { DbguardError, messageOf } from '../errors.js';
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
  const stack = env.DBGUARD_DEBUG && error instanceof Error ? `${error.stack ?? ''}\n` : undefined;
  return {
    exitCode: 70,
    text: line(`dbguard: internal error: ${messageOf(error)}`) + (stack ?? line(`  ${nextStep('internal', command)}`)),
  };
}

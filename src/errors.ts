/**
 * The one error class. `code` says what went wrong to a program, `message` to a person, `hint` what to do next.
 *
 * Rule: neither message nor hint ever carries a secret (password, token, key, bind value); errors are printed,
 * logged and recorded without further filtering. For the same reason text of a server, an issuer or a bucket may stand in
 * both: whatever a terminal would act on is shown as its code point.
 */
import { sanitise } from './untrusted-text.js';

export type ErrorCode =
  | 'usage'
  | 'config-missing'
  | 'config-invalid'
  | 'not-trusted'
  | 'connection-unknown'
  | 'policy-invalid'
  | 'login-required'
  | 'login-expired'
  | 'login-failed'
  | 'identity-insufficient'
  | 'issuer-key-unknown'
  | 'token-store'
  | 'upstream-unreachable'
  | 'upstream-auth'
  | 'upstream-tls'
  | 'upstream-protocol'
  | 'listen-failed'
  | 'protocol-violation'
  | 'limit-exceeded'
  | 'journal-unwritable'
  | 'recording-unwritable'
  | 'proxy-refused'
  | 'bucket-unreachable'
  | 'bucket-unsuitable'
  | 'bucket-conflict'
  | 'transcript-unknown'
  | 'transcript-invalid'
  | 'approval-unknown'
  | 'child-not-found'
  | 'child-failed'
  | 'output-failed'
  | 'part-missing'
  | 'denied'
  | 'internal';

/** sysexits.h where it has a word for it; 126 and 127 as a shell uses them; 1 for "checked, and the answer is no". */
export const exitCodes: Record<ErrorCode, number> = {
  usage: 64,
  'config-missing': 78,
  'config-invalid': 78,
  'not-trusted': 77,
  'connection-unknown': 78,
  'policy-invalid': 78,
  'login-required': 77,
  'login-expired': 77,
  'login-failed': 77,
  'identity-insufficient': 77,
  'issuer-key-unknown': 77,
  'token-store': 77,
  'upstream-unreachable': 69,
  'upstream-auth': 77,
  'upstream-tls': 76,
  'upstream-protocol': 76,
  'listen-failed': 71,
  'protocol-violation': 76,
  'limit-exceeded': 75,
  'journal-unwritable': 74,
  'recording-unwritable': 74,
  'proxy-refused': 69,
  'bucket-unreachable': 69,
  'bucket-unsuitable': 78,
  'bucket-conflict': 69,
  'transcript-unknown': 66,
  'transcript-invalid': 1,
  'approval-unknown': 66,
  'child-not-found': 127,
  'child-failed': 126,
  'output-failed': 74,
  'part-missing': 69,
  denied: 1,
  internal: 70,
};

export interface ErrorDetails {
  /** One sentence: what the user can do about it. */
  hint?: string;
  /** Overrides the exit code that goes with `code`. */
  exitCode?: number;
  cause?: unknown;
}

export class DbguardError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(sanitise(message).text, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'DbguardError';
    this.code = code;
    this.hint = details.hint === undefined ? undefined : sanitise(details.hint).text;
    this.exitCode = details.exitCode ?? exitCodes[code];
  }
}

/**
 * The reason alone of a system error, for messages that name the path or the address themselves: Node's own text
 * repeats them, after the number's name and before the system call's.
 */
export function reasonOf(error: unknown): string {
  const text = messageOf(error);
  return /^(?:[a-z]+ )?E[A-Z0-9]+: ([a-z][^,\d]*?)(?:,| \/| \S*\d|$)/.exec(text)?.[1] ?? text;
}

/** The sentence of an unknown thrown value; for wrapping foreign errors, never for printing a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

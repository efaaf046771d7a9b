/** What a run says about itself, on stderr: two lines at its start, a summary at its end, trouble in between. */
import type { Writable } from 'node:stream';
import type { DbguardError } from '../errors.js';
import type { Approvals } from '../run/approvals.js';
import type { CommandContext } from './command.js';
import type { Guard } from './guard.js';
import { UploadWait } from './upload-wait.js';

export function banner(guard: Guard, stderr: { readonly isTTY?: boolean }): string {
  const dim = (text: string): string => (stderr.isTTY ? `\u001b[2m${text}\u001b[22m` : text);
  const { user, database } = guard.address;
  return [
    `dbguard: ${guard.subject} on ${guard.connection} (${user}@${database}), policy ${guard.policy.name}\n`,
    dim(`dbguard: session ${guard.sid}, signed and recorded to ${guard.bucket}`),
    '\n',
  ].join('');
}

/** Says each kind of trouble once; while a child owns the screen, it waits. */
export class TroubleReport {
  readonly #stderr: Writable;
  readonly #said = new Set<string>();
  #held: string[] | undefined;

  constructor(stderr: Writable) {
    this.#stderr = stderr;
  }

  report(error: DbguardError): void {
    if (this.#said.has(error.code)) return;
    this.#said.add(error.code);
    const text = `dbguard: ${error.message}\n${error.hint ? `  ${error.hint}\n` : ''}`;
    if (this.#held) this.#held.push(text);
    else this.#stderr.write(text);
  }

  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const text of held) this.#stderr.write(text);
  }
}

/** Ends the session and sums it up. True when the whole transcript is in the bucket. */
export async function finishGuard(
  context: CommandContext,
  guard: Guard,
  approvals: { readonly totals: Approvals['totals'] },
  graceMs: number,
): Promise<boolean> {
  const { stderr } = context;
  const wait = new UploadWait(stderr);
  const progress = await guard
    .close({ graceMs, signal: wait.signal, onProgress: (step) => wait.progress(step) })
    .finally(() => wait.end());
  const { asked, allowed, denied } = approvals.totals;
  const { statements } = guard.totals;
  const parts = [`${statements} ${statements === 1 ? 'statement' : 'statements'}`];
  if (asked > 0) parts.push(`${asked} asked: ${allowed} approved, ${denied} denied`);
  if (guard.totals.deniedByRule > 0) parts.push(`${guard.totals.deniedByRule} denied by a rule`);
  if (guard.totals.rowsChanged > 0) parts.push(`${guard.totals.rowsChanged} rows changed`);
  const state =
    progress.left === 0
      ? 'transcript complete in the bucket'
      : `${progress.left} ${progress.left === 1 ? 'segment waits' : 'segments wait'} on this machine; "dbguard upload" brings them to the bucket when it can be reached, and so does the next run`;
  stderr.write(`dbguard: ${parts.join(', ')}; ${state} (dbguard transcripts show ${guard.sid})\n`);
  return progress.left === 0;
}

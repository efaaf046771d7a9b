/** One answer that is tried: what it is tried with, and what comes of it. */
import { DbguardError } from '../../errors.js';
import type { TrialLine } from '../../ui/guide/guide-state.js';
import type { PracticeSurface } from './practice.js';

export interface Trial {
  readonly signal: AbortSignal;
  /** At once, while it goes on. */
  say(line: TrialLine): void;
  /** What the person's Enter does while it goes on; undefined: nothing. */
  onEnter(act: (() => void) | undefined): void;
  /** Where there is a screen to practise on. */
  readonly surface?: PracticeSurface;
}

export interface Outcome {
  readonly lines: readonly TrialLine[];
  /** Such an answer cannot stand in the file. */
  readonly refused?: boolean;
  /** The server wants a password that nobody has given. */
  readonly passwordWanted?: boolean;
}

/** 130 as after SIGINT. */
export function leftIt(): DbguardError {
  return new DbguardError('usage', 'nothing was written', {
    hint: 'Run dbguard init again, or give flags.',
    exitCode: 130,
  });
}

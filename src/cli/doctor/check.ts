/** One thing that `dbguard doctor` looks at. Each stands alone: none needs another to have passed, none may hang. */

import type { LoadedConfig } from '../../io/files/config-files.js';
import type { CombinedConfig } from '../../policy/combine.js';
import type { CommandContext } from '../command.js';

export type State = 'ok' | 'warning' | 'failure';

export interface Line {
  readonly state: State;
  /** One sentence, no secret in it. */
  readonly text: string;
  /** What mends it: a command, or what to do. */
  readonly fix?: string;
  /** What `--fix` does, where nothing can be lost by it; resolves to what it has done. */
  readonly mend?: () => Promise<string>;
}

export interface World {
  readonly context: CommandContext;
  /** `--config`. */
  readonly named: string | undefined;
  /** Aborts when the check has had its time. */
  readonly signal: AbortSignal;
  /** What the files say; throws DbguardError where they cannot be read. */
  settings(): { readonly sources: readonly LoadedConfig[]; readonly config: CombinedConfig };
}

export interface Check {
  readonly name: string;
  run(world: World): Promise<readonly Line[]>;
}

export function ok(text: string): Line {
  return { state: 'ok', text };
}

export function warning(text: string, fix?: string): Line {
  return { state: 'warning', text, ...(fix === undefined ? {} : { fix }) };
}

export function failure(text: string, fix?: string): Line {
  return { state: 'failure', text, ...(fix === undefined ? {} : { fix }) };
}

/** A doctor asks nothing: whoever has to be asked is told what to run. */
export function noTerminal(context: CommandContext): CommandContext {
  return { ...context, stdin: Object.assign(Object.create(context.stdin), { isTTY: false }) };
}

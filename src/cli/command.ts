import type { Readable, Writable } from 'node:stream';

/** The outside of a command, given by `main`; tests give their own. */
export interface CommandContext {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly fd?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

/** A command's module: options -> parse -> run. Resolves to the exit code; throws DbguardError for everything else. */
export interface CommandModule {
  run(context: CommandContext, args: readonly string[], options: OptionValues): Promise<number>;
}

export interface CommandOption {
  /** As commander takes it: `--policy <file>`, `--json`. */
  readonly flags: string;
  readonly description: string;
  /** Words that the value may be, for shell completions; the command itself checks them. */
  readonly choices?: readonly string[];
}

/** One row of the command table. Help and shell completions come from these rows; modules load only when run. */
export interface CommandEntry {
  /** Words after `dbguard`: `run`, `transcripts verify`. */
  readonly path: string;
  readonly summary: string;
  /** Commander's notation: `<id>`, `[id]`, `[command...]`. */
  readonly arguments?: string;
  /** Words that the arguments may be, for shell completions. */
  readonly argumentChoices?: readonly string[];
  readonly options?: readonly CommandOption[];
  /** Command lines for `--help`. */
  readonly examples?: readonly string[];
  /** Everything after the first operand belongs to the child, options included. */
  readonly passThrough?: boolean;
  readonly load: () => Promise<CommandModule>;
}

import type { Readable, Writable } from 'node:stream';

/** The outside of a command, given by `main`; tests give their own. */
export interface CommandContext {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly fd?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/** A command's module: options -> parse -> run. Resolves to the exit code; throws DbguardError for everything else. */
export interface CommandModule<Options> {
  run(context: CommandContext, args: readonly string[], options: Options): Promise<number>;
}

export interface CommandOption {
  /** As commander takes it: `--policy <file>`, `--json`. */
  readonly flags: string;
  readonly description: string;
  /** Words that the value may be, for shell completions; the command itself checks them. */
  readonly choices?: readonly string[];
}

/** One row of the command table. Help, shell completions and the types of its options come from these rows. */
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
}

type CamelCase<Words extends string> = Words extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Words;

/** `--password-file <path>` -> `passwordFile`, as commander names it. */
type NameOf<Flags extends string> = Flags extends `--no-${infer Word}`
  ? CamelCase<Word>
  : Flags extends `--${infer Word} <${string}>`
    ? CamelCase<Word>
    : Flags extends `--${infer Word}`
      ? CamelCase<Word>
      : never;

type ValueOf<Flags extends string> = Flags extends `--${string} <${string}>`
  ? string
  : Flags extends `--no-${string}`
    ? boolean
    : true;

/** The values that commander makes of such rows. */
export type OptionsFrom<Options extends readonly CommandOption[]> = {
  readonly [Flags in Options[number]['flags'] as NameOf<Flags>]?: ValueOf<Flags> | undefined;
};

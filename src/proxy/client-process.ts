import type { JsonValue } from '../transcript/entry.js';

/** The process on the other end of a client connection, as the kernel knows it; what its environment says is its own claim. */
export interface ClientProcess extends ProcessWords {
  readonly pid: number;
  /** `args` in one line, without secrets; cut where it is long. Undefined where it is not to be told. */
  readonly line: string | undefined;
  /** Above it, the nearest first, up to the agent. */
  readonly ancestors: readonly ProcessWords[];
  /** Of the agent, as the environment of the process, or of one above it, has it. */
  readonly agentSession?: string;
  /** TRACEPARENT, the same way: W3C Trace Context. */
  readonly trace?: string;
}

export interface ProcessWords {
  /** Of the program's file the last part; in parentheses what the process calls itself, where that is another name. */
  readonly program: string;
  /** As it was started with, and may have overwritten since; cut where it is long. Secrets stand in it. */
  readonly args: readonly string[];
  /** Milliseconds since boot, to a hundredth of a second. */
  readonly startedAt: number;
}

/** As it stands in a `connection` or `intent` entry: what it was started with can be taken out, and has no secrets in it. */
export function processEntry({ pid, program, line, ancestors, agentSession, trace }: ClientProcess): {
  readonly fields: Readonly<Record<string, JsonValue | undefined>>;
  readonly disclosures: { readonly arguments: string } | undefined;
} {
  return {
    fields: { pid, program, ancestors: ancestors.map((one) => one.program), agentSession, trace },
    disclosures: line === undefined ? undefined : { arguments: line },
  };
}

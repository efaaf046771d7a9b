/**
 * Does a process fit a tool call that somebody has claimed? By what it and the shells above it were started with, and by the
 * session that their environment names. All of that is the agent's to forge; it tells honest work apart, not honest agents.
 */
import type { ClientProcess } from '../client-process.js';

/**
 * - `process`: it, or a process above it, was started with the command of the call;
 * - `text`: the call has no command (an MCP tool), and what it was given contains the statement;
 * - `session`: the one call under way in the session that the process names, and it has no command;
 * - `time`: the one call, or the last prompt, at that time: nothing is known of the process;
 * - `other`: a call with a command is under way, and something else has started the process.
 */
export type Fit = 'process' | 'text' | 'session' | 'time' | 'other';

export interface ClaimedCall {
  readonly session: string | undefined;
  /** As `plain` gives it. */
  readonly command: string | undefined;
  readonly given: string;
  /** Milliseconds since boot. */
  readonly at: number;
  open: boolean;
}

export interface KnownProcess {
  readonly agentSession: string | undefined;
  /** Itself, and those above it: when each was started, and with what, as `plain` gives it. */
  readonly chain: readonly { readonly startedAt: number; readonly line: string }[];
}

/** A shorter text would be found in everything. */
const tellingLength = 8;
/** Between two clocks that tick every ten milliseconds. */
const clockError = 30;
/** Of a long command, such as a script in a here-document, the beginning tells it from others. */
const comparedLength = 1024;

/** Shells quote commands again for the shells that they start: quotes, backslashes and blanks do not count. */
export function plain(text: string): string {
  return text.replace(/[\s'"\\`]+/g, '');
}

export function knownProcess({ agentSession, ancestors, ...own }: ClientProcess): KnownProcess {
  const chain = [own, ...ancestors].map(({ startedAt, args }) => ({ startedAt, line: plain(args.join(' ')) }));
  return { agentSession, chain };
}

/** The call that a process was started by: the newest one whose command is in its chain, and not older than it. */
export function startedBy<T extends ClaimedCall>(process: KnownProcess, newestFirst: readonly T[]): T | undefined {
  return newestFirst.find(({ command, at }) => command !== undefined && runs(process, command, at));
}

function runs({ chain }: KnownProcess, command: string, at: number): boolean {
  // the agent itself, which may have been started with the same words, is older than what it says
  const since = chain.map(({ startedAt, line }) => (startedAt + clockError >= at ? line : ''));
  const [own = ''] = since;
  // a shell that has nothing else to do becomes the command
  if (since.includes(command)) return true;
  if (own.length >= tellingLength && command.includes(own)) return true;
  return command.length >= tellingLength && since.some((line) => line.includes(command.slice(0, comparedLength)));
}

/** The call under way that a statement may come from, where its process was started by none. */
export function underWay<T extends ClaimedCall>(
  process: KnownProcess | undefined,
  newestFirst: readonly T[],
  sql: string,
): { readonly call: T; readonly fit: Fit } | undefined {
  const open = newestFirst.filter((call) => call.open);
  const named = open.find((call) => call.command === undefined && call.given.includes(sql));
  if (named !== undefined) return { call: named, fit: 'text' };
  const session = process?.agentSession;
  const ofSession = open.filter(
    (call) => session === undefined || call.session === undefined || call.session === session,
  );
  const [call, ...others] = ofSession;
  // one of several: nothing tells which
  if (call === undefined || others.length > 0) return undefined;
  if (process === undefined) return { call, fit: 'time' };
  if (call.command !== undefined) return { call, fit: 'other' };
  return { call, fit: session !== undefined && call.session === session ? 'session' : 'time' };
}

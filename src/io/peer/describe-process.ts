/** What a process is: its program, its arguments, who started it, and what its environment says of the agent. */
import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';
import type { ProcessInfo } from '../../approval/peer-ancestry.js';
import type { ClientProcess, ProcessWords } from '../../proxy/client-process.js';
import { toldText } from '../../proxy/statement/told-text.js';
import { processInfo } from '../approvals/process-tree.js';

/** Bytes of what a process was started with: it may have megabytes. */
const longestArguments = 16 << 10;
const longestEnvironment = 256 << 10;
const longestLine = 8 << 10;
const longestName = 100;
/** Shells in shells; an agent stands a few above its commands. */
const mostAncestors = 12;

/** USER_HZ, which is 100 on every architecture that Node runs on. */
const millisecondsPerTick = 10;

/** Variables in which agents hand their session's id to what they start. */
const sessionVariables = ['CLAUDE_CODE_SESSION_ID', 'CODEX_THREAD_ID', 'GEMINI_SESSION_ID', 'OPENCODE_SESSION_ID'];
const traceVariable = 'TRACEPARENT';
/** version-traceid-parentid-flags (W3C Trace Context, 3.2). */
const traceShape = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const sessionShape = /^[\w.:-]{1,100}$/;

/** @param above where the way up ends: this process's own number. Undefined where it has gone. */
export async function describeProcess(pid: number, above: number): Promise<ClientProcess | undefined> {
  const info = processInfo(pid);
  if (info === undefined) return undefined;
  const ancestors: ProcessWords[] = [];
  let found = claimsOf(pid);
  for (let parent = info.parent; parent > 1 && parent !== above && ancestors.length < mostAncestors; ) {
    const next = processInfo(parent);
    if (next === undefined) break;
    ancestors.push(wordsOf(next));
    found = { ...claimsOf(parent), ...found };
    parent = next.parent;
  }
  const words = wordsOf(info);
  const line = await toldText(words.args.join(' ').slice(0, longestLine));
  return { pid, ...words, line, ancestors, ...found };
}

function wordsOf({ pid, started }: ProcessInfo): ProcessWords {
  const args = start(`/proc/${pid}/cmdline`, longestArguments).split('\0');
  if (args.at(-1) === '') args.pop();
  const own = start(`/proc/${pid}/comm`, longestName).trimEnd();
  const file = fileOf(pid);
  const name = file.slice(0, longestName) || own;
  // comm holds 15 bytes
  const another = own !== '' && !name.startsWith(own);
  return { program: another ? `${name} (${own})` : name, args, startedAt: started * millisecondsPerTick };
}

function fileOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`)
      .replace(/ \(deleted\)$/, '')
      .replace(/^.*\//, '');
  } catch {
    return '';
  }
}

function claimsOf(pid: number): Pick<ClientProcess, 'agentSession' | 'trace'> {
  const pairs = start(`/proc/${pid}/environ`, longestEnvironment).split('\0');
  const named = (name: string): string | undefined =>
    pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
  const agentSession = sessionVariables.map(named).find((value) => value !== undefined && sessionShape.test(value));
  const trace = named(traceVariable);
  return {
    ...(agentSession === undefined ? {} : { agentSession }),
    ...(trace !== undefined && traceShape.test(trace) ? { trace } : {}),
  };
}

function start(path: string, bytes: number): string {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const buffer = Buffer.allocUnsafe(bytes);
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, bytes, 0));
  } catch {
    return '';
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

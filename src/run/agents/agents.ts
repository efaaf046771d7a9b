/** The agents that dbguard knows by name. */
import type { Agent } from './agent.js';
import { aider } from './aider.js';
import { claudeCode } from './claude-code.js';
import { codex } from './codex.js';
import { cursor } from './cursor.js';
import { gemini } from './gemini.js';
import { opencode } from './opencode.js';

export const knownAgents: readonly Agent[] = [claudeCode, codex, gemini, opencode, cursor, aider];

/** Programs that start another one by its package's name. */
const starters: ReadonlySet<string> = new Set(['npx', 'bunx', 'pnpx', 'uvx']);

export interface StartedAgent {
  readonly agent: Agent;
  /** How many words of the command stand before the agent's own arguments. */
  readonly before: number;
}

/** The agent that a command starts; undefined for any other program. */
export function agentOf(command: readonly string[]): StartedAgent | undefined {
  const [program = '', ...args] = command;
  const name = baseName(program);
  const at = starters.has(name) ? args.findIndex((arg) => !arg.startsWith('-')) : -1;
  const started = starters.has(name) ? baseName(args[at] ?? '') : name;
  const plain = started.replace(/@[^@]*$/, '');
  const agent = knownAgents.find(({ programs }) => programs.includes(plain));
  return agent && { agent, before: at + 2 };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

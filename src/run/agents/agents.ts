/** The agents that dbguard knows by name. */
import type { Agent } from './agent.js';
import { claudeCode } from './claude-code.js';
import { codex } from './codex.js';
import { gemini } from './gemini.js';
import { opencode } from './opencode.js';

const agents: readonly Agent[] = [claudeCode, codex, gemini, opencode];

/** Programs that start another one by its package's name. */
const starters: ReadonlySet<string> = new Set(['npx', 'bunx', 'pnpx', 'uvx']);

/** The agent that a command starts; undefined for any other program. */
export function agentOf(command: readonly string[]): Agent | undefined {
  const [program = '', ...args] = command;
  const name = baseName(program);
  const started = starters.has(name) ? baseName(args.find((arg) => !arg.startsWith('-')) ?? '') : name;
  const plain = started.replace(/@[^@]*$/, '');
  return agents.find(({ programs }) => programs.includes(plain));
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

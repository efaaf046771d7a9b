/**
 * What a known agent is told for this run: put together from its adapter, written where it can read it, gone with the run.
 *
 * What lives here: files and folders. What it must not know: any one agent.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { socketsIn } from '../../io/fence/look.js';
import { agentOf } from '../../run/agents/agents.js';
import { agentPlaces } from '../../run/fence/agent-places.js';
import { agentInstructions, agentInstructionsTitle } from '../../run/instructions.js';
import type { CommandContext } from '../command.js';
import { homeOf } from './fence.js';

export interface ToldCommand {
  readonly command: readonly [string, ...string[]];
  readonly env: Record<string, string>;
}

/** Where agents look for what a project has to say. */
const instructionFiles = ['AGENTS.md', 'CLAUDE.md', 'GEMINI.md', 'CONVENTIONS.md'];

/** @param socketDir private, readable for the child, removed when the proxy ends */
export function tellAgent(context: CommandContext, { command, env }: ToldCommand, socketDir: string): ToldCommand {
  const started = agentOf(command);
  if (started === undefined) return { command, env };
  const { agent, before } = started;
  const folder = join(socketDir, 'agent');
  const places = agentPlaces(agent, homeOf(context), env);
  const {
    args,
    env: more,
    files,
  } = agent.forRun({
    args: command.slice(before),
    env,
    instructions: knowsAlready(context.cwd) ? '' : agentInstructions,
    folder,
    daemon: socketsIn(places.doors).length > 0,
    read: (path) => textOf(resolve(context.cwd, path)),
  });
  if (files !== undefined) mkdirSync(folder, { mode: 0o700 });
  for (const [name, text] of Object.entries(files ?? {})) writeFileSync(join(folder, name), text, { mode: 0o600 });
  const [program, ...rest] = [...command.slice(0, before), ...args];
  return { command: [program ?? command[0], ...rest], env: { ...env, ...more } };
}

/** The person has put the same text into a file that the agent reads. */
function knowsAlready(cwd: string): boolean {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (instructionFiles.some((name) => textOf(join(folder, name))?.includes(agentInstructionsTitle))) return true;
    if (folder === dirname(folder)) return false;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

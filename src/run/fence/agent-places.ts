/** Where an agent's own folder lies, with the variables that move it. */
import type { Agent } from '../agents/agent.js';
import { within } from './paths.js';

export interface AgentPlaces {
  readonly folders: readonly string[];
  readonly files: readonly string[];
  /** What in them leads to processes outside. */
  readonly doors: readonly string[];
}

export function agentPlaces(
  agent: Agent | undefined,
  home: string,
  env: Readonly<Record<string, string | undefined>>,
): AgentPlaces {
  if (agent === undefined) return { folders: [], files: [], doors: [] };
  const moved = agent.folderVariable === undefined ? undefined : env[agent.folderVariable];
  const [own, ...others] = agent.folders.map((name) => within(home, name));
  const first = moved?.startsWith('/') ? moved : own;
  const folders = [...(first === undefined ? [] : [first]), ...others];
  return {
    folders,
    files: (agent.files ?? []).map((name) => within(home, name)),
    doors: first === undefined ? [] : (agent.doors ?? []).map((name) => within(first, name)),
  };
}

/**
 * What a known agent is told for this run: put together from its adapter, written where it can read it, gone with the run.
 *
 * What lives here: files and folders. What it must not know: any one agent.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { socketsIn } from '../../io/fence/look.js';
import type { Agent } from '../../run/agents/agent.js';
import { agentOf } from '../../run/agents/agents.js';
import { type SettledServer, settleServer } from '../../run/agents/mcp-servers.js';
import { agentPlaces } from '../../run/fence/agent-places.js';
import { agentInstructions, agentInstructionsTitle } from '../../run/instructions.js';
import { singleLine } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { ownProgram } from '../own-program.js';
import { homeOf } from './fence.js';
import type { Guard } from './guard.js';

export interface ToldCommand {
  readonly command: readonly [string, ...string[]];
  readonly env: Record<string, string>;
}

/** Where agents look for what a project has to say. */
const instructionFiles = ['AGENTS.md', 'CLAUDE.md', 'GEMINI.md', 'CONVENTIONS.md'];

export interface ToldAgent extends ToldCommand {
  /** Files that stand in the place of others, in a fence. */
  readonly replaced: readonly { readonly from: string; readonly at: string }[];
  /** See SettingsForRun. */
  readonly ownFence: string | undefined;
  /** For the person, one line each. */
  readonly words: readonly string[];
}

export function tellAgent(
  context: CommandContext,
  { command, env }: ToldCommand,
  guard: Guard,
  fences: { readonly guardsNetwork: boolean; readonly unasked: readonly string[] },
): ToldAgent {
  const started = agentOf(command);
  if (started === undefined) return { command, env, replaced: [], words: [], ownFence: undefined };
  const { socketDir } = guard.address;
  const { agent, before } = started;
  const folder = join(socketDir, 'agent');
  const places = agentPlaces(agent, homeOf(context), env);
  const servers = ownServers(context, agent, env, places.folders[0] ?? homeOf(context), guard);
  const {
    args,
    env: more,
    files,
    replaced = {},
    ownFence,
  } = agent.forRun({
    args: command.slice(before),
    env,
    servers,
    guardedNetwork: fences.guardsNetwork,
    unasked: fences.unasked,
    hook: guard.address.hooks === undefined ? undefined : `${shellQuoted(ownProgram())} hook`,
    instructions: knowsAlready(context.cwd) ? '' : agentInstructions,
    folder,
    daemon: socketsIn(places.doors).length > 0,
    read: (path) => textOf(resolve(context.cwd, path)),
  });
  const copies = Object.entries(replaced).map(([at, text], index) => ({ at, name: `${index}-${basename(at)}`, text }));
  if (files !== undefined || copies.length > 0) mkdirSync(folder, { mode: 0o700 });
  for (const [name, text] of Object.entries(files ?? {})) writeFileSync(join(folder, name), text, { mode: 0o600 });
  for (const { name, text } of copies) writeFileSync(join(folder, name), text, { mode: 0o600 });
  const [program, ...rest] = [...command.slice(0, before), ...args];
  return {
    command: [program ?? command[0], ...rest],
    env: { ...env, ...more },
    replaced: copies.map(({ at, name }) => ({ from: join(folder, name), at })),
    words: servers.map(serverWords),
    ownFence,
  };
}

function ownServers(
  context: CommandContext,
  agent: Agent,
  env: Readonly<Record<string, string>>,
  folder: string,
  { address, fence }: Guard,
): SettledServer[] {
  const found =
    agent.servers?.({ folder, home: homeOf(context), cwd: context.cwd, env, read: textOf, list: namesIn }) ?? [];
  // of the same name only the last one is started
  const last = [...new Map(found.map((server) => [`${server.plugin ?? ''}/${server.name}`, server])).values()];
  return last.flatMap((server) => settleServer(server, { address, servers: fence.databases }) ?? []);
}

function serverWords(server: SettledServer): string {
  const name = `dbguard: the MCP server ${singleLine(server.name, 60)} (${singleLine(server.file, 120)})`;
  return server.outcome === 'pointed'
    ? `${name} had a connection of its own; in this run it goes through dbguard`
    : `${name} is not started: ${singleLine(server.why, 200)}`;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
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

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

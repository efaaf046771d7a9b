/**
 * The fence of `dbguard run`: wanted or not, possible or not, and put together from settings, flags and the machine.
 *
 * What lives here: that decision, and its words. What it must not know: bubblewrap's and seatbelt's languages.
 */
import { homedir } from 'node:os';
import { delimiter, resolve } from 'node:path';
import { DbguardError } from '../../errors.js';
import { type FenceProgram, findFenceProgram } from '../../io/fence/fence-program.js';
import { gitFoldersOf, lookAt, makeAgentFolders, projectOf, socketsIn } from '../../io/fence/look.js';
import { findProgram } from '../../io/terminal/child-program.js';
import type { Fence } from '../../io/terminal/job-shell.js';
import type { SandboxUse } from '../../policy/read-sandbox.js';
import { agentOf } from '../../run/agents/agents.js';
import { agentPlaces } from '../../run/fence/agent-places.js';
import { fencedEnvironment } from '../../run/fence/environment.js';
import { bubblewrapArguments } from '../../run/fence/linux.js';
import { seatbeltArguments } from '../../run/fence/macos.js';
import { within } from '../../run/fence/paths.js';
import { type FencePlan, planFence } from '../../run/fence/plan.js';
import type { Obstacle } from '../../run/fence/why-not.js';
import { singleLine } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import type { Guard } from './guard.js';

export interface FencedRun {
  readonly fence: Fence | undefined;
  /** Of the child. */
  readonly env: Record<string, string>;
  /** For the person, one line without its end; undefined where nobody asked for a fence. */
  readonly words: string | undefined;
}

export interface FencedCommand {
  readonly command: readonly [string, ...string[]];
  /** Of a child without a fence. */
  readonly env: Readonly<Record<string, string>>;
}

/** `--sandbox`, `--no-sandbox`; undefined where neither was given. */
export type SandboxFlag = boolean | undefined;

/** Throws DbguardError `child-failed` where a fence is required and cannot be had, `usage` where it would open too much. */
export async function openFence(
  context: CommandContext,
  guard: Guard,
  { command, env }: FencedCommand,
  flag: SandboxFlag,
): Promise<FencedRun> {
  const use = whetherFenced(guard.fence.sandbox.use, flag);
  if (use === 'off') return { fence: undefined, env: { ...env }, words: undefined };
  const found = await findFenceProgram(context.env);
  if ('obstacle' in found) {
    if (use === 'required') throw required(found.obstacle);
    const { why, hint } = found.obstacle;
    return { fence: undefined, env: { ...env }, words: `dbguard: no fence: ${why}\n  ${hint}` };
  }
  const { plan, project } = planOf(context, guard, command, env, found.system);
  const fenced = fencedEnvironment(env, plan);
  return {
    fence: fenceOf(found, plan, guard.address.socketDir),
    env: { ...fenced.env, ...(found.system === 'mac' ? { TMPDIR: '/tmp' } : {}) },
    words: `dbguard: in a fence: it changes ${singleLine(shown(project, homeOf(context)), 200)}, and reaches no key, socket or process of yours`,
  };
}

function whetherFenced(said: SandboxUse = 'off', flag: SandboxFlag): SandboxUse {
  if (flag === true) return 'required';
  if (flag !== false) return said;
  if (said !== 'required') return 'off';
  throw new DbguardError('usage', 'a dbguard.yaml requires the fence (sandbox: required)', {
    hint: 'Run it without --no-sandbox. Whoever wrote that file decides: organisation.yaml, your own dbguard.yaml, or the repository’s.',
  });
}

function required({ why, hint }: Obstacle): DbguardError {
  return new DbguardError('child-failed', `the fence that this run requires cannot be built: ${why}`, { hint });
}

function planOf(
  context: CommandContext,
  guard: Guard,
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
  system: 'linux' | 'mac',
): { readonly plan: FencePlan; readonly project: string } {
  const home = homeOf(context);
  const cwd = lookAt(context.cwd)?.real ?? context.cwd;
  const project = projectOf(cwd, lookAt(home)?.real ?? home);
  const agent = agentPlaces(agentOf(command)?.agent, home, env);
  makeAgentFolders(agent.folders);
  const opened = (paths: readonly string[]): string[] =>
    paths.map((path) => (path.startsWith('~/') ? within(home, path.slice(2)) : path));
  const { sandbox, settled, closed } = guard.fence;
  const plan = planFence(
    {
      system,
      home,
      cwd,
      project,
      gitFolders: gitFoldersOf(project),
      program: findProgram(command[0], env, context.cwd),
      searched: [env.PATH, env.NODE_PATH, env.PYTHONPATH].flatMap((list) => list?.split(delimiter) ?? []),
      agent,
      sockets: socketsIn(agent.folders),
      opened: { read: opened(sandbox.read), write: opened(sandbox.write) },
      settled: settled.map((path) => resolve(path)),
      closed: closed.map((path) => resolve(context.cwd, path)),
      socketDir: guard.address.socketDir,
    },
    lookAt,
  );
  return { plan, project };
}

/** The plan as the command that this machine has for it. */
export function fenceOf(found: Extract<FenceProgram, { path: string }>, plan: FencePlan, socketDir: string): Fence {
  const { system, path } = found;
  return {
    ownProcesses: system === 'linux',
    around: ({ program, args }, terminal) => {
      const before = system === 'linux' ? bubblewrapArguments({ plan, terminal }) : seatbeltArguments(plan, socketDir);
      return { program: path, args: [...before, program, ...args] };
    },
  };
}

export function homeOf({ env }: CommandContext): string {
  return env.HOME || homedir();
}

function shown(path: string, home: string): string {
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

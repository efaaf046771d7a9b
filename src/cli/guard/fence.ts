/**
 * The fence of `dbguard run`: wanted or not, possible or not, and put together from settings, flags and the machine.
 *
 * What lives here: that decision, and its words. What it must not know: bubblewrap's and seatbelt's languages.
 */
import { homedir } from 'node:os';
import { delimiter, resolve } from 'node:path';
import { DbguardError } from '../../errors.js';
import { type EnclosedNetwork, encloseNetwork } from '../../io/fence/enclosed-network.js';
import { type FenceProgram, findFenceProgram } from '../../io/fence/fence-program.js';
import { gitFoldersOf, lookAt, makeAgentFolders, projectOf, socketsIn } from '../../io/fence/look.js';
import { findProgram } from '../../io/terminal/child-program.js';
import type { Fence } from '../../io/terminal/job-shell.js';
import type { SandboxConfig, SandboxNetwork, SandboxUse } from '../../policy/read-sandbox.js';
import type { Asker } from '../../proxy/statement/asker.js';
import { agentOf } from '../../run/agents/agents.js';
import { agentPlaces } from '../../run/fence/agent-places.js';
import { fencedEnvironment, outsideNetwork } from '../../run/fence/environment.js';
import { bubblewrapArguments } from '../../run/fence/linux.js';
import { seatbeltArguments } from '../../run/fence/macos.js';
import { within } from '../../run/fence/paths.js';
import { type FencePlan, type FenceRequest, planFence } from '../../run/fence/plan.js';
import type { Obstacle } from '../../run/fence/why-not.js';
import { singleLine } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { ownProgram } from '../own-program.js';
import { type FenceNetwork, openFenceNetwork } from './fence-network.js';
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
  /** Files of the child's view; see FenceRequest. */
  readonly replaced: FenceRequest['replaced'];
  /** The command in words, without secrets. */
  readonly words: string;
  readonly asker: Asker;
  readonly endSession: () => void;
}

export interface FenceFlags {
  /** `--sandbox`, `--no-sandbox`; undefined where neither was given. */
  readonly sandbox: boolean | undefined;
  /** `--network`. */
  readonly network: SandboxNetwork | undefined;
}

type Program = Extract<FenceProgram, { path: string }>;

export class FenceMaker {
  readonly #context: CommandContext;
  readonly #flags: FenceFlags;
  #wanted: Wanted = { use: 'off', network: 'shared' };
  #unasked: readonly string[] = [];
  #found: Promise<FenceProgram> | undefined;
  #network: Promise<EnclosedNetwork | DbguardError> | undefined;
  #opened: FenceNetwork | undefined;

  constructor(context: CommandContext, flags: FenceFlags) {
    this.#context = context;
    this.#flags = flags;
  }

  /** Known once it has begun. */
  get guardsNetwork(): boolean {
    return this.#wanted.use !== 'off' && this.#wanted.network === 'guarded';
  }

  /** What its agent starts without a question: nothing where it may come to run without a fence. */
  get unasked(): readonly string[] {
    return this.#wanted.use === 'required' || this.guardsNetwork ? this.#unasked : [];
  }

  /** Looks what the machine can while the guard opens. Throws DbguardError `usage` for flags that a file forbids. */
  begin(sandbox: SandboxConfig): void {
    this.#wanted = wanted(sandbox, this.#flags);
    this.#unasked = sandbox.unasked;
    if (this.#wanted.use === 'off') return;
    this.#found = findFenceProgram(this.#context.env);
    if (this.#wanted.network === 'guarded') this.#network = this.#found.then(networkOf);
  }

  /** Throws DbguardError `child-failed` where a fence is required and cannot be had, `usage` where it would open too much. */
  async open(guard: Guard, asked: FencedCommand): Promise<FencedRun> {
    const { command, env } = asked;
    const found = await this.#found;
    if (found === undefined || 'obstacle' in found) refuseReplaced(asked);
    if (found === undefined) return { fence: undefined, env: { ...env }, words: undefined };
    if ('obstacle' in found) {
      if (this.#wanted.use === 'required') throw required(found.obstacle);
      const { why, hint } = found.obstacle;
      return { fence: undefined, env: { ...env }, words: `dbguard: no fence: ${why}\n  ${hint}` };
    }
    const network = await this.#network;
    if (network instanceof DbguardError) throw network;
    const home = homeOf(this.#context);
    const cwd = lookAt(this.#context.cwd)?.real ?? this.#context.cwd;
    const project = projectOf(cwd, lookAt(home)?.real ?? home);
    if (network) {
      const agent = agentOf(command)?.agent;
      this.#opened = await openFenceNetwork(this.#context, guard, network, { ...asked, agent, project });
    }
    const replaced = [...asked.replaced, ...(this.#opened?.replaced ?? [])];
    const plan = this.#plan(guard, asked, found.system, { cwd, project, replaced });
    if (plan instanceof DbguardError) {
      refuseReplaced(asked);
      return {
        fence: undefined,
        env: { ...env },
        words: `dbguard: no fence here: ${plan.message}\n  ${plan.hint ?? ''}`,
      };
    }
    const fenced = fencedEnvironment(env, plan);
    const open = network ? withoutNetwork(fenced.env, this.#opened?.env ?? {}) : fenced.env;
    const leaves = network
      ? 'reaches the database, the hosts on its list, and nothing else of yours'
      : 'reaches no key, socket or process of yours';
    return {
      fence: fenceOf(found, plan, guard.address.socketDir, network),
      env: { ...open, ...(found.system === 'mac' ? { TMPDIR: '/tmp' } : {}) },
      words: `dbguard: in a fence: it changes ${singleLine(shown(project, home), 200)}, and ${leaves}`,
    };
  }

  /** Where it is not required, a folder that cannot be fenced is no reason not to start. */
  #plan(...asked: PlanAsked): FencePlan | DbguardError {
    try {
      return planOf(this.#context, ...asked);
    } catch (error) {
      if (error instanceof DbguardError && this.#wanted.use === 'on' && this.#wanted.network === 'shared') return error;
      throw error;
    }
  }

  close(): void {
    this.#opened?.close();
    void this.#network?.then((network) => {
      if (!(network instanceof DbguardError)) network.close();
    });
  }
}

interface Wanted {
  readonly use: SandboxUse;
  readonly network: SandboxNetwork;
}

function wanted(said: SandboxConfig, flags: FenceFlags): Wanted {
  if (flags.network === 'shared' && said.network === 'guarded') {
    throw new DbguardError('usage', 'a dbguard.yaml wants the fence’s network guarded (sandbox.network: guarded)', {
      hint: 'Run it without --network shared. Whoever wrote that file decides: organisation.yaml, your own dbguard.yaml, or the repository’s.',
    });
  }
  const network = flags.network ?? said.network ?? 'shared';
  if (flags.network === 'guarded' && flags.sandbox === false) {
    throw new DbguardError('usage', '--network guarded needs the fence', { hint: 'Run it without --no-sandbox.' });
  }
  return { use: whetherFenced(said.use, flags.network === 'guarded' ? true : flags.sandbox), network };
}

async function networkOf(found: FenceProgram): Promise<EnclosedNetwork | DbguardError> {
  if ('obstacle' in found) return required(found.obstacle);
  try {
    if (found.system === 'linux') return await encloseNetwork(found.path);
    return new DbguardError('child-failed', 'a fence has no network of its own on this system', {
      hint: 'Leave sandbox.network away, or say shared: only Linux has network namespaces.',
    });
  } catch (error) {
    if (error instanceof DbguardError) return error;
    throw error;
  }
}

function withoutNetwork(
  env: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  return { ...Object.fromEntries(Object.entries(env).filter(([name]) => !outsideNetwork.test(name))), ...own };
}

/** Its profile for macOS has not been tried on a Mac: there it is for who asks for it. */
const byDefault: SandboxUse = process.platform === 'linux' ? 'on' : 'off';

function whetherFenced(said: SandboxUse = byDefault, flag: boolean | undefined): SandboxUse {
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

type PlanAsked = [
  guard: Guard,
  asked: FencedCommand,
  system: 'linux' | 'mac',
  where: Pick<FenceRequest, 'cwd' | 'project' | 'replaced'>,
];

function planOf(
  context: CommandContext,
  guard: Guard,
  { command, env }: FencedCommand,
  system: 'linux' | 'mac',
  { cwd, project, replaced }: Pick<FenceRequest, 'cwd' | 'project' | 'replaced'>,
): FencePlan {
  const home = homeOf(context);
  const agent = agentPlaces(agentOf(command)?.agent, home, env);
  makeAgentFolders(agent.folders);
  const opened = (paths: readonly string[]): string[] =>
    paths.map((path) => (path.startsWith('~/') ? within(home, path.slice(2)) : path));
  const { sandbox, settled, closed } = guard.fence;
  return planFence(
    {
      system,
      home,
      cwd,
      project,
      replaced,
      gitFolders: gitFoldersOf(project),
      own: ownProgram(),
      program: findProgram(command[0], env, context.cwd),
      named: command
        .slice(1)
        .flatMap((word) => (word.startsWith('-') || word === '' ? [] : [resolve(context.cwd, word)])),
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
}

function refuseReplaced({ replaced }: FencedCommand): void {
  const [first] = replaced;
  if (first === undefined) return;
  throw new DbguardError('usage', `${first.at} starts an MCP server with a connection of its own, around dbguard`, {
    hint: 'In a fence it is started otherwise: dbguard run --sandbox. Or take its connection out of that file.',
  });
}

/** The plan as the command that this machine has for it. */
export function fenceOf(
  { system, path }: Program,
  plan: FencePlan,
  socketDir: string,
  network?: EnclosedNetwork,
): Fence {
  return {
    ownProcesses: system === 'linux',
    around: ({ program, args }, terminal) => {
      const before = system === 'linux' ? bubblewrapArguments({ plan, terminal }) : seatbeltArguments(plan, socketDir);
      const fence = { program: path, args: [...before, program, ...args] };
      if (network === undefined) return fence;
      const { join } = network;
      return { program: join.program, args: [...join.args, fence.program, ...fence.args] };
    },
  };
}

export function homeOf({ env }: CommandContext): string {
  return env.HOME || homedir();
}

function shown(path: string, home: string): string {
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

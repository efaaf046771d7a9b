/** The fence, the agents that are installed, and servers of theirs that would go around dbguard. */
import { readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findFenceProgram } from '../../../io/fence/fence-program.js';
import { findProgram } from '../../../io/terminal/child-program.js';
import { knownAgents } from '../../../run/agents/agents.js';
import { settleServer } from '../../../run/agents/mcp-servers.js';
import { agentPlaces } from '../../../run/fence/agent-places.js';
import { singleLine } from '../../../untrusted-text.js';
import { homeOf } from '../../guard/fence.js';
import { type Check, failure, type Line, ok, type World, warning } from '../check.js';

export const fence: Check = {
  name: 'fence',
  async run({ context, settings }) {
    const { sandbox } = settings().config;
    const found = await findFenceProgram(context.env);
    if ('path' in found)
      return [
        ok(`${found.path} works: agents start in it${sandbox.use === 'off' ? ', but sandbox is off in a file' : ''}`),
      ];
    const { why, hint } = found.obstacle;
    const text = `none: ${why}. The agent is a process of yours, and reads what you can read`;
    return [
      sandbox.use === 'required' ? failure(`${text}; a file requires it, so nothing runs`, hint) : warning(text, hint),
    ];
  },
};

export const agents: Check = {
  name: 'agents',
  async run({ context }) {
    const lines = knownAgents.flatMap(({ programs }): Line[] => {
      const name = programs.find((one) => isThere(one, context));
      return name === undefined ? [] : [ok(`${name}: dbguard run -- ${name}`)];
    });
    if (lines.length > 0) return lines;
    return [
      warning(
        'none that dbguard knows by name is on PATH; any program can be run',
        'dbguard run -- PROGRAM, or dbguard run -- npx PACKAGE',
      ),
    ];
  },
};

export const mcpServers: Check = {
  name: 'mcp servers',
  async run({ context }) {
    const { cwd } = context;
    const env = Object.fromEntries(Object.entries(context.env).map(([name, value = '']) => [name, value]));
    const home = homeOf(context);
    // none of them is the guarded database: each with a connection of its own is told
    const place = {
      address: { host: '', port: 0, user: '', password: '', database: '', socketDir: '', libpqHost: '', further: [] },
      servers: [],
    };
    const lines = knownAgents.flatMap((agent): Line[] => {
      const [folder = home] = agentPlaces(agent, home, env).folders;
      const servers = agent.servers?.({ folder, home, cwd, env, read: textOf, list: namesIn }) ?? [];
      return servers.flatMap((server) =>
        settleServer(server, place) === undefined
          ? []
          : [
              warning(
                `${singleLine(server.name, 60)} (${singleLine(server.file, 120)}) has a connection of its own; "dbguard run" points it at the proxy or does not start it, another start goes around dbguard`,
                'Put "dbguard mcp" in its place',
              ),
            ],
      );
    });
    return lines.length > 0 ? lines : [ok('none with a connection of its own')];
  },
};

function isThere(name: string, { env, cwd }: World['context']): boolean {
  if ((env.PATH ?? '').split(delimiter).every((folder) => folder === '')) return false;
  try {
    findProgram(name, env, cwd);
    return true;
  } catch {
    return false;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(join(folder));
  } catch {
    return [];
  }
}

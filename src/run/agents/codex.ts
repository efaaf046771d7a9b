import { parse } from 'smol-toml';
import type { Agent } from './agent.js';
import type { JsonObject } from './json-settings.js';
import { foldersDownTo, serversIn } from './mcp-files.js';
import { commandForRun, type SettledServer } from './mcp-servers.js';

/** OpenAI Codex. */
export const codex: Agent = {
  programs: ['codex'],
  folderVariable: 'CODEX_HOME',
  folders: ['.codex'],
  // a plain `codex` leaves an app server behind, and later ones hand their commands to it
  doors: ['app-server-control', 'app-server-daemon'],
  hosts: ['*.openai.com', 'chatgpt.com', '*.chatgpt.com'],
  urlVariables: ['OPENAI_BASE_URL', 'CODEX_OSS_BASE_URL'],
  servers: ({ folder, cwd, read }) =>
    [folder, ...foldersDownTo(cwd).map((path) => `${path}/.codex`)].flatMap((path) => {
      const file = `${path}/config.toml`;
      return serversIn(tables(read(file) ?? '')?.mcp_servers, file);
    }),
  forRun: ({ args, instructions, servers, guardedNetwork, daemon }) => ({
    args: [
      // versions without a daemon do not know the option
      ...(daemon ? ['--no-daemon'] : []),
      ...(instructions === '' ? [] : set('developer_instructions', instructions)),
      ...servers.flatMap(setServer),
      ...(guardedNetwork ? ['-c', openNetwork, '-c', 'check_for_update_on_startup=false'] : []),
      ...args,
    ],
    ...(guardedNetwork || ownFenceOff(args) ? {} : { ownFence }),
  }),
};

/** Undefined for what cannot be read. */
function tables(text: string): JsonObject | undefined {
  try {
    // a number that is too long for JavaScript hides no server
    return parse(text, { integersAsBigInt: 'asNeeded' });
  } catch {
    return undefined;
  }
}

const openNetwork = 'sandbox_workspace_write.network_access=true';

const ownFence = `Codex's own sandbox lets its commands connect to nothing. Allow it for this run: codex -s workspace-write -c ${openNetwork}. In a fence with a network of its own (dbguard run --network guarded) dbguard does that, and it opens nothing else.`;

function ownFenceOff(args: readonly string[]): boolean {
  return /danger|yolo|network_access\s*=\s*true/.test(args.join(' '));
}

/** A JSON string without DEL is a TOML string (toml.io, "String"). */
function set(key: string, value: string): string[] {
  return ['-c', `${key}=${JSON.stringify(value)}`];
}

/** Command, arguments and variables, each over what stands in the file. */
function setServer(server: SettledServer): string[] {
  const [command, ...args] = commandForRun(server);
  const at = `mcp_servers.${/^[\w-]+$/.test(server.name) ? server.name : JSON.stringify(server.name)}`;
  const env = server.outcome === 'refused' ? [] : Object.entries(server.env);
  const variables = env.map(([name, value]) => `${JSON.stringify(name)}=${JSON.stringify(value)}`);
  return [
    ...set(`${at}.command`, command),
    ...['-c', `${at}.args=${JSON.stringify(args)}`],
    ...['-c', `${at}.env={${variables.join(',')}}`],
  ];
}

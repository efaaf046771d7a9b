import type { Agent } from './agent.js';
import { opencodePlugin } from './hooks.js';
import { type JsonObject, jsonObject, merged } from './json-settings.js';
import { foldersDownTo, isRecord, serversIn, serversOfFile } from './mcp-files.js';
import { commandForRun, type SettledServer } from './mcp-servers.js';

const variable = 'OPENCODE_CONFIG_CONTENT';

/** opencode keeps to the XDG folders. */
export const opencode: Agent = {
  programs: ['opencode', 'opencode-ai'],
  folders: ['.config/opencode', '.local/share/opencode', '.local/state/opencode', '.cache/opencode'],
  hosts: [
    'opencode.ai',
    '*.opencode.ai',
    'models.dev',
    'api.anthropic.com',
    'api.openai.com',
    'generativelanguage.googleapis.com',
    'openrouter.ai',
  ],
  urlVariables: ['ANTHROPIC_BASE_URL', 'OPENAI_BASE_URL'],
  servers: ({ folder, cwd, env, read }) => {
    const names = ['config.json', 'opencode.json', 'opencode.jsonc'];
    const own = names.map((name) => `${folder}/${name}`);
    const project = foldersDownTo(cwd).flatMap((path) =>
      ['', '/.opencode'].flatMap((inner) => names.slice(1).map((name) => `${path}${inner}/${name}`)),
    );
    const files = [...own, ...(env.OPENCODE_CONFIG ? [env.OPENCODE_CONFIG] : []), ...project];
    return [
      ...files.flatMap((file) => serversOfFile(read, file, 'mcp')),
      ...serversIn(jsonObject(env[variable] ?? '')?.mcp, variable),
    ];
  },
  forRun: ({ args, env, instructions, hook, folder, servers, guardedNetwork }) => {
    const own = withoutServers(jsonObject(env[variable] ?? '') ?? {}, servers);
    const settings = merged(own, {
      instructions: [`${folder}/instructions.md`],
      ...(guardedNetwork ? { autoupdate: false } : {}),
      ...(hook === undefined ? {} : { plugin: [`file://${folder}/hooks.js`] }),
      ...(servers.length === 0 ? {} : { mcp: Object.fromEntries(servers.map(started)) }),
    });
    return {
      args,
      env: { [variable]: JSON.stringify(settings) },
      files: { 'instructions.md': instructions, ...(hook === undefined ? {} : { 'hooks.js': opencodePlugin }) },
    };
  },
};

function started(server: SettledServer): [string, unknown] {
  const environment = server.outcome === 'refused' ? {} : server.env;
  return [server.name, { type: 'local', command: commandForRun(server), environment }];
}

/** Lists follow each other where settings are merged: a command has to stand alone. */
function withoutServers(settings: JsonObject, servers: readonly SettledServer[]): JsonObject {
  const { mcp } = settings;
  if (!isRecord(mcp)) return settings;
  const names = new Set(servers.map(({ name }) => name));
  return { ...settings, mcp: Object.fromEntries(Object.entries(mcp).filter(([name]) => !names.has(name))) };
}

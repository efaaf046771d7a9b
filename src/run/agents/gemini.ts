import type { Agent } from './agent.js';
import { geminiContext, geminiHooks, geminiInstructions } from './hooks.js';
import { jsonObject, merged } from './json-settings.js';
import { foldersDownTo, serversOfFile } from './mcp-files.js';
import { commandForRun, type SettledServer } from './mcp-servers.js';

const variable = 'GEMINI_CLI_SYSTEM_SETTINGS_PATH';
const usual = '/etc/gemini-cli/settings.json';

/** Gemini CLI. Its system settings stand over all others: a copy with ours takes their place. */
export const gemini: Agent = {
  programs: ['gemini', 'gemini-cli'],
  folders: ['.gemini'],
  hosts: [
    'generativelanguage.googleapis.com',
    'cloudcode-pa.googleapis.com',
    'oauth2.googleapis.com',
    'accounts.google.com',
    'www.googleapis.com',
    'play.googleapis.com',
    'aiplatform.googleapis.com',
    '*.aiplatform.googleapis.com',
  ],
  urlVariables: ['GOOGLE_GEMINI_BASE_URL', 'GOOGLE_VERTEX_BASE_URL'],
  servers: ({ home, cwd, env, read, list }) => {
    const extensions = `${home}/.gemini/extensions`;
    return [
      ...list(extensions).map((name) => `${extensions}/${name}/gemini-extension.json`),
      `${home}/.gemini/settings.json`,
      ...foldersDownTo(cwd).map((path) => `${path}/.gemini/settings.json`),
      env[variable] ?? usual,
    ].flatMap((file) => serversOfFile(read, file));
  },
  forRun: ({ args, env, instructions, hook, folder, servers, guardedNetwork, unasked, read }) => {
    const system = jsonObject(read(env[variable] ?? usual) ?? '') ?? {};
    const told = instructions === '' ? {} : { 'instructions.json': geminiContext(instructions) };
    const ours = {
      ...(servers.length === 0 ? {} : { mcpServers: Object.fromEntries(servers.map(started)) }),
      ...(unasked.length === 0 ? {} : { tools: { allowed: unasked.map((name) => `run_shell_command(${name})`) } }),
      ...(guardedNetwork ? { general: { enableAutoUpdate: false, enableAutoUpdateNotification: false } } : {}),
    };
    const starts = instructions === '' ? {} : geminiInstructions(`${folder}/instructions.json`);
    const settings = [ours, geminiHooks(hook), starts].reduce(merged, system);
    return {
      args,
      env: { [variable]: `${folder}/settings.json` },
      files: { 'settings.json': JSON.stringify(settings), ...told },
    };
  },
};

function started(server: SettledServer): [string, unknown] {
  const [command, ...args] = commandForRun(server);
  return [server.name, { command, args, env: server.outcome === 'refused' ? {} : server.env }];
}

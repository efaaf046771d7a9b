import type { Agent, Configuration } from './agent.js';
import { claudeHooks } from './hooks.js';
import { type JsonObject, jsonObject, merged } from './json-settings.js';
import { foldersDownTo, isRecord, serversIn, serversOfFile } from './mcp-files.js';
import { commandForRun, type McpServer, type SettledServer } from './mcp-servers.js';
import { type Taken, takeOption } from './options.js';

/** Claude Code; its `.claude.json` lies in the folder where CLAUDE_CONFIG_DIR names one. */
export const claudeCode: Agent = {
  programs: ['claude', 'claude-code'],
  folderVariable: 'CLAUDE_CONFIG_DIR',
  folders: ['.claude'],
  files: ['.claude.json'],
  // lock files with the port and the token of an editor, which runs code when it is told to
  doors: ['ide'],
  hosts: ['*.anthropic.com', 'claude.ai', '*.claude.ai', '*.claude.com', 'http-intake.logs.us5.datadoghq.com'],
  urlVariables: ['ANTHROPIC_BASE_URL', 'ANTHROPIC_BEDROCK_BASE_URL', 'ANTHROPIC_VERTEX_BASE_URL'],
  servers: (configuration) => [
    ...pluginServers(configuration),
    ...ownServers(configuration),
    ...projectServers(configuration),
  ],
  forRun: ({ args, instructions, hook, servers, guardedNetwork, unasked, env, read }) => {
    const prompt = takeOption(args, '--append-system-prompt');
    const settings = takeOption(prompt.rest, '--settings');
    // of an option given twice only the last one counts there
    const told = [...prompt.values.slice(-1), instructions].filter((text) => text !== '').join('\n\n');
    const plugins = servers.flatMap(({ plugin }) => (plugin === undefined ? [] : [[plugin, false]]));
    const withoutPlugins = plugins.length === 0 ? {} : { enabledPlugins: Object.fromEntries(plugins) };
    // its sandbox has a network of its own, too: what stays is the unix socket, and there is none in the fence but dbguard's
    const sockets = guardedNetwork ? { sandbox: { network: { allowAllUnixSockets: true } } } : {};
    const allowed = unasked.length === 0 ? {} : { permissions: { allow: unasked.map((name) => `Bash(${name}:*)`) } };
    const composed = [withoutPlugins, sockets, allowed, claudeHooks(hook)].reduce(merged, ownSettings(settings, read));
    const given = servers.filter(({ plugin }) => plugin === undefined);
    return {
      args: [
        // with "=": it would take the words behind it for further files
        ...(given.length === 0 ? [] : [`--mcp-config=${JSON.stringify({ mcpServers: byName(given) })}`]),
        ...(told === '' ? [] : ['--append-system-prompt', told]),
        ...(Object.keys(composed).length === 0 ? [] : ['--settings', JSON.stringify(composed)]),
        ...settings.rest,
      ],
      ...(guardedNetwork ? { env: { DISABLE_AUTOUPDATER: '1' } } : {}),
      ...(guardedNetwork || !fencesItself(env, read) ? {} : { ownFence }),
    };
  },
};

const ownFence =
  'Claude Code’s own sandbox lets its commands reach no port of this machine. Allow it the sockets, in .claude/settings.json: {"sandbox":{"network":{"allowAllUnixSockets":true}}}; psql and every driver that takes PGHOST goes through one.';

function fencesItself(env: Readonly<Record<string, string>>, read: (path: string) => string | undefined): boolean {
  const folder = env.CLAUDE_CONFIG_DIR ?? `${env.HOME ?? ''}/.claude`;
  const files = [`${folder}/settings.json`, '.claude/settings.json', '.claude/settings.local.json'];
  return files.some((file) => {
    const sandbox = jsonObject(read(file) ?? '')?.sandbox;
    return isRecord(sandbox) && sandbox.enabled === true;
  });
}

/** A file or the JSON itself; what is neither is left for the agent to complain about. */
function ownSettings({ values }: Taken, read: (path: string) => string | undefined): JsonObject {
  const given = values.at(-1);
  if (given === undefined) return {};
  return jsonObject(given) ?? jsonObject(read(given) ?? '') ?? {};
}

/** One given by name for a run counts over the same name of the user, the project and a plugin. */
function byName(servers: readonly SettledServer[]): JsonObject {
  return Object.fromEntries(
    servers.map((server) => {
      const [command, ...args] = commandForRun(server);
      return [server.name, { type: 'stdio', command, args, env: server.outcome === 'refused' ? {} : server.env }];
    }),
  );
}

/** Of the user, and of the user for this project. */
function ownServers({ folder, home, cwd, env, read }: Configuration): McpServer[] {
  const file = env.CLAUDE_CONFIG_DIR ? `${folder}/.claude.json` : `${home}/.claude.json`;
  const { mcpServers, projects } = jsonObject(read(file) ?? '') ?? {};
  const local = foldersDownTo(cwd).flatMap((path) => {
    const project = isRecord(projects) ? projects[path] : undefined;
    return isRecord(project) ? serversIn(project.mcpServers, file) : [];
  });
  return [...serversIn(mcpServers, file), ...local];
}

/** It asks before it starts a project's: what nobody has approved yet is not started by us either. */
function projectServers(configuration: Configuration): McpServer[] {
  const { cwd, read } = configuration;
  const approved = approvedOf(configuration);
  return foldersDownTo(cwd)
    .flatMap((folder) => serversOfFile(read, `${folder}/.mcp.json`))
    .map((server) => (approved === 'all' || approved.has(server.name) ? server : { ...server, unapproved: true }));
}

function approvedOf({ folder, home, cwd, env, read }: Configuration): 'all' | ReadonlySet<string> {
  const state = jsonObject(read(env.CLAUDE_CONFIG_DIR ? `${folder}/.claude.json` : `${home}/.claude.json`) ?? '');
  const projects = isRecord(state?.projects) ? state.projects : {};
  const settings = [
    ...foldersDownTo(cwd).map((path) => projects[path]),
    ...[`${folder}/settings.json`, `${cwd}/.claude/settings.local.json`].map((path) => jsonObject(read(path) ?? '')),
  ].filter(isRecord);
  if (settings.some((one) => one.enableAllProjectMcpServers === true)) return 'all';
  return new Set(
    settings.flatMap(({ enabledMcpjsonServers: names }) => (Array.isArray(names) ? names.map(String) : [])),
  );
}

function pluginServers({ folder, read }: Configuration): McpServer[] {
  const { plugins } = jsonObject(read(`${folder}/plugins/installed_plugins.json`) ?? '') ?? {};
  if (!isRecord(plugins)) return [];
  return Object.entries(plugins).flatMap(([plugin, installed]) =>
    [installed].flat().flatMap((one) => {
      const path = isRecord(one) && typeof one.installPath === 'string' ? one.installPath : undefined;
      if (path === undefined) return [];
      const manifest = `${path}/.claude-plugin/plugin.json`;
      const { mcpServers } = jsonObject(read(manifest) ?? '') ?? {};
      const named = typeof mcpServers === 'string' ? [`${path}/${mcpServers}`] : [];
      const files = [`${path}/.mcp.json`, ...named];
      const found = [
        ...serversIn(mcpServers, manifest),
        ...files.flatMap((file) => [...serversOfFile(read, file), ...serversIn(jsonObject(read(file) ?? ''), file)]),
      ];
      return found.map((server) => ({ ...server, plugin }));
    }),
  );
}

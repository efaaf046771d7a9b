import type { Agent, Configuration } from './agent.js';
import { jsonObject } from './json-settings.js';
import { isRecord, serversOfFile } from './mcp-files.js';
import { commandForRun } from './mcp-servers.js';

/**
 * Cursor's agent. It has no settings for one run: files with other servers stand in the place of its own, in a fence, and what it should
 * know comes with `dbguard instructions`.
 */
export const cursor: Agent = {
  programs: ['cursor-agent'],
  folderVariable: 'CURSOR_CONFIG_DIR',
  folders: ['.cursor', '.config/cursor', '.local/share/cursor-agent'],
  hosts: ['cursor.com', '*.cursor.com', '*.cursor.sh'],
  servers: (configuration) => filesOf(configuration).flatMap((file) => serversOfFile(configuration.read, file)),
  forRun: ({ args, servers, read }) => {
    const files = [...new Set(servers.map(({ file }) => file))];
    const replaced = files.map((file) => {
      const settings = jsonObject(read(file) ?? '') ?? {};
      const all = isRecord(settings.mcpServers) ? settings.mcpServers : {};
      const ours = servers.filter((server) => server.file === file);
      const changed = ours.map((server) => {
        const [command, ...list] = commandForRun(server);
        const before = isRecord(all[server.name]) ? all[server.name] : {};
        const env = server.outcome === 'refused' ? {} : server.env;
        return [server.name, { ...(before as object), command, args: list, env }];
      });
      return [file, JSON.stringify({ ...settings, mcpServers: { ...all, ...Object.fromEntries(changed) } })];
    });
    return replaced.length === 0 ? { args } : { args, replaced: Object.fromEntries(replaced) };
  },
};

function filesOf({ home, cwd }: Configuration): string[] {
  return [`${home}/.cursor/mcp.json`, `${cwd}/.cursor/mcp.json`];
}

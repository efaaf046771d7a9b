/** Servers in an agent's files, as most of them write them: `mcpServers` with `command`, `args` and `env` by name. */
import { type JsonObject, jsonObject } from './json-settings.js';
import type { McpServer } from './mcp-servers.js';

/** Those that are started; what is reached by a URL is no process of this run. */
export function serversIn(holder: unknown, file: string): McpServer[] {
  if (!isRecord(holder)) return [];
  return Object.entries(holder).flatMap(([name, value]) => {
    if (!isRecord(value)) return [];
    const { command, args, env, environment } = value;
    const words = [...(Array.isArray(command) ? command : [command]), ...(Array.isArray(args) ? args : [])];
    if (typeof words[0] !== 'string') return [];
    return [{ name, file, command: words.map(String), env: texts(env ?? environment) }];
  });
}

export function serversOfFile(
  read: (path: string) => string | undefined,
  file: string,
  key = 'mcpServers',
): McpServer[] {
  return serversIn(jsonObject(read(file) ?? '')?.[key], file);
}

/** From the root down to `cwd`. */
export function foldersDownTo(cwd: string): string[] {
  const parts = cwd.split('/').filter(Boolean);
  return ['', ...parts].map((_, count) => `/${parts.slice(0, count).join('/')}`.replace(/\/$/, ''));
}

export function isRecord(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function texts(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, String(one)]));
}

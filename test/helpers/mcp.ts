/** `dbguard mcp` with the SDK's own client in front of it, as an agent's only child or below an agent on a terminal of its own. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { Test } from 'tap';
import { dbguardProgram } from './repository.js';
import { Terminal } from './terminal.js';
import type { Workspace } from './workspace.js';

export interface Answered {
  readonly text: string;
  readonly failed: boolean;
}

export interface McpClient {
  readonly client: Client;
  call(tool: string, given?: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<Answered>;
  query(sql: string, more?: Readonly<Record<string, unknown>>): Promise<Answered>;
  /** What status says. */
  status(): Promise<{ readonly session: string; readonly waiting: readonly { readonly ticket: string }[] }>;
}

export interface PlainMcp extends McpClient {
  readonly pid: number;
  /** What it said to people. */
  stderr(): string;
  /** Its input ends; resolves when it has ended. */
  leave(): Promise<void>;
}

export async function startMcp(workspace: Workspace, args: readonly string[] = []): Promise<PlainMcp> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [dbguardProgram, 'mcp', ...args],
    cwd: workspace.project,
    // tap's loader, which comes with the environment, cannot read bin/dbguard
    env: { ...getDefaultEnvironment(), ...workspace.env },
    stderr: 'pipe',
  });
  let heard = '';
  transport.stderr?.on('data', (bytes) => {
    heard += String(bytes);
  });
  const client = await connected(transport);
  const ended = new Promise<void>((resolve) => {
    transport.stderr?.once('close', resolve);
  });
  return {
    ...asked(client),
    pid: transport.pid ?? 0,
    stderr: () => heard,
    async leave() {
      await client.close();
      await ended;
    },
  };
}

export interface McpAgent extends McpClient {
  /** The agent's own shell, on the agent's terminal. */
  runs(command: string): Promise<string>;
  /** Ends the input of `dbguard mcp`; resolves when that has ended. */
  leave(): Promise<void>;
}

/** An agent in a terminal window of its own, which has started `dbguard mcp` and can start more: the test is somebody else. */
export async function startMcpAgent(t: Test, workspace: Workspace, args: readonly string[] = []): Promise<McpAgent> {
  const [input, output] = [join(workspace.home, 'mcp-in'), join(workspace.home, 'mcp-out')];
  execFileSync('mkfifo', [input, output]);
  const dbguard = `env -u NODE_OPTIONS ${process.execPath} ${dbguardProgram}`;
  const loop = `dbguard() { ${dbguard} "$@"; }
    ${dbguard} mcp ${args.join(' ')} <${input} >${output} 2>${workspace.home}/mcp-err &
    while IFS= read -r line; do eval "$line"; done`;
  const agent = new Terminal('/bin/sh', ['-c', loop], { cwd: workspace.project, env: workspace.env });
  const [reader, writer] = [createReadStream(output), createWriteStream(input)];
  const ended = once(reader, 'close');
  const client = await connected(new StdioServerTransport(reader, writer));
  const leave = async (): Promise<void> => {
    await client.close();
    writer.end();
    reader.resume();
    await ended;
  };
  t.teardown(async () => {
    await leave();
    agent.kill();
    await agent.exit;
  });
  let commands = 0;
  return {
    ...asked(client),
    leave,
    async runs(command) {
      const file = join(workspace.home, `said-${++commands}`);
      agent.type(`{ ${command}; } >${file}.part 2>&1 </dev/null; mv ${file}.part ${file}\n`);
      for (const until = Date.now() + 60_000; !existsSync(file); ) {
        if (Date.now() > until) throw new Error(`the agent's shell does not answer:\n${agent.text()}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return readFileSync(file, 'utf8');
    },
  };
}

async function connected(transport: Parameters<Client['connect']>[0]): Promise<Client> {
  const client = new Client({ name: 'an agent', version: '1.0.0' });
  await client.connect(transport);
  return client;
}

function asked(client: Client): McpClient {
  const call: McpClient['call'] = async (name, given = {}, signal) => {
    const { content, isError } = await client.callTool(
      { name, arguments: { ...given } },
      undefined,
      signal && { signal },
    );
    const [first] = content as { readonly text: string }[];
    return { text: first?.text ?? '', failed: isError === true };
  };
  return {
    client,
    call,
    query: (sql, more = {}) => call('query', { sql, ...more }),
    status: async () => JSON.parse((await call('status')).text),
  };
}

/** The ticket that an answer hands out. */
export function ticketIn({ text }: Answered): string {
  return /"ticket": "([\w-]{20,})"/.exec(text)?.[1] ?? '';
}

/**
 * The MCP server: three tools, nothing else. No tool answers a question of dbguard's, and none reads or changes a setting.
 * Protocol: https://modelcontextprotocol.io/specification, "Tools" and "Cancellation". The official SDK speaks it, since its
 * revisions change every few months and clients negotiate among them; the low-level server, since the one above it writes its
 * own schemas, at several times the length.
 */

import type { Readable, Writable } from 'node:stream';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import {
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
} from '@modelcontextprotocol/sdk/types.js';
import { dbguardVersion } from '../version.js';
import { failure, type Said, troubleWords } from './answers.js';
import { ArgumentsError, instructions, tools } from './tools.js';

type ToolName = 'query' | 'explain' | 'status';

/** @param signal the client has cancelled the call */
export type Tool = (given: Readonly<Record<string, unknown>>, signal: AbortSignal) => Promise<Said>;

/** Answers on `stdout` what comes on `stdin`; resolves when the other side has left. */
export async function serve(
  { stdin, stdout }: { readonly stdin: Readable; readonly stdout: Writable },
  run: Readonly<Record<ToolName, Tool>>,
): Promise<void> {
  const server = new Server(
    { name: 'dbguard', version: dbguardVersion },
    { capabilities: { tools: {} }, instructions },
  );
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [...tools] }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }) => {
    const tool = Object.hasOwn(run, params.name) ? run[params.name as ToolName] : undefined;
    if (tool === undefined) {
      throw new McpError(
        ErrorCode.InvalidParams,
        `there is no tool ${params.name}: there are ${Object.keys(run).join(', ')}`,
      );
    }
    return resultOf(await said(tool, params.arguments ?? {}, signal));
  });
  const left = new Promise<void>((resolve) => {
    for (const event of ['end', 'close', 'error']) stdin.once(event, resolve);
    stdout.once('error', resolve);
  });
  await server.connect(new StdioServerTransport(stdin, stdout));
  await left;
  await server.close();
}

async function said(tool: Tool, given: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<Said> {
  try {
    return await tool(given, signal);
  } catch (error) {
    return error instanceof ArgumentsError ? failure(`Nothing ran: ${error.message}.`) : troubleWords(error);
  }
}

function resultOf({ text, failed }: Said): CallToolResult {
  return { content: [{ type: 'text', text }], ...(failed && { isError: true }) };
}

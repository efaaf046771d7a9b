/**
 * A scripted model behind the Messages API: on each turn it looks at the last tool result and says what to run next.
 * Real enough for an agent's CLI: server-sent events, one content block, a stop reason.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The next shell command, or the last words. */
export type Move = { readonly run: string } | { readonly say: string };

export interface ModelApi {
  readonly url: string;
  /** What the agent sent as results of its commands, in order. */
  readonly results: string[];
  close(): Promise<void>;
}

/** @param play is called with every result so far; its answer is the model's turn */
export async function startModelApi(play: (results: readonly string[]) => Move): Promise<ModelApi> {
  const results: string[] = [];
  const server = createServer((request, response) => {
    answer(request, response, results, play).catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    results,
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

interface Request {
  readonly stream?: boolean;
  readonly tools?: readonly { readonly name: string }[];
  readonly messages?: readonly { readonly content: string | readonly Block[] }[];
}

interface Block {
  readonly type: string;
  readonly tool_use_id?: string;
  readonly content?: string | readonly { readonly text?: string }[];
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  results: string[],
  play: (results: readonly string[]) => Move,
): Promise<void> {
  const body = await read(request);
  if (!request.url?.startsWith('/v1/messages') || request.url.includes('count_tokens')) {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"input_tokens":1,"data":[]}');
    return;
  }
  const { stream, tools = [], messages = [] }: Request = JSON.parse(body);
  // requests beside the conversation, for a title and the like, bring no shell
  const working = tools.some(({ name }) => name === 'Bash');
  if (working) results.splice(0, results.length, ...messages.flatMap(({ content }) => toolResults(content)));
  const move: Move = working ? play(results) : { say: 'fine' };
  const turn = messageOf(move, results.length);
  if (stream !== true) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(turn));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of eventsOf(turn)) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  response.end();
}

async function read(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  return body;
}

function toolResults(content: string | readonly Block[]): string[] {
  if (typeof content === 'string') return [];
  return content
    .filter(({ type }) => type === 'tool_result')
    .map((block) => {
      const text = block.content ?? '';
      return typeof text === 'string' ? text : text.map((part) => part.text ?? '').join('\n');
    });
}

interface Turn {
  readonly content: readonly Record<string, unknown>[];
  readonly stop_reason: string;
  readonly [field: string]: unknown;
}

function messageOf(move: Move, turn: number): Turn {
  const uses = 'run' in move;
  return {
    id: `msg_${turn}`,
    type: 'message',
    role: 'assistant',
    model: 'scripted',
    content: [
      uses
        ? { type: 'tool_use', id: `toolu_${turn}`, name: 'Bash', input: { command: move.run, description: 'as told' } }
        : { type: 'text', text: move.say },
    ],
    stop_reason: uses ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  };
}

/** "Streaming messages": a block starts empty, and its text or its input comes in deltas. */
function eventsOf(turn: Turn): { readonly type: string; readonly [field: string]: unknown }[] {
  const [block = {}] = turn.content;
  const text = block.type === 'text';
  const empty = text ? { ...block, text: '' } : { ...block, input: {} };
  const delta = text
    ? { type: 'text_delta', text: block.text }
    : { type: 'input_json_delta', partial_json: JSON.stringify(block.input) };
  return [
    { type: 'message_start', message: { ...turn, content: [], stop_reason: null } },
    { type: 'content_block_start', index: 0, content_block: empty },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: turn.stop_reason, stop_sequence: null },
      usage: { output_tokens: 1 },
    },
    { type: 'message_stop' },
  ];
}

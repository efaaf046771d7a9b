/**
 * A scripted model on loopback: on each turn it looks at the results of the commands so far and says what to run next.
 * It speaks what the agents' CLIs speak to their providers; see dialects.ts.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dialects } from './dialects.js';

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

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  results: string[],
  play: (results: readonly string[]) => Move,
): Promise<void> {
  const body = await read(request);
  const dialect = dialects.find(({ path }) => path.test(request.url ?? ''));
  if (!dialect) {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"input_tokens":1,"data":[]}');
    return;
  }
  const asked: Record<string, unknown> = JSON.parse(body);
  // requests beside the conversation, for a title and the like, bring no shell
  const soFar = dialect.results(asked);
  if (soFar) results.splice(0, results.length, ...soFar);
  const { whole, events } = dialect.turn(soFar ? play(results) : { say: 'fine' }, results.length, asked);
  if (dialect.streams(asked, request.url ?? '')) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of events) response.write(eventText(event));
    response.end();
  } else {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(whole));
  }
}

function eventText(event: Readonly<Record<string, unknown>>): string {
  const name = typeof event.type === 'string' ? `event: ${event.type}\n` : '';
  return `${name}data: ${JSON.stringify(event)}\n\n`;
}

async function read(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  return body;
}

/** fetch over the agents of outward-agents.ts: one request, no redirects, the body as it comes. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { DbguardError } from '../../errors.js';
import { type OutwardAgents, outwardAgents } from './outward-agents.js';

/** Rejects as fetch does: a TypeError with Node's error as its cause, the signal's reason; or DbguardError `proxy-refused`. */
export type OutwardFetch = (link: string | URL, init?: RequestInit) => Promise<Response>;

export function outwardFetch(env: Readonly<Record<string, string | undefined>>): OutwardFetch {
  let agents: OutwardAgents | undefined;
  return async (link, init = {}) => {
    agents ??= outwardAgents(env);
    return send(new Request(link, init), agents);
  };
}

function failed(cause: Error): Error {
  return cause instanceof DbguardError ? cause : new TypeError('fetch failed', { cause });
}

async function* pieces(answer: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* answer;
  } catch (cause) {
    throw new TypeError('terminated', { cause });
  }
}

const bodiless: ReadonlySet<number> = new Set([101, 204, 205, 304]);

async function send(request: Request, { httpAgent, httpsAgent }: OutwardAgents): Promise<Response> {
  const body = Buffer.from(await request.arrayBuffer());
  const { method, signal } = request;
  const headers = { 'user-agent': 'dbguard', ...Object.fromEntries(request.headers), 'content-length': body.length };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request.url.startsWith('https:')
      ? httpsRequest(request.url, { method, headers, signal, agent: httpsAgent }, resolve)
      : httpRequest(request.url, { method, headers, signal, agent: httpAgent }, resolve);
    outgoing.once('error', (error) => reject(signal.aborted ? signal.reason : failed(error)));
    outgoing.end(body);
  });
  const { statusCode: status = 0, statusMessage: statusText = '' } = answer;
  const pairs = Object.entries(answer.headersDistinct).flatMap(([name, values]) =>
    (values ?? []).map((value): [string, string] => [name, value]),
  );
  if (bodiless.has(status)) answer.resume();
  const stream = bodiless.has(status)
    ? null
    : (Readable.toWeb(Readable.from(pieces(answer))) as ReadableStream<Uint8Array>);
  return new Response(stream, { status, statusText, headers: pairs });
}

/** Connections of tests: open one, expect a failure, ask one question. */
import type { Test } from 'tap';
import { type ConnectOptions, connectUpstream, type Upstream } from '../../../src/io/upstream/connect.js';
import { UpstreamError } from '../../../src/io/upstream/failure.js';
import type { OauthTokenSource } from '../../../src/io/upstream/oauth.js';
import { resolveUpstream, type UpstreamSource } from '../../../src/io/upstream/resolve.js';

/** Nothing of this machine's own: no home, no variables. */
export const env = { HOME: '/nonexistent' };

export type TestOptions = ConnectOptions & { readonly oauthToken?: OauthTokenSource };

export async function connect(t: Test, source: UpstreamSource, options: TestOptions = {}): Promise<Upstream> {
  const upstream = await open(source, new Map([['application_name', 'test']]), options);
  t.teardown(() => upstream.socket.destroy());
  return upstream;
}

function open(source: UpstreamSource, parameters: Map<string, string>, { oauthToken, ...options }: TestOptions) {
  const config = resolveUpstream(source, env);
  return connectUpstream(oauthToken ? { ...config, oauthToken } : config, parameters, options);
}

export async function failure(source: UpstreamSource, options: TestOptions = {}): Promise<UpstreamError> {
  try {
    const upstream = await open(source, new Map(), options);
    upstream.socket.destroy();
  } catch (error) {
    if (error instanceof UpstreamError) return error;
    throw error;
  }
  throw new Error('connected');
}

/** Sends a simple query over the paused socket and gives the text of the first row's first column. */
export async function query(upstream: Upstream, sql: string): Promise<string> {
  const body = Buffer.from(`${sql}\0`);
  const head = Buffer.alloc(5);
  head.write('Q');
  head.writeInt32BE(4 + body.length, 1);
  upstream.socket.write(Buffer.concat([head, body]));
  let bytes = upstream.rest;
  for await (const chunk of upstream.socket.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.includes(Buffer.from([0x5a, 0, 0, 0, 5]))) break;
  }
  const row = bytes.indexOf('D');
  const length = bytes.readInt32BE(row + 7);
  return bytes.toString('utf8', row + 11, row + 11 + length);
}

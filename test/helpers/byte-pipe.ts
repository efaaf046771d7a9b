/** The least that any proxy in Node can do: copy bytes both ways. What dbguard costs is measured against this. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export interface BytePipe {
  readonly port: number;
  close(): void;
}

export async function startBytePipe(targetPort: number): Promise<BytePipe> {
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    client.pipe(upstream).on('error', () => client.destroy());
    upstream.pipe(client).on('error', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP port');
  return { port: address.port, close: () => server.close() };
}

/** A CONNECT proxy on loopback that notes what passes through, resolves names as the test says, and lets in whom it should. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface ConnectProxy {
  readonly url: string;
  /** `CONNECT host:port` lines, in order. */
  readonly asked: string[];
  /** Bytes from the client that went on, after CONNECT. */
  readonly carried: () => number;
  /** What clients sent as Proxy-Authorization. */
  readonly logins: (string | undefined)[];
  close(): Promise<void>;
}

export interface ProxyBehaviour {
  /** Port on loopback for a `host:port`; undefined: 502. */
  readonly route: (authority: string) => number | undefined;
  /** The whole answer to every CONNECT, in place of the tunnel. */
  readonly instead?: string;
}

export async function startConnectProxy({ route, instead }: ProxyBehaviour): Promise<ConnectProxy> {
  const asked: string[] = [];
  const logins: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  let carried = 0;
  const server = createServer((_request, response) => response.writeHead(400).end());
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    const authority = request.url ?? '';
    asked.push(authority);
    logins.push(request.headers['proxy-authorization']);
    sockets.add(client);
    client.on('error', () => client.destroy());
    if (instead !== undefined) return client.end(instead);
    const port = route(authority);
    if (port === undefined) return client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    const onward = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.on('data', (chunk: Buffer) => {
        carried += chunk.length;
      });
      client.pipe(onward).pipe(client);
    });
    sockets.add(onward);
    onward.on('error', () => client.destroy());
    return undefined;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    logins,
    carried: () => carried,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

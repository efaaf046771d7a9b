/** `/livez`, `/readyz` and `/metrics` of a gateway: for an orchestrator and a scraper, on an address of their own. */
import { createServer } from 'node:http';
import { DbguardError, reasonOf } from '../../errors.js';

export interface Operations {
  /** Why it takes nobody now; empty where it does. */
  readonly unready: () => readonly string[];
  readonly metrics: () => Promise<{ readonly text: string; readonly type: string }>;
}

export interface OperationsServer {
  readonly port: number;
  close(): void;
}

export async function openOperations(
  address: { readonly host: string; readonly port: number },
  { unready, metrics }: Operations,
): Promise<OperationsServer> {
  const server = createServer(
    { requestTimeout: 5_000, headersTimeout: 5_000, maxHeaderSize: 8_192 },
    (request, answer) => {
      const say = (status: number, text: string, type = 'text/plain; charset=utf-8'): void => {
        answer.writeHead(status, {
          'content-type': type,
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
        });
        answer.end(request.method === 'HEAD' ? undefined : text);
      };
      if (request.method !== 'GET' && request.method !== 'HEAD') return say(405, 'GET or HEAD\n');
      switch (request.url?.split('?')[0]) {
        case '/livez':
          return say(200, 'ok\n');
        case '/readyz': {
          const reasons = unready();
          return reasons.length === 0 ? say(200, 'ok\n') : say(503, reasons.map((one) => `${one}\n`).join(''));
        }
        case '/metrics':
          void metrics().then(
            ({ text, type }) => say(200, text, type),
            () => say(500, 'the metrics cannot be read\n'),
          );
          return;
        default:
          return say(404, 'only /livez, /readyz and /metrics\n');
      }
    },
  );
  server.maxConnections = 32;
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new DbguardError('listen-failed', `cannot listen on ${address.host}:${address.port}: ${reasonOf(error)}`, {
          hint: 'Choose another address in serve.http.',
          cause: error,
        }),
      ),
    );
    server.listen(address, () => {
      const taken = server.address();
      resolve(typeof taken === 'object' && taken ? taken.port : 0);
    });
  });
  return {
    port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

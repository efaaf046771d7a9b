/** HAProxy as a plain TCP balancer before gateways: it sees TLS from outside, and asks each at /readyz whether it takes anybody. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../helpers/free-port.js';
import { Daemon } from './daemon.js';

export interface Balancer {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startBalancer(
  program: string,
  gateways: readonly { readonly listen: number; readonly http: number }[],
): Promise<Balancer> {
  const dir = mkdtempSync(join(tmpdir(), 'dbguard-haproxy-'));
  const [port, status] = [await freePort(), await freePort()];
  const file = join(dir, 'haproxy.cfg');
  const servers = gateways.map(
    ({ listen, http }, n) => `  server gateway${n} 127.0.0.1:${listen} check port ${http} inter 300ms fall 1 rise 1`,
  );
  writeFileSync(
    file,
    `global
  maxconn 2000
defaults
  mode tcp
  timeout connect 2s
  timeout client 1h
  timeout server 1h
  retries 3
  option redispatch
frontend clients
  bind 127.0.0.1:${port}
  default_backend gateways
frontend status
  mode http
  bind 127.0.0.1:${status}
  timeout client 5s
  http-request return status 200
backend gateways
  balance leastconn
  option httpchk GET /readyz
${servers.join('\n')}
`,
  );
  const daemon = new Daemon(dir, program, ['-db', '-f', file]);
  await daemon.answering(`http://127.0.0.1:${status}/`);
  return { port, stop: () => daemon.stop() };
}

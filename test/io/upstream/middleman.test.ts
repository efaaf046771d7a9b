import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';
import { createSecureContext, connect as dialTls, TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { encodeSslRequest } from '../../../src/wire/startup.js';
import { makeCertificate } from './certificates.js';
import { connect, failure } from './connections.js';
import { passwords, type Server, startServer, versions } from './servers.js';

/** Ends TLS with a certificate of its own and passes everything on to the real server, over TLS again. */
async function middleman(t: Test, server: Server): Promise<number> {
  const { pem, keyPem } = makeCertificate({ name: 'localhost' });
  const secureContext = createSecureContext({ cert: pem, key: keyPem });
  const sockets: Socket[] = [];
  const listener = createServer(async (client) => {
    const real = dial({ host: '127.0.0.1', port: server.port });
    sockets.push(client, real);
    for (const socket of [client, real]) socket.on('error', () => {});
    client.once('data', async () => {
      client.pause();
      real.write(encodeSslRequest());
      await once(real, 'data');
      real.pause();
      const inside = dialTls({ socket: real, rejectUnauthorized: false, ALPNProtocols: ['postgresql'] });
      await once(inside, 'secureConnect');
      client.write('S');
      const outside = new TLSSocket(client, { isServer: true, secureContext });
      for (const socket of [inside, outside]) socket.on('error', () => {});
      outside.pipe(inside).pipe(outside);
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  const address = listener.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

t.test('attack: somebody in between who ends TLS is found out by channel binding', async (t) => {
  const server = await startServer(t, versions[versions.length - 1] ?? 18);
  const port = await middleman(t, server);
  const url = `host=localhost hostaddr=127.0.0.1 port=${port} dbname=shop user=scram password=${passwords.scram}`;
  for (const binding of ['prefer', 'require']) {
    const error = await failure({ url: `${url} sslmode=require channel_binding=${binding}` });
    t.match(error, { sqlState: '28000', message: /channel binding/i }, binding);
  }
  t.ok(
    await connect(t, { url: `${url} sslmode=require channel_binding=disable` }),
    'without it, and without a verified certificate, nobody notices',
  );
  const verified = await failure({ url: `${url} sslmode=verify-full sslrootcert=${server.rootcert}` });
  t.match(verified, { code: 'upstream-tls', message: /not trusted/ }, 'verify-full does not get that far');
});

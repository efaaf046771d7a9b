import t from 'tap';
import { cancelUpstream } from '../../../src/io/upstream/cancel.js';
import { encodeAuthenticationOk } from '../../../src/wire/authentication.js';
import { encodeCancelRequest } from '../../../src/wire/startup.js';
import { makeCertificate } from './certificates.js';
import { connect } from './connections.js';
import { fakeServer, ready } from './fake-server.js';

/** What `ready()` gives out. */
const request = encodeCancelRequest(42, Buffer.from([1, 2, 3, 4]));

t.test('a connection over TLS is cancelled over TLS', async (t) => {
  const certificate = makeCertificate({ name: 'localhost' });
  const packets: Buffer[] = [];
  const server = await fakeServer(t, async (client) => {
    await client.takePacket();
    client.send('S');
    await client.secure(certificate);
    packets.push(await client.takePacket());
    if (packets.length === 1) client.send(encodeAuthenticationOk(), ready());
    else client.end();
  });
  const upstream = await connect(t, { url: `host=127.0.0.1 port=${server.port} user=app sslmode=require` });
  await cancelUpstream(upstream);
  t.same(packets[1], request.subarray(4));
  t.notOk(server.received().includes(request), 'the key went out encrypted only');
});

t.test('attack: somebody who declines TLS for the cancel request does not get the key', async (t) => {
  const certificate = makeCertificate({ name: 'localhost' });
  let connections = 0;
  const server = await fakeServer(t, async (client) => {
    connections++;
    await client.takePacket();
    if (connections > 1) return client.send('N');
    client.send('S');
    await client.secure(certificate);
    await client.takePacket();
    client.send(encodeAuthenticationOk(), ready());
  });
  const upstream = await connect(t, { url: `host=127.0.0.1 port=${server.port} user=app sslmode=prefer` });
  await t.rejects(cancelUpstream(upstream), { code: 'upstream-tls' });
  t.notOk(server.received().includes(request.subarray(8)));
});

t.test('a server that is gone, that is silent, and a caller who gives up', async (t) => {
  const server = await fakeServer(t, async (client) => {
    await client.takePacket();
    client.send(encodeAuthenticationOk(), ready());
  });
  const url = `host=127.0.0.1 port=${server.port} user=app sslmode=disable connect_timeout=1`;
  const upstream = await connect(t, { url });
  await t.rejects(cancelUpstream(upstream), { code: 'upstream-unreachable', message: /did not answer within 1 s/ });
  await t.rejects(cancelUpstream(upstream, AbortSignal.abort(new Error('gone'))), { message: 'gone' });
  const dead = {
    ...upstream.cancelTarget,
    endpoint: {
      ...upstream.cancelTarget.endpoint,
      address: '127.0.0.1',
      unix: false,
      host: { host: 'localhost', hostaddr: undefined, port: 1 },
    },
  };
  await t.rejects(cancelUpstream({ cancelTarget: dead }), { code: 'upstream-unreachable', message: /nothing listens/ });
});

import { createServer } from 'node:net';
import t from 'tap';
import { encodeAuthenticationMd5, encodeAuthenticationOk } from '../../../src/wire/authentication.js';
import { message } from '../../../src/wire/backend.js';
import { backend } from '../../../src/wire/messages.js';
import { connect, failure } from './connections.js';
import { fakeServer, fatal, ready } from './fake-server.js';
import { startServer, versions } from './servers.js';

/** A port where nothing listens: taken and given back. */
async function deadPort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 1));
    });
  });
}

const hosts = (...ports: number[]) =>
  `host=${ports.map(() => '127.0.0.1').join(',')} port=${ports.join(',')} user=trusty dbname=shop`;

for (const version of versions) {
  t.test(`PostgreSQL ${version}: target_session_attrs`, async (t) => {
    const [primary, standby, readOnly] = await Promise.all([
      startServer(t, version),
      startServer(t, version, { standby: true }),
      startServer(t, version, { readOnly: true }),
    ]);
    const all = [standby.port, readOnly.port, primary.port];
    const chosen = async (attrs: string, ports: number[]) => {
      const upstream = await connect(t, { url: `${hosts(...ports)} target_session_attrs=${attrs}` });
      return Number(upstream.hostLabel.split(':')[1]);
    };
    t.equal(await chosen('any', all), standby.port);
    t.equal(await chosen('read-write', all), primary.port);
    t.equal(await chosen('primary', all), readOnly.port);
    t.equal(await chosen('standby', [primary.port, readOnly.port, standby.port]), standby.port);
    t.equal(await chosen('read-only', [primary.port, readOnly.port, standby.port]), readOnly.port);
    t.equal(await chosen('prefer-standby', [primary.port, standby.port]), standby.port);
    t.equal(await chosen('prefer-standby', [await deadPort(), primary.port]), primary.port, 'else anything');

    const none = await failure({ url: `${hosts(primary.port)} target_session_attrs=standby` });
    t.match(none, { code: 'upstream-unreachable', message: /is not what target_session_attrs=standby asks for/ });
    const several = await failure({ url: `${hosts(standby.port, await deadPort())} target_session_attrs=read-write` });
    t.match(several.message, /no host of the connection could be used: .*read-write.*; .*nothing listens there/);
  });
}

t.test('servers before PostgreSQL 14 report nothing: they are asked', async (t) => {
  const old = (readOnly: string, recovery: string) =>
    fakeServer(t, async (client) => {
      await client.takePacket();
      client.send(encodeAuthenticationOk(), ready({ server_version: '13.9' }));
      for (;;) {
        const sql = (await client.takeMessage()).toString('latin1');
        const value = sql.startsWith('SHOW') ? readOnly : recovery;
        const row = Buffer.from([0, 1, 0, 0, 0, value.length]);
        client.send(
          message(backend.rowDescription, Buffer.alloc(2)),
          message(backend.dataRow, Buffer.concat([row, Buffer.from(value)])),
          message(backend.commandComplete, Buffer.from('SHOW\0')),
          message(backend.readyForQuery, Buffer.from('I')),
        );
      }
    });
  const [standby, readOnly, primary] = [await old('on', 't'), await old('on', 'f'), await old('off', 'f')];
  const ports = [standby.port, readOnly.port, primary.port];
  const chosen = async (attrs: string) =>
    (await connect(t, { url: `${hosts(...ports)} sslmode=disable target_session_attrs=${attrs}` })).hostLabel;
  t.equal(await chosen('read-write'), `127.0.0.1:${primary.port}`);
  t.equal(await chosen('primary'), `127.0.0.1:${readOnly.port}`);
  t.equal(await chosen('standby'), `127.0.0.1:${standby.port}`);
});

t.test('the next host is tried after trouble on the way', async (t) => {
  const good = await fakeServer(t, async (client) => {
    await client.takePacket();
    client.send(encodeAuthenticationOk(), ready());
  });
  const starting = await fakeServer(t, async (client) => {
    await client.takePacket();
    client.send(fatal('57P03', 'the database system is starting up'));
  });
  const silent = await fakeServer(t, () => {});
  const first = async (port: number, more = '') =>
    (await connect(t, { url: `${hosts(port, good.port)} sslmode=disable ${more}` })).hostLabel;
  t.equal(await first(await deadPort()), `127.0.0.1:${good.port}`, 'nothing listens');
  t.equal(await first(starting.port), `127.0.0.1:${good.port}`, 'starting up');
  t.equal(await first(silent.port, 'connect_timeout=1'), `127.0.0.1:${good.port}`, 'connect_timeout is per host');
  const upstream = await connect(t, {
    url: `host=no-such-host.invalid,127.0.0.1 port=${good.port} user=trusty sslmode=disable`,
  });
  t.ok(upstream, 'a name that nobody knows');
  const only = await failure({ url: `${hosts(starting.port)} sslmode=disable` });
  t.match(only, { sqlState: '57P03', message: /starting up/, hint: /try again/ });
});

t.test('a refused login ends the search: the password is not taken around', async (t) => {
  const refusing = await fakeServer(t, async (client) => {
    await client.takePacket();
    client.send(encodeAuthenticationMd5(Buffer.alloc(4)));
    await client.takeMessage();
    client.send(fatal('28P01', 'password authentication failed for user "trusty"'));
  });
  const next = await fakeServer(t, () => {});
  const error = await failure({ url: `${hosts(refusing.port, next.port)} sslmode=disable password=x` });
  t.match(error, { code: 'upstream-auth', sqlState: '28P01' });
  t.equal(next.connections(), 0);

  const full = await fakeServer(t, async (client) => {
    await client.takePacket();
    client.send(fatal('53300', 'sorry, too many clients already'));
  });
  const crowded = await failure({ url: `${hosts(full.port, next.port)} sslmode=disable` });
  t.match(crowded, { code: 'upstream-unreachable', sqlState: '53300', hint: /max_connections/ });
  t.equal(next.connections(), 0, 'as in libpq, any answer but "not up" ends the search');

  const before = refusing.connections();
  t.match(await failure({ url: `${hosts(refusing.port)} sslmode=allow password=x` }), { sqlState: '28P01' });
  t.equal(refusing.connections(), before + 1, 'a wrong password is not tried over TLS once more');
});

t.test('unreachable servers are told apart', async (t) => {
  t.match(await failure({ url: hosts(await deadPort()) }), {
    code: 'upstream-unreachable',
    message: /^cannot reach 127\.0\.0\.1:\d+: nothing listens there$/,
    hint: /listen_addresses/,
  });
  t.match(await failure({ url: 'host=no-such-host.invalid user=x' }), {
    code: 'upstream-unreachable',
    message: /^cannot reach no-such-host\.invalid:5432: /,
    hint: /spelling|name server/,
  });
  t.match(await failure({ url: 'host=/no-such-folder user=x' }), {
    code: 'upstream-unreachable',
    message: /s\.PGSQL\.5432: there is no such socket/,
  });
  t.match(await failure({ url: `host=/${'long'.repeat(30)} user=x` }), {
    code: 'upstream-unreachable',
    message: /s\.PGSQL\.5432: its path is longer than a socket may have/,
  });
});

t.test('load_balance_hosts=random comes to every host in the end, disable to the first', async (t) => {
  const talk = async (client: Parameters<Parameters<typeof fakeServer>[1]>[0]) => {
    await client.takePacket();
    client.send(encodeAuthenticationOk(), ready());
  };
  const [one, two] = [await fakeServer(t, talk), await fakeServer(t, talk)];
  const url = `${hosts(one.port, two.port)} sslmode=disable`;
  for (let round = 0; round < 10; round++) await connect(t, { url });
  t.equal(two.connections(), 0);
  const before = one.connections();
  // 100 rounds on one side by chance: once in 10^30
  for (let round = 0; round < 100 && (two.connections() === 0 || one.connections() === before); round++) {
    await connect(t, { url: `${url} load_balance_hosts=random` });
  }
  t.ok(two.connections() > 0);
  t.ok(one.connections() > before);
});

/** OAUTHBEARER: against a real PostgreSQL 18 whose validator is compiled here, and against a server that only speaks it. */
import t from 'tap';
import { Secret } from '../../../src/io/upstream/secret.js';
import {
  decodeSaslInitialResponse,
  encodeAuthenticationOk,
  encodeAuthenticationSasl,
  encodeAuthenticationSaslContinue,
} from '../../../src/wire/authentication.js';
import { message } from '../../../src/wire/backend.js';
import { startPostgres } from '../../helpers/postgres.js';
import { makeCertificate } from './certificates.js';
import { connect, failure, query } from './connections.js';
import { fakeServer, fatal, ready } from './fake-server.js';
import { compileValidator } from './oauth-validator.js';

const library = compileValidator(t);

t.test('OAUTHBEARER, PostgreSQL 18', { skip: library ? false : 'no C compiler' }, async (t) => {
  const server = await startPostgres({
    ssl: true,
    settings: { oauth_validator_libraries: String(library) },
    hba: [
      'host all oauthuser all oauth issuer="https://id.example" scope="openid db"',
      'local all oauthuser oauth issuer="https://id.example" scope="openid db"',
    ],
  });
  t.teardown(() => server.stop());
  await server.query('CREATE ROLE oauthuser LOGIN');
  const verified = `host=localhost port=${server.port} dbname=postgres user=oauthuser sslmode=verify-full sslrootcert=${server.tls?.rootcert}`;
  const token = (value: string) => ({ oauthToken: async () => new Secret(value) });

  const upstream = await connect(t, { url: verified }, token('good.token'));
  t.equal(await query(upstream, 'SELECT system_user'), 'oauth:oauthuser');
  const refused = await failure({ url: verified }, token('bad.token'));
  t.match(refused, { code: 'upstream-auth', sqlState: '28000', message: /OAuth bearer authentication failed/ });
  t.match(refused.hint, /refused the OAuth token \(invalid_token\).*scope "openid db"/);
  const socket = `host=${server.socketDir} port=${server.port} dbname=postgres user=oauthuser`;
  const unproven = await failure({ url: socket }, token('good.token'));
  t.match(unproven, { code: 'upstream-tls', hint: /verified TLS only/ }, 'attack: anybody can listen on a socket here');
  t.match(await failure({ url: verified }), { code: 'upstream-auth', hint: /dbguard login/ });
});

t.test('OAUTHBEARER, byte by byte (RFC 7628)', async (t) => {
  const authority = makeCertificate({ name: 'CA', authority: true });
  const certificate = makeCertificate({ name: 'localhost', issuer: authority, hosts: ['localhost'] });
  const root = `${t.testdir({ 'ca.crt': authority.pem })}/ca.crt`;
  const oauth = (port: number, rest = `sslmode=verify-full sslrootcert=${root}`) =>
    `host=localhost hostaddr=127.0.0.1 port=${port} user=app oauth_issuer=https://id.example oauth_scope=db ${rest}`;
  const server = await fakeServer(t, async (client) => {
    if ((await client.takePacket()).length === 4) {
      client.send('S');
      await client.secure(certificate);
      await client.takePacket();
    }
    client.send(encodeAuthenticationSasl(['OAUTHBEARER']));
    const initial = message(0x70, await client.takeMessage());
    const { mechanism, data } = decodeSaslInitialResponse(initial, 0, initial.length);
    if (mechanism === 'OAUTHBEARER' && data?.toString() === 'n,,\x01auth=Bearer good.token\x01\x01') {
      client.send(encodeAuthenticationOk(), ready());
      return;
    }
    client.send(
      encodeAuthenticationSaslContinue(Buffer.from('{"status":"invalid_token","scope":"db openid\\u001b[2J"}')),
    );
    if ((await client.takeMessage()).equals(Buffer.from([1])))
      client.send(fatal('28000', 'OAuth bearer authentication failed'));
  });
  const token = (value: string) => async () => new Secret(value);

  let asked: object = {};
  const upstream = await connect(
    t,
    { url: oauth(server.port) },
    {
      oauthToken: async (request) => {
        asked = request;
        return new Secret('good.token');
      },
    },
  );
  t.equal(upstream.backendKey?.pid, 42);
  t.match(asked, { issuer: 'https://id.example', scope: 'db' });

  const refused = await failure({ url: oauth(server.port) }, { oauthToken: token('bad.token') });
  t.match(refused, { code: 'upstream-auth', sqlState: '28000', hint: /invalid_token.*scope "db openid \[2J"/ });
  t.match(await failure({ url: oauth(server.port) }), { code: 'upstream-auth', hint: /dbguard login/ });
  const odd = await failure({ url: oauth(server.port) }, { oauthToken: token('a\x01auth=x') });
  t.match(odd, { code: 'upstream-auth', message: /bearer token cannot have/ });
  t.match(
    await failure({
      url: oauth(server.port, `${`sslmode=verify-full sslrootcert=${root}`} require_auth=scram-sha-256`),
    }),
    {
      message: /"oauth", require_auth allows/,
    },
  );

  for (const mode of ['sslmode=disable', 'sslmode=require']) {
    let handedOut = false;
    const stranger = await failure(
      { url: oauth(server.port, mode) },
      {
        oauthToken: async () => {
          handedOut = true;
          return new Secret('good.token');
        },
      },
    );
    t.match(stranger, { code: 'upstream-tls', message: /not been verified/ }, `attack: ${mode} gets no token`);
    t.notOk(handedOut);
  }
});

/** Attack: somebody takes the place of a server that has proved itself before, and asks for less. */
import t from 'tap';
import { connectUpstream } from '../../../src/io/upstream/connect.js';
import { forgetServer, storedProofs } from '../../../src/io/upstream/proofs-file.js';
import { resolveUpstream } from '../../../src/io/upstream/resolve.js';
import { demandAgain, newProof } from '../../../src/io/upstream/server-proofs.js';
import {
  encodeAuthenticationMd5,
  encodeAuthenticationOk,
  encodeAuthenticationSasl,
} from '../../../src/wire/authentication.js';
import { fakeServer, ready } from './fake-server.js';

const env = { DBGUARD_HOME: t.testdir() };
const password = 'hush-word';

async function login(port: number, more = '') {
  const url = `host=127.0.0.1 port=${port} user=app password=${password} sslmode=disable ${more}`;
  const config = { ...resolveUpstream({ url }, {}), proofs: storedProofs(env) };
  const upstream = await connectUpstream(config, new Map());
  upstream.socket.destroy();
}

const impostors = {
  'asks for nothing': [encodeAuthenticationOk(), ready()],
  'asks for MD5': [encodeAuthenticationMd5(Buffer.alloc(4, 1))],
  'asks for a token': [encodeAuthenticationSasl(['OAUTHBEARER'])],
};

for (const [name, answer] of Object.entries(impostors)) {
  t.test(`where SCRAM was, a server that ${name}`, async (t) => {
    const server = await fakeServer(t, async (client) => {
      await client.takePacket();
      client.send(...answer);
    });
    const label = `127.0.0.1:${server.port}`;
    storedProofs(env).learn(label, 'app', { method: 'scram-sha-256', bound: false });
    await t.rejects(login(server.port), {
      code: 'upstream-auth',
      message: /at an earlier login it was "scram-sha-256"/,
      hint: new RegExp(`dbguard trust --forget-server ${label}`),
    });
    t.notOk(server.received().includes('md5'), 'no answer went out');
    if (name === 'asks for nothing') {
      await login(server.port, 'require_auth=none');
      t.ok(forgetServer(env, label));
      await login(server.port);
      t.notOk(forgetServer(env, label), 'who proves nothing is not remembered');
    }
  });
}

t.test('a binding to TLS that was there is not given up', async (t) => {
  const server = await fakeServer(t, async (client) => {
    await client.takePacket();
    client.send(encodeAuthenticationSasl(['SCRAM-SHA-256']));
  });
  storedProofs(env).learn(`127.0.0.1:${server.port}`, 'app', { method: 'scram-sha-256', bound: true });
  await t.rejects(login(server.port), { code: 'upstream-auth', message: /cannot be bound .* earlier login/ });
});

t.test('stronger is welcome, weaker is not, and what is remembered only grows', async (t) => {
  const methods = ['none', 'password', 'md5', 'scram-sha-256', 'oauth'] as const;
  const refused = (before: (typeof methods)[number]) =>
    methods.filter((now) => {
      try {
        demandAgain({ method: before, bound: false }, now, 'db:5432');
        return false;
      } catch {
        return true;
      }
    });
  t.strictSame(refused('none'), []);
  t.strictSame(refused('password'), ['none', 'oauth']);
  t.strictSame(refused('md5'), ['none', 'password', 'oauth']);
  t.strictSame(refused('scram-sha-256'), ['none', 'password', 'md5', 'oauth']);
  t.strictSame(refused('oauth'), ['none', 'password', 'md5']);
  t.strictSame(newProof({ method: 'md5', bound: false }, { method: 'scram-sha-256', bound: true }), {
    method: 'scram-sha-256',
    bound: true,
  });
  t.equal(newProof({ method: 'scram-sha-256', bound: true }, { method: 'scram-sha-256', bound: false }), undefined);
  t.equal(newProof(undefined, { method: 'none', bound: false }), undefined);
});

/** Whoever would come into a gateway without a right to, or stay in it: tokens of every wrong kind, clear text, others' cancel keys, storms. */
import { once } from 'node:events';
import { type Socket, connect as tcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect as tls } from 'node:tls';
import { SignJWT } from 'jose';
import t from 'tap';
import { encodeCancelRequest, encodeSslRequest, encodeStartup } from '../../src/wire/startup.js';
import { audience, stageGateway } from '../helpers/gateway.js';
import { newKeyPair } from '../helpers/keys.js';

const stage = await stageGateway();
t.teardown(() => stage.close());
await stage.postgres.query('CREATE TABLE orders (id int)');
const gateway = await stage.start();

const failure = (work: Promise<{ end(): Promise<void> }>) =>
  work.then(
    async (client) => {
      await client.end();
      return 'came in';
    },
    ({ code, message, hint }) => ({ code, message, hint }),
  );

async function until(look: () => unknown): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(50)) if (await look()) return;
  throw new Error('it did not come');
}

/** Once the gateway has read it. */
async function configured(serve: Readonly<Record<string, unknown>>): Promise<void> {
  const seen = gateway.log.length;
  stage.configure(serve);
  await until(() => gateway.log.slice(seen).some(({ event }) => event === 'settings-changed'));
}

/** Everything that comes until the other side hangs up. */
async function all(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return text;
}

t.test('a token of any wrong kind: one sentence, the same for all, and what it lacks in the log alone', async (t) => {
  const eve = newKeyPair('rsa').privateKey;
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: stage.people.issuer,
    sub: 'ada',
    email: 'ada@example.test',
    aud: audience,
    iat: now,
    exp: now + 300,
  };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const good = await stage.tokenOf('ada');
  const wrong: Record<string, string> = {
    'no token': 'postgres',
    expired: await stage.tokenOf('ada', { iat: now - 7200, exp: now - 3600 }),
    'not yet': await stage.tokenOf('ada', { nbf: now + 3600 }),
    'for another audience': await stage.tokenOf('ada', { aud: 'wiki' }),
    'for dbguard itself, as they stand in transcripts': await stage.tokenOf('ada', { aud: 'dbguard' }),
    'of another client': await stage.tokenOf('ada', { azp: 'wiki' }),
    'of an issuer that nobody named': await stage.tokenOf('ada', { iss: 'https://evil.example' }),
    'bound to a key': await stage.tokenOf('ada', { cnf: { jkt: 'x' } }),
    'a refresh token': await stage.tokenOf('ada', { typ: 'Refresh' }),
    'alg none': `${part({ alg: 'none' })}.${part(claims)}.`,
    'HS256 with the public key': await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: 'p1' })
      .sign(Buffer.from(stage.people.publicPem)),
    'signed by somebody else': await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'p1' }).sign(eve),
    'without its signature': `${good.split('.').slice(0, 2).join('.')}.`,
    'with another subject': [good.split('.')[0], part({ ...claims, sub: 'root' }), good.split('.')[2]].join('.'),
    'issued longer ago than a session may last': await stage.tokenOf('ada', { iat: now - 13 * 3600, exp: now + 300 }),
  };
  const said = new Set<string>();
  for (const [what, token] of Object.entries(wrong)) {
    const refusal = await failure(gateway.connect(token));
    t.match(refusal, { code: '28P01' }, what);
    said.add(JSON.stringify(refusal));
  }
  t.equal(said.size, 1, 'nobody learns from it what a token lacks');
  const log = JSON.stringify(gateway.log);
  t.notOk(
    Object.values(wrong).some((token) => token.length > 20 && log.includes(token)),
    'the log has no token',
  );
  t.match(log, /expired/);
});

t.test('a good token opens what is its owner’s, and nothing else', async (t) => {
  const token = await stage.tokenOf('ada');
  t.match(await failure(gateway.connect(token, { database: 'billing' })), { code: '3D000' });
  t.match(await failure(gateway.connect(token, { user: 'bob@example.test' })), { code: '28000' });
  t.match(await failure(gateway.connect(token, { options: '-c role=postgres' })), { code: '42501' });
  t.match(await failure(gateway.connect(token, { options: '-c dbguard.subject=bob' })), { code: '42501' });
  t.match(await failure(gateway.connect(await stage.tokenOf('eve'))), { code: '28000', message: /no connection/ });
  const unconfirmed = await stage.tokenOf('eve', { email: 'ada@example.test', email_verified: false });
  t.match(await failure(gateway.connect(unconfirmed)), { code: '28000' }, 'an address that nobody has confirmed');
  const ci = await stage.platform.sign({ sub: 'repo:evil/shop:main', aud: audience });
  t.match(await failure(gateway.connect(ci)), { code: '28000' }, 'a job of another repository');
  const ada = await stage.platform.sign({ sub: 'ada', email: 'ada@example.test', aud: audience });
  t.match(await failure(gateway.connect(ada)), { code: '28000' }, 'a platform speaks for no people');
});

t.test('a service by its platform’s token, under the profile that it has', async (t) => {
  const token = await stage.platform.sign({ sub: 'repo:acme/shop:ref:refs/heads/main', aud: audience });
  const client = await gateway.connect(token, { user: 'repo:acme/shop:ref:refs/heads/main' });
  t.match((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  await t.rejects(client.query('INSERT INTO orders VALUES (1)'), { code: '42501' });
  await client.end();
});

t.test('nothing is said in the clear, and no token is asked for there', async (t) => {
  const socket = tcp(gateway.port, '127.0.0.1');
  socket.write(
    encodeStartup(0, [
      ['user', 'ada@example.test'],
      ['database', 'shop'],
    ]),
  );
  const said = await all(socket);
  t.match(said, /28000/);
  t.notMatch(said, /^R/, 'no password was asked for');
  const eager = tcp(gateway.port, '127.0.0.1');
  eager.write(Buffer.concat([encodeSslRequest(), encodeStartup(0, [['user', 'x']])]));
  t.match(await all(eager), /unencrypted data/, 'what is sent behind a request for TLS is no part of it');
});

t.test('no TLS of before', async (t) => {
  const handshake = async (options: ConnectionOptions): Promise<string | null> => {
    const socket = tcp(gateway.port, '127.0.0.1');
    socket.write(encodeSslRequest());
    const [answer] = await once(socket, 'data');
    t.equal(String(answer), 'S');
    const secure = tls({ socket, ca: stage.ca, host: '127.0.0.1', ...options });
    try {
      await once(secure, 'secureConnect');
      return secure.getProtocol();
    } catch {
      return null;
    } finally {
      secure.destroy();
    }
  };
  t.equal(await handshake({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }), null);
  t.equal(await handshake({ maxVersion: 'TLSv1.2' }), 'TLSv1.2');
});

t.test('TLS from the first byte is for whoever says that it speaks PostgreSQL', async (t) => {
  const heard = async (...protocols: string[]): Promise<string> => {
    const said = { ALPNProtocols: protocols };
    const address = { host: '127.0.0.1', port: gateway.port, ca: stage.ca };
    const socket = tls({ ...address, ...(protocols.length > 0 && said) });
    // an alert of TLS is an answer, too: it lets nobody in
    const answer = all(socket).catch(() => '');
    socket.write(encodeStartup(0, [['user', 'ada@example.test']]));
    if (protocols.includes('postgresql')) {
      await once(socket, 'data');
      socket.destroy();
    }
    return answer;
  };
  t.match(await heard('postgresql'), /^R/, 'it is asked for its token');
  t.equal(await heard(), '', 'another protocol’s bytes could be taken for ours');
  t.equal(await heard('http/1.1', 'h2'), '');
});

/** As the platforms' manuals show them. */
const jobs: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  // https://docs.github.com/en/actions/reference/security/oidc
  GitHub: {
    sub: 'repo:acme/shop:environment:prod',
    ...{
      environment: 'prod',
      aud: audience,
      ref: 'refs/heads/main',
      repository: 'acme/shop',
      repository_owner: 'acme',
    },
    ...{
      actor: 'ada',
      workflow: 'migrate',
      event_name: 'push',
      ref_type: 'branch',
      runner_environment: 'github-hosted',
    },
    ...{ job_workflow_ref: 'acme/shop/.github/workflows/migrate.yml@refs/heads/main', run_id: '1', jti: 'github-1' },
  },
  // https://docs.gitlab.com/ci/secrets/id_token_authentication/
  GitLab: {
    sub: 'project_path:acme/shop:ref_type:branch:ref:main',
    ...{
      aud: audience,
      namespace_path: 'acme',
      project_path: 'acme/shop',
      user_login: 'ada',
      user_access_level: 'owner',
    },
    ...{ user_email: 'ada@example.test', groups_direct: ['dba'], ref: 'main', ref_protected: 'true', jti: 'gitlab-1' },
  },
  // https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens
  Kubernetes: {
    sub: 'system:serviceaccount:shop:api',
    ...{ aud: [audience], jti: 'kubernetes-1' },
    'kubernetes.io': {
      ...{ namespace: 'shop', node: { name: 'n', uid: 'u' }, pod: { name: 'api-0', uid: 'u' } },
      ...{ serviceaccount: { name: 'api', uid: 'u' }, warnafter: 1_700_000_000 },
    },
  },
};

t.test('tokens as GitHub, GitLab and Kubernetes make them: the service that is named, and nobody else', async (t) => {
  const services = Object.fromEntries(Object.values(jobs).map(({ sub }) => [sub, { connections: ['shop'] }]));
  await configured({ services, groups: { dba: { connections: ['shop'], profile: 'migrations' } } });
  const now = Math.floor(Date.now() / 1000);
  const times = { nbf: now - 5, iat: now, exp: now + 300 };
  for (const [platform, claims] of Object.entries(jobs)) {
    const user = String(claims.sub);
    const came = async (more: object) =>
      failure(gateway.connect(await stage.platform.sign({ ...claims, ...times, ...more }), { user }));
    t.equal(await came({}), 'came in', platform);
    const elsewhere = await came({ sub: user.replace('acme', 'evil').replace(':shop:', ':evil:') });
    t.match(elsewhere, { code: '28000' }, `${platform}: whatever else it says of who started the job`);
    t.match(await came({ aud: 'https://vault.example.com' }), { code: '28P01' }, `${platform}: made for another one`);
    t.match(await came({ iss: stage.people.issuer }), { code: '28P01' }, `${platform}: signed by who it does not name`);
  }
});

t.test('a cancel key opens one connection’s statement, and no other’s', async (t) => {
  const token = await stage.tokenOf('ada');
  const [one, other] = await Promise.all([
    gateway.connect(token),
    gateway.connect(await stage.tokenOf('bob'), { user: 'bob@example.test' }),
  ]);
  const { processID } = one as unknown as { processID: number };
  const { secretKey } = other as unknown as { secretKey: number };
  const key = Buffer.alloc(4);
  key.writeInt32BE(secretKey);
  const runs = one.query('SELECT pg_sleep(1), 1 AS done');
  const socket = tcp(gateway.port, '127.0.0.1');
  socket.write(encodeCancelRequest(processID, key));
  t.equal(await all(socket), '');
  t.match((await runs).rows, [{ done: 1 }], 'with the key of another one');
  await Promise.all([one.end(), other.end()]);
});

t.test('half-open connections hold nobody up for long, and cost nothing', async (t) => {
  await configured({ limits: { authenticating: 4, authentication: '1s' } });
  const storm = Array.from({ length: 40 }, () => tcp(gateway.port, '127.0.0.1').on('error', () => undefined));
  const ends = await Promise.all(storm.map(all));
  t.equal(ends.filter((text) => text === '').length >= 36, true, 'those that are too many hear nothing');
  const client = await gateway.connect(await stage.tokenOf('ada'));
  t.match((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  await client.end();
});

t.test('so many connections for each', async (t) => {
  await configured({ limits: { per_person: 2 } });
  const token = await stage.tokenOf('bob');
  const bob = { user: 'bob@example.test' };
  const two = await Promise.all([gateway.connect(token, bob), gateway.connect(await stage.tokenOf('bob'), bob)]);
  t.match(await failure(gateway.connect(token, bob)), { code: '53300' });
  for (const one of two) await one.end();
  await until(async () => {
    const again = await gateway.connect(token, bob).catch(() => undefined);
    await again?.end();
    return again;
  });
});

t.test('a right that is lost ends what is open with it, and the token opens nothing more', async (t) => {
  const token = await stage.tokenOf('ada', { jti: 'stolen' });
  const client = await gateway.connect(token);
  const other = await gateway.connect(await stage.tokenOf('bob'), { user: 'bob@example.test' });
  const ended = once(client, 'error');
  stage.configure({ revoked: [{ token: 'stolen' }] });
  t.match(await ended, [{ code: '28000', message: /revoked/ }]);
  t.match(await failure(gateway.connect(token)), { code: '28P01' }, 'replayed after it was revoked');
  t.match((await other.query('SELECT 1 AS one')).rows, [{ one: 1 }], 'whoever is not meant stays');
  const out = once(other, 'error');
  stage.configure({ people: { 'ada@example.test': { connections: ['shop'] } } });
  t.match(await out, [{ code: '28000', message: /not open to you/ }]);
});

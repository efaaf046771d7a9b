import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import t, { type Test } from 'tap';
import { connectUpstream } from '../../../src/io/upstream/connect.js';
import { UpstreamError } from '../../../src/io/upstream/failure.js';
import { knownPasswords } from '../../../src/io/upstream/password.js';
import { resolveUpstream } from '../../../src/io/upstream/resolve.js';
import { Secret } from '../../../src/io/upstream/secret.js';
import { connect, env, failure, query } from './connections.js';
import { passwords, type Server, startServer, versions } from './servers.js';

for (const version of versions) {
  t.test(`PostgreSQL ${version}`, async (t) => {
    const server = await startServer(t, version);
    await t.test('every way to log in', (t) => everyLogin(t, server));
    await t.test('refusals carry the server’s own words', (t) => refusals(t, server));
    await t.test('sources of the password', (t) => passwordSources(t, server));
    await t.test('what the server tells at startup', (t) => startupFacts(t, server));
  });
}

async function everyLogin(t: Test, { port, dir }: Server): Promise<void> {
  const tcp = `host=127.0.0.1 port=${port} dbname=shop`;
  for (const [name, url] of [
    ['trust', `${tcp} user=trusty`],
    ['trust over a unix socket', `host=${dir} port=${port} dbname=shop user=trusty`],
    ['md5', `${tcp} user=md5user password=${passwords.md5user} sslmode=disable`],
    ['md5 over TLS', `${tcp} user=md5user password=${passwords.md5user} sslmode=require`],
    ['SCRAM without TLS', `${tcp} user=scram password=${passwords.scram} sslmode=disable`],
    ['SCRAM-PLUS', `${tcp} user=scram password=${passwords.scram} sslmode=require channel_binding=require`],
    [
      'SCRAM over TLS, binding off',
      `${tcp} user=scram password=${passwords.scram} sslmode=require channel_binding=disable`,
    ],
    ['SCRAM over a unix socket', `host=${dir} port=${port} dbname=shop user=scram password=${passwords.scram}`],
    ['SCRAM, a password that SASLprep changes', `${tcp} user=umlaut password='${passwords.umlaut}'`],
    ['the same password, already prepared', `${tcp} user=umlaut password='Pa\u00dfw\u00f6rt IX'`],
    ['cleartext over TLS', `${tcp} user=clear password=${passwords.clear} sslmode=require`],
    ['cleartext over a unix socket', `host=${dir} port=${port} dbname=shop user=clear password=${passwords.clear}`],
    ['require_auth that fits', `${tcp} user=scram password=${passwords.scram} require_auth=scram-sha-256`],
    ['a URI', `postgres://scram:${passwords.scram}@localhost:${port}/shop`],
  ] as const) {
    const upstream = await connect(t, { url });
    const user = /user=(\w+)|\/\/(\w+)/.exec(url)?.slice(1).find(Boolean);
    t.equal(await query(upstream, "SELECT current_user || '@' || current_database()"), `${user}@shop`, name);
  }
}

async function refusals(t: Test, { port }: Server): Promise<void> {
  const tcp = `host=127.0.0.1 port=${port} dbname=shop`;
  const wrong = await failure({ url: `${tcp} user=scram password=wr0ng-Pw` });
  t.match(wrong, {
    code: 'upstream-auth',
    sqlState: '28P01',
    message: /password authentication failed for user "scram"/,
  });
  t.match(wrong.hint, /Check the password of "scram"/);
  t.equal(wrong.response?.fields.get('S'), 'FATAL');
  t.equal(wrong.response?.raw[0], 'E'.charCodeAt(0), 'the raw message, to pass on');
  t.equal(wrong.response?.raw.readInt32BE(1), Number(wrong.response?.raw.length) - 1);

  t.match(await failure({ url: `${tcp} user=md5user password=x` }), { code: 'upstream-auth', sqlState: '28P01' });
  t.match(await failure({ url: `${tcp} user=clear password=x sslmode=require` }), { sqlState: '28P01' });
  const role = await failure({ url: `${tcp} user=nobody` });
  t.match(role, { code: 'upstream-auth', sqlState: '28000', message: /pg_hba.conf/ });
  const database = await failure({ url: `host=127.0.0.1 port=${port} dbname=nowhere user=trusty` });
  t.match(database, { code: 'upstream-unreachable', sqlState: '3D000', hint: /psql -l/ });
  const none = await failure({ url: `${tcp} user=scram` });
  t.match(none, { code: 'upstream-auth', message: /none was found/, hint: /password_command/ });
  t.equal(none.response, undefined);

  const clear = await failure({ url: `${tcp} user=clear password=${passwords.clear} sslmode=disable` });
  t.match(clear, { code: 'upstream-tls', message: /clear text over an unencrypted/, hint: /sslmode=require/ });
  const method = await failure({ url: `${tcp} user=md5user password=x require_auth=scram-sha-256` });
  t.match(method, { code: 'upstream-auth', message: /"md5", require_auth allows scram-sha-256/ });
  const trust = await failure({ url: `${tcp} user=trusty require_auth=!none` });
  t.match(trust, { code: 'upstream-auth', message: /asks for no authentication/ });
  const binding = await failure({ url: `${tcp} user=scram password=x sslmode=disable channel_binding=require` });
  t.match(binding, { code: 'upstream-auth', message: /cannot be bound: the connection has no TLS/ });
  t.match(await failure({ url: `${tcp} user=trusty channel_binding=require` }), { message: /channel_binding=require/ });
  t.match(await failure({ url: `${tcp} user=md5user password=x channel_binding=require` }), { message: /SCRAM only/ });

  for (const error of [wrong, clear, method, none]) {
    const printed = inspect(error, { depth: 10, showHidden: true });
    t.notMatch(printed, 'wr0ng-Pw');
    t.notMatch(printed, passwords.clear);
  }
}

async function passwordSources(t: Test, { port }: Server): Promise<void> {
  const dir = t.testdir();
  const url = `host=127.0.0.1 port=${port} dbname=shop user=scram`;
  const passfile = join(dir, 'pgpass');
  await writeFile(passfile, `127.0.0.1:${port}:shop:scram:${passwords.scram}\n`, { mode: 0o600 });
  t.ok(await connect(t, { url: `${url} passfile=${passfile}` }), 'the password file');
  await chmod(passfile, 0o640);
  const open = await failure({ url: `${url} passfile=${passfile}` });
  t.match(open, { code: 'upstream-auth', hint: /ignored: others may read it/ });

  const command = [process.execPath, '-e', 'console.log(process.argv[1])', passwords.scram];
  t.ok(await connect(t, { url, passwordCommand: command }), 'password_command');
  const counter = join(dir, 'runs');
  const counting = `require("fs").appendFileSync(${JSON.stringify(counter)}, "x"); console.log(process.argv[1])`;
  const runs = async () => (await readFile(counter, 'utf8')).length;
  const pool = resolveUpstream({ url, passwordCommand: [process.execPath, '-e', counting, passwords.scram] }, env);
  for (let round = 0; round < 3; round++) (await connectUpstream(pool, new Map())).socket.destroy();
  t.equal(await runs(), 3, 'asked anew for each: an answer may be good for one login only');
  const old = resolveUpstream({ url, passwordCommand: [process.execPath, '-e', counting, 'old'] }, env);
  for (let round = 0; round < 2; round++) await t.rejects(connectUpstream(old, new Map()), { code: 'upstream-auth' });
  t.equal(await runs(), 5);
  t.same(
    await knownPasswords(pool),
    [new Secret(passwords.scram)],
    'what it printed is known, and it is not run for that',
  );
  t.equal(await runs(), 5);
  for (const [argv, message] of [
    [['/nonexistent/vault'], /there is no such program/],
    [[process.execPath, '-e', 'console.error("hush"); process.exit(3)'], /it ended with exit code 3/],
    [[process.execPath, '-e', ''], /printed nothing/],
    [[process.execPath, '-e', 'console.log("hush".repeat(1e6))'], /more than a megabyte/],
  ] as const) {
    const error = await failure({ url, passwordCommand: argv });
    t.match(error, { code: 'upstream-auth', message });
    t.notMatch(inspect(error, { depth: 10, showHidden: true }), 'hush', 'what it wrote to stderr stays out');
  }
  const controller = new AbortController();
  const slow = failure(
    { url, passwordCommand: [process.execPath, '-e', 'setTimeout(() => {}, 60000)'] },
    { signal: controller.signal },
  );
  controller.abort(new UpstreamError('internal', 'enough'));
  t.match(await slow, { message: 'enough' }, 'a caller who gives up is told so');
}

async function startupFacts(t: Test, { port, version }: Server): Promise<void> {
  const url = `host=127.0.0.1 port=${port} dbname=shop user=trusty application_name=config`;
  const upstream = await connect(t, { url });
  t.match(upstream.serverVersion, new RegExp(`^${version}`));
  t.equal(upstream.parameters.get('application_name'), 'test', 'the client’s parameters win');
  t.equal(upstream.parameters.get('server_encoding'), 'UTF8');
  t.equal(upstream.hostLabel, `127.0.0.1:${port}`);
  t.equal(upstream.rest.length, 0);
  t.equal(upstream.backendKey?.key.length, 4);
  t.equal(upstream.protocolMinor, 0);
  t.equal(await query(upstream, 'SELECT pg_backend_pid()'), String(upstream.backendKey?.pid));
  t.ok(upstream.socket.isPaused(), 'paused');

  const long = await failure({ url: `${url} options='${'x'.repeat(10_000)}'` });
  t.match(long, { code: 'config-invalid', message: /startup parameters/ });

  const newer = await connect(t, { url }, { protocolMinor: 2 });
  t.equal(newer.protocolMinor, version >= 18 ? 2 : 0, 'negotiated');
  t.equal(newer.backendKey?.key.length, version >= 18 ? 32 : 4);
  const capped = await connect(t, { url: `${url} max_protocol_version=3.0` }, { protocolMinor: 2 });
  t.equal(capped.protocolMinor, 0);
  if (version < 18) {
    const error = await failure({ url: `${url} min_protocol_version=3.2` }, { protocolMinor: 2 });
    t.match(error, { code: 'upstream-protocol', message: /min_protocol_version/ });
  }
  const config = resolveUpstream({ url }, env);
  const odd = await connectUpstream(config, new Map([['_pq_.grease', '1']]), { protocolMinor: 2 });
  t.teardown(() => odd.socket.destroy());
  t.same(odd.unknownOptions, ['_pq_.grease']);
}

import { mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import t, { type Test } from 'tap';
import { resolveUpstream, type UpstreamSource } from '../../../src/io/upstream/resolve.js';
import { Secret } from '../../../src/io/upstream/secret.js';

/** An empty home, so that this machine's own files and variables have no say. */
function emptyEnv(t: Test, extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { HOME: t.testdir(), PGSYSCONFDIR: '/nonexistent', ...extra };
}

function refuses(t: Test, source: UpstreamSource, message: RegExp, env = emptyEnv(t)): void {
  t.throws(() => resolveUpstream(source, env), { code: 'config-invalid', message, hint: /./ }, String(message));
}

t.test('defaults are libpq’s', async (t) => {
  const config = resolveUpstream({ url: 'host=db' }, emptyEnv(t));
  t.match(config, {
    hosts: [{ host: 'db', hostaddr: undefined, port: 5432 }],
    user: userInfo().username,
    database: userInfo().username,
    tls: { mode: 'prefer', negotiation: 'postgres', minVersion: 'TLSv1.2', maxVersion: undefined, sni: true },
    auth: { password: undefined, channelBinding: 'prefer', requireAuth: undefined },
    targetSessionAttrs: 'any',
    loadBalanceHosts: false,
    connectTimeout: 30_000,
    minProtocolMinor: 0,
    maxProtocolMinor: undefined,
    keepalivesIdle: 0,
    ignored: [],
  });
  t.equal(config.parameters.size, 0);
  t.equal(
    resolveUpstream({ url: 'host=db user=app' }, emptyEnv(t)).database,
    'app',
    'the database is named as the user',
  );
});

t.test('no connect_timeout waits for ever', async (t) => {
  for (const [said, milliseconds] of [
    ['5', 5_000],
    ['600', 600_000],
    ['601', 600_000],
    ['0', 600_000],
    ['-1', 600_000],
    ['2147483647', 600_000],
  ] as const) {
    t.equal(
      resolveUpstream({ url: `host=db connect_timeout=${said}` }, emptyEnv(t)).connectTimeout,
      milliseconds,
      said,
    );
    t.equal(resolveUpstream({ url: 'host=db' }, emptyEnv(t, { PGCONNECT_TIMEOUT: said })).connectTimeout, milliseconds);
  }
});

t.test('explicit settings win over the service file, which wins over the environment', async (t) => {
  const home = t.testdir({
    '.pg_service.conf':
      '# ours\n[other]\nhost=wrong\n[shop]\nhost=from-service\nport=1111\nport=9999\nuser=from-service\n[next]\nport=3\n',
  });
  const env = {
    HOME: home,
    PGHOST: 'from-env',
    PGUSER: 'from-env',
    PGPORT: '2222',
    PGDATABASE: 'from-env',
    PGAPPNAME: 'me',
  };
  const config = resolveUpstream({ url: 'service=shop user=from-url', overrides: { sslmode: 'require' } }, env);
  t.match(config, { hosts: [{ host: 'from-service', port: 1111 }], user: 'from-url', database: 'from-env' });
  t.equal(config.tls.mode, 'require');
  t.equal(config.parameters.get('application_name'), 'me');
  t.match(resolveUpstream({}, { ...env, PGSERVICE: 'shop' }), {
    hosts: [{ host: 'from-service' }],
    user: 'from-service',
  });
  t.match(
    resolveUpstream({ url: 'user=a', overrides: { user: 'b' } }, env),
    { user: 'b' },
    'overrides win over the URL',
  );
});

t.test('service files: other places, and their errors with line and file', async (t) => {
  const dir = t.testdir({
    'mine.conf': '[a]\nhost=a\n',
    'pg_service.conf': '[system]\nhost=system\n',
    'bad.conf': '[a]\nhost=a\nnonsense\n',
    'unknown.conf': '[a]\nhots=a\n',
    'nested.conf': '[a]\nservice=b\n',
  });
  const env = { HOME: dir, PGSYSCONFDIR: dir };
  const host = (url: string, more = {}) => resolveUpstream({ url }, { ...env, ...more }).hosts[0]?.host;
  t.equal(host('service=a', { PGSERVICEFILE: join(dir, 'mine.conf') }), 'a');
  t.equal(host('service=system'), 'system', 'PGSYSCONFDIR');
  refuses(t, { url: 'service=none' }, /no service "none" in .*\.pg_service\.conf or/, env);
  refuses(t, { url: 'service=a' }, /service file .*gone\.conf cannot be read/, {
    ...env,
    PGSERVICEFILE: join(dir, 'gone.conf'),
  });
  refuses(t, { url: 'service=a' }, /syntax error in line 3 of .*bad\.conf/, {
    ...env,
    PGSERVICEFILE: join(dir, 'bad.conf'),
  });
  refuses(t, { url: 'service=a' }, /"hots" in line 2 of/, { ...env, PGSERVICEFILE: join(dir, 'unknown.conf') });
  refuses(t, { url: 'service=a' }, /cannot name another service: line 2/, {
    ...env,
    PGSERVICEFILE: join(dir, 'nested.conf'),
  });
});

t.test('hosts, addresses and ports are matched up as in libpq', async (t) => {
  const hosts = (url: string) => resolveUpstream({ url }, emptyEnv(t)).hosts;
  t.same(hosts('host=a,b port=1,2'), [
    { host: 'a', hostaddr: undefined, port: 1 },
    { host: 'b', hostaddr: undefined, port: 2 },
  ]);
  t.match(hosts('host=a,b port=7'), [{ port: 7 }, { port: 7 }]);
  t.match(hosts('postgres://a:1,b/x'), [{ port: 1 }, { port: 5432 }]);
  t.match(hosts('host=a,b hostaddr=10.0.0.1,10.0.0.2'), [
    { host: 'a', hostaddr: '10.0.0.1' },
    { host: 'b', hostaddr: '10.0.0.2' },
  ]);
  t.match(hosts('hostaddr=10.0.0.1'), [{ host: '10.0.0.1', hostaddr: '10.0.0.1' }]);
  refuses(t, { url: 'host=a,b port=1,2,3' }, /port names 3 ports for 2 hosts/);
  refuses(t, { url: 'hostaddr=db' }, /hostaddr is not an IP/);
  refuses(t, { url: 'host=a hostaddr=1.1.1.1,2.2.2.2' }, /host names 1 hosts, hostaddr 2/);
  for (const port of ['0', '65536', 'x', '-1', '1e3', '5432x'])
    refuses(t, { url: `host=a port=${port}` }, /port .* not a number/);
});

t.test('what cannot be is refused by name', async (t) => {
  refuses(t, { url: 'sslmode=required' }, /sslmode cannot be "required"/);
  refuses(t, { url: 'connect_timeout=soon' }, /connect_timeout must be an integer/);
  refuses(t, { url: 'target_session_attrs=master' }, /target_session_attrs/);
  refuses(t, { url: 'load_balance_hosts=yes' }, /load_balance_hosts/);
  refuses(t, { url: 'channel_binding=always' }, /channel_binding/);
  refuses(t, { url: 'sslnegotiation=direct' }, /sslnegotiation=direct cannot go with sslmode=prefer/);
  refuses(t, { url: 'sslrootcert=system sslmode=require' }, /sslrootcert=system is too weak/);
  refuses(t, { url: 'ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2' }, /ssl_min_protocol_version/);
  refuses(t, { url: 'ssl_min_protocol_version=SSLv3' }, /ssl_min_protocol_version/);
  refuses(t, { url: 'min_protocol_version=3.2 max_protocol_version=3.0' }, /min_protocol_version/);
  refuses(t, { url: 'require_auth=md5,!password' }, /require_auth mixes/);
  refuses(t, { url: 'require_auth=kerberos' }, /require_auth names an unknown/);
  refuses(t, { url: 'require_auth=md5,md5' }, /twice/);
  refuses(t, { url: 'scram_client_key=abc' }, /scram_client_key/);
  refuses(t, { overrides: { pasword: 'x' } }, /unknown connection parameter "pasword"/);
});

t.test('what would weaken the connection if it were left out is refused, what is harmless is listed', async (t) => {
  refuses(t, { url: 'gssencmode=require' }, /gssencmode/);
  refuses(t, { url: 'requirepeer=postgres' }, /requirepeer/);
  refuses(t, { url: 'sslkeylogfile=/tmp/keys' }, /sslkeylogfile/);
  refuses(t, { url: 'sslcertmode=require' }, /sslcertmode/);
  refuses(t, { url: 'replication=database' }, /replication/);
  refuses(t, { url: 'replication=true' }, /replication/);
  const config = resolveUpstream(
    { url: 'host=db gssencmode=prefer tcp_user_timeout=5 keepalives_count=3 keepalives_idle=60' },
    emptyEnv(t),
  );
  t.same(
    config.ignored.map(({ keyword }) => keyword),
    ['tcp_user_timeout', 'keepalives_count'],
  );
  t.ok(config.ignored.every(({ reason }) => reason.length > 0));
  t.equal(config.keepalivesIdle, 60_000);
  t.equal(resolveUpstream({ url: 'host=db keepalives=0' }, emptyEnv(t)).keepalivesIdle, undefined);
});

t.test('require_auth, with and without "!"', async (t) => {
  const methods = (value: string) => resolveUpstream({ url: `require_auth=${value}` }, emptyEnv(t)).auth.requireAuth;
  t.same(methods('scram-sha-256,md5'), ['scram-sha-256', 'md5']);
  t.notOk(methods('!password,!md5')?.includes('password'));
  t.ok(methods('!password,!md5')?.includes('none'));
});

t.test('TLS files: given ones must exist later, standard ones may be missing', async (t) => {
  const env = emptyEnv(t);
  const standard = resolveUpstream({ url: 'host=db' }, env).tls;
  t.same(standard.rootcert, { path: join(String(env.HOME), '.postgresql/root.crt'), given: false });
  const given = resolveUpstream({ url: 'host=db sslrootcert=/ca.pem sslcert=/c.pem sslkey=/k.pem' }, env).tls;
  t.same(
    [given.rootcert, given.cert, given.key].map((file) => file !== 'system' && file?.given),
    [true, true, true],
  );
  const system = resolveUpstream({ url: 'host=db sslrootcert=system' }, env).tls;
  t.match(system, { rootcert: 'system', mode: 'verify-full' }, 'as in libpq, system changes the default sslmode');
  t.equal(resolveUpstream({ url: 'sslcertmode=disable sslcert=/c.pem' }, env).tls.cert, undefined);
  t.equal(resolveUpstream({}, { ...env, PGREQUIRESSL: '1' }).tls.mode, 'require');
});

t.test('password_command is words, never a shell', async (t) => {
  const words = (passwordCommand: string | string[]) =>
    resolveUpstream({ passwordCommand }, emptyEnv(t)).auth.passwordCommand;
  t.same(words('vault kv get -field=pw "my path"/x'), ['vault', 'kv', 'get', '-field=pw', 'my path/x']);
  t.same(words("a 'b c' $(d) ;e"), ['a', 'b c', '$(d)', ';e']);
  t.same(words(['a b', 'c']), ['a b', 'c']);
  refuses(t, { passwordCommand: 'a "b' }, /unterminated quote/);
});

t.test('a connection string inside dbname, as psql takes it', async (t) => {
  const config = resolveUpstream({ overrides: { dbname: 'postgres://app@db/shop' } }, emptyEnv(t));
  t.match(config, { user: 'app', database: 'shop', hosts: [{ host: 'db' }] });
});

t.test('without a host: the socket folder that has a server, else localhost', async (t) => {
  const config = resolveUpstream({ url: 'port=1' }, emptyEnv(t));
  t.same(config.hosts, [{ host: 'localhost', hostaddr: undefined, port: 1 }]);
});

t.test('attack: no way of printing a config shows its secrets', async (t) => {
  const home = t.testdir();
  await mkdir(join(home, '.postgresql'));
  await writeFile(join(home, '.pg_service.conf'), '[s]\nsslpassword=hush-key\n');
  const key = Buffer.alloc(32, 1).toString('base64');
  const config = resolveUpstream(
    { url: `service=s password=hush-word scram_client_key=${key} oauth_client_secret=hush-oauth` },
    { HOME: home },
  );
  t.equal(config.auth.password?.reveal(), 'hush-word');
  t.equal(config.tls.keyPassword?.reveal(), 'hush-key');
  for (const printed of [
    inspect(config, { depth: 10, showHidden: true }),
    JSON.stringify(config),
    `${config.auth.password} ${String(config.auth.scramClientKey)}`,
    inspect(new Error('x', { cause: config }), { depth: 10 }),
    JSON.stringify({ ...config.auth.password }),
    inspect(Object.entries(config.auth), { depth: 10, customInspect: false, showHidden: true }),
  ]) {
    t.notMatch(printed, 'hush');
    t.notMatch(printed, key);
  }
  t.equal(`${new Secret('hush')}`, '[secret]');
});

import { X509Certificate } from 'node:crypto';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { cancelUpstream } from '../../../src/io/upstream/cancel.js';
import { connectUpstream } from '../../../src/io/upstream/connect.js';
import { resolveUpstream } from '../../../src/io/upstream/resolve.js';
import { encryptKey, makeCertificate, makeRevocationList, type Signature } from './certificates.js';
import { connect, failure, query } from './connections.js';
import { passwords, type Server, startServer, versions } from './servers.js';

for (const version of versions) {
  t.test(`PostgreSQL ${version}`, async (t) => {
    const server = await startServer(t, version);
    await t.test('sslmode', (t) => sslModes(t, server));
    await t.test('who the server is', (t) => verification(t, server));
    await t.test('client certificates', (t) => clientCertificates(t, server));
    await t.test('revoked certificates', (t) => revocation(t, server));
    await t.test('direct negotiation', (t) => direct(t, server));
    await t.test('cancel', (t) => cancel(t, server));
  });
}

async function sslModes(t: Test, { port, dir, rootcert }: Server): Promise<void> {
  const tcp = `host=127.0.0.1 port=${port} dbname=shop`;
  const encrypted = async (url: string) => (await connect(t, { url })).tls !== undefined;
  t.equal(await encrypted(`${tcp} user=trusty sslmode=disable`), false);
  t.equal(await encrypted(`${tcp} user=trusty sslmode=allow`), false, 'allow: plain text where the server takes it');
  t.equal(await encrypted(`${tcp} user=trusty sslmode=prefer`), true);
  t.equal(await encrypted(`${tcp} user=trusty sslmode=require`), true);
  t.equal(
    await encrypted(`${tcp} user=tlsonly password=${passwords.tlsonly} sslmode=allow`),
    true,
    'allow: TLS where it must',
  );
  t.equal(await encrypted(`${tcp} user=plainonly sslmode=prefer`), false, 'prefer: plain text where it must');
  t.equal(
    await encrypted(`host=${dir} port=${port} dbname=shop user=trusty sslmode=verify-full`),
    false,
    'unix socket',
  );
  t.match(await failure({ url: `${tcp} user=tlsonly password=x sslmode=disable` }), {
    sqlState: '28000',
    message: /no encryption/,
  });
  t.match(await failure({ url: `${tcp} user=plainonly sslmode=require` }), { sqlState: '28000' });
  const upstream = await connect(t, { url: `${tcp} user=trusty sslmode=verify-ca sslrootcert=${rootcert}` });
  t.match(upstream.tls, { protocol: 'TLSv1.3', verified: true });
  t.equal(upstream.tls?.certificateHash?.length, 32);
  t.equal(
    await query(upstream, 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'),
    't',
    'the server sees it, too',
  );
  const older = await connect(t, { url: `${tcp} user=trusty sslmode=require ssl_max_protocol_version=TLSv1.2` });
  t.equal(older.tls?.protocol, 'TLSv1.2');
}

async function verification(t: Test, { port, rootcert }: Server): Promise<void> {
  const files = t.testdir({
    'other.crt': makeCertificate({ name: 'other CA', authority: true }).pem,
    'bad.crt': 'nonsense',
  });
  const url = (host: string, rest: string) => `host=${host} port=${port} dbname=shop user=trusty ${rest}`;
  for (const host of ['localhost', '127.0.0.1']) {
    t.ok(await connect(t, { url: url(host, `sslmode=verify-full sslrootcert=${rootcert}`) }), `verify-full ${host}`);
  }
  const alias = url('db.example.com', `hostaddr=127.0.0.1 sslrootcert=${rootcert}`);
  t.ok(await connect(t, { url: `${alias} sslmode=verify-ca` }), 'verify-ca does not look at the name');
  t.match(await failure({ url: `${alias} sslmode=verify-full` }), {
    code: 'upstream-tls',
    message: /the certificate of db\.example\.com:\d+ is not for the host "db\.example\.com"/,
    hint: /verify-ca/,
  });
  const other = `sslrootcert=${join(files, 'other.crt')}`;
  for (const mode of ['verify-ca', 'require']) {
    const error = await failure({ url: url('localhost', `sslmode=${mode} ${other}`) });
    t.match(error, { code: 'upstream-tls', message: /not trusted/, hint: /sslrootcert/ }, `${mode} with another root`);
  }
  const preferred = await connect(t, { url: url('localhost', `sslmode=prefer ${other}`) });
  t.equal(preferred.tls, undefined, 'prefer falls back to plain text, as in libpq');
  t.match(await failure({ url: url('localhost', 'sslmode=verify-ca') }), {
    code: 'config-invalid',
    message: /needs root/,
  });
  for (const mode of ['verify-full', 'require', 'prefer']) {
    const missing = await failure({ url: url('localhost', `sslmode=${mode} sslrootcert=${files}/none`) });
    t.match(missing, { code: 'config-invalid', message: /sslrootcert does not exist/ }, 'a named file must be there');
  }
  const bad = await failure({ url: url('localhost', `sslmode=verify-ca sslrootcert=${join(files, 'bad.crt')}`) });
  t.match(bad, { code: 'config-invalid', message: /holds no certificate/ });
  const system = url('localhost', 'sslrootcert=system');
  t.match(
    await failure({ url: system }),
    { code: 'upstream-tls', message: /not trusted/ },
    'system roots do not know our CA',
  );
  const told = await connectUpstream(
    resolveUpstream({ url: system }, { HOME: '/nonexistent', SSL_CERT_FILE: rootcert }),
    new Map(),
  );
  t.teardown(() => told.socket.destroy());
  t.ok(told.tls?.verified, 'unless SSL_CERT_FILE says so');
}

async function clientCertificates(t: Test, { port, authority, rootcert }: Server): Promise<void> {
  const good = makeCertificate({ name: 'certified', issuer: authority });
  const stranger = makeCertificate({ name: 'certified', issuer: makeCertificate({ name: 'x', authority: true }) });
  const dir = t.testdir({
    'good.crt': good.pem,
    'good.key': good.keyPem,
    'locked.key': encryptKey(good, 'key-Pw'),
    'stranger.crt': stranger.pem,
    'stranger.key': stranger.keyPem,
    'open.key': good.keyPem,
    home: { '.postgresql': { 'postgresql.crt': good.pem, 'postgresql.key': good.keyPem } },
  });
  for (const name of ['good.key', 'locked.key', 'stranger.key']) await chmod(join(dir, name), 0o600);
  await chmod(join(dir, 'open.key'), 0o644);
  const base = `host=localhost port=${port} dbname=shop user=certified sslmode=verify-full sslrootcert=${rootcert}`;
  const files = (cert: string, key: string) => `${base} sslcert=${join(dir, cert)} sslkey=${join(dir, key)}`;

  t.equal(await query(await connect(t, { url: files('good.crt', 'good.key') }), 'SELECT current_user'), 'certified');
  t.ok(await connect(t, { url: `${files('good.crt', 'locked.key')} sslpassword=key-Pw` }), 'an encrypted key');
  await chmod(join(dir, 'home/.postgresql/postgresql.key'), 0o600);
  const standard = await connectUpstream(resolveUpstream({ url: base }, { HOME: join(dir, 'home') }), new Map());
  t.teardown(() => standard.socket.destroy());
  t.ok(standard, 'from the standard place');

  const missing = await failure({ url: base });
  t.match(missing, { code: 'upstream-auth', sqlState: '28000', message: /valid client certificate/ });
  t.match(await failure({ url: `${files('good.crt', 'good.key')} sslcertmode=disable` }), { sqlState: '28000' });
  t.match(await failure({ url: files('good.crt', 'open.key') }), {
    code: 'config-invalid',
    message: /read by others/,
    hint: /chmod/,
  });
  t.match(await failure({ url: files('good.crt', 'none.key') }), {
    code: 'config-invalid',
    message: /sslkey does not exist/,
  });
  t.match(await failure({ url: files('good.crt', 'stranger.key') }), {
    code: 'config-invalid',
    message: /cannot be used/,
  });
  const locked = await failure({ url: `${files('good.crt', 'locked.key')} sslpassword=wr0ng` });
  t.match(locked, { code: 'config-invalid', message: /cannot be used/ });
  t.match(await failure({ url: files('stranger.crt', 'stranger.key') }), {
    code: 'upstream-tls',
    message: /ended the TLS connection|handshake/,
  });
}

async function revocation(t: Test, { port, authority, rootcert, dir }: Server): Promise<void> {
  const serial = new X509Certificate(await readFile(join(dir, 'server.crt'))).serialNumber;
  const server = { ...makeCertificate({ name: 'x' }), serial: Buffer.from(serial, 'hex') };
  const files = t.testdir({
    'none.crl': makeRevocationList(authority, []),
    'server.crl': makeRevocationList(authority, [server]),
    lists: { 'a.crl': makeRevocationList(authority, [server]) },
  });
  const base = `host=localhost port=${port} dbname=shop user=trusty sslmode=verify-full sslrootcert=${rootcert}`;
  t.ok(await connect(t, { url: `${base} sslcrl=${join(files, 'none.crl')}` }));
  const revoked = { code: 'upstream-tls', message: /not trusted: certificate revoked/ };
  t.match(await failure({ url: `${base} sslcrl=${join(files, 'server.crl')}` }), revoked);
  t.match(await failure({ url: `${base} sslcrldir=${join(files, 'lists')}` }), revoked);
  t.match(await failure({ url: `${base} sslcrldir=${join(files, 'nowhere')}` }), {
    code: 'config-invalid',
    message: /sslcrldir/,
  });
}

async function direct(t: Test, { port, version, rootcert }: Server): Promise<void> {
  const url = `host=localhost port=${port} dbname=shop user=trusty sslmode=verify-full sslrootcert=${rootcert} sslnegotiation=direct`;
  if (version >= 17) t.ok((await connect(t, { url })).tls);
  else t.match(await failure({ url }), { code: 'upstream-tls' });
}

async function cancel(t: Test, { port, dir }: Server): Promise<void> {
  for (const [name, url] of [
    ['plain', `host=127.0.0.1 port=${port} sslmode=disable`],
    ['TLS', `host=127.0.0.1 port=${port} sslmode=require`],
    ['unix socket', `host=${dir} port=${port}`],
  ] as const) {
    for (const protocolMinor of [0, 2]) {
      const upstream = await connect(t, { url: `${url} dbname=shop user=trusty` }, { protocolMinor });
      const slept = query(upstream, 'SELECT pg_sleep(60)').catch(String);
      const watcher = await connect(t, { url: `${url} dbname=shop user=trusty` });
      const pid = upstream.backendKey?.pid;
      while (
        (await query(watcher, `SELECT coalesce(wait_event, '') FROM pg_stat_activity WHERE pid = ${pid}`)) !== 'PgSleep'
      );
      await cancelUpstream(upstream);
      await slept;
      t.equal(await query(upstream, 'SELECT 1'), '1', `${name}, 3.${protocolMinor}: cancelled, and still usable`);
    }
  }
  const upstream = await connect(t, { url: `host=127.0.0.1 port=${port} dbname=shop user=trusty` });
  const stranger = {
    ...upstream.cancelTarget,
    backendKey: { pid: upstream.backendKey?.pid ?? 0, key: Buffer.alloc(4) },
  };
  await cancelUpstream({ cancelTarget: stranger });
  t.pass('a wrong key is taken in silence');
  await t.rejects(cancelUpstream({ cancelTarget: { ...stranger, backendKey: undefined } }), { message: /no key/ });
}

t.test('channel binding with every kind of certificate', async (t) => {
  const version = versions[versions.length - 1] ?? 18;
  const signatures: Signature[] = ['ecdsa-sha384', 'ecdsa-sha512', 'rsa-sha256', 'rsa-pss-sha384', 'ed25519'];
  for (const signature of signatures) {
    const server = await startServer(t, version, {
      serverCertificate: () => makeCertificate({ name: 'localhost', signature }),
    });
    const url = `host=localhost port=${server.port} dbname=shop user=scram password=${passwords.scram} sslmode=require`;
    if (signature === 'ed25519') {
      t.ok(await connect(t, { url }), 'Ed25519: no binding, a login all the same');
      t.match(await failure({ url: `${url} channel_binding=require` }), { message: /signature without a hash/ });
    } else {
      t.ok(await connect(t, { url: `${url} channel_binding=require` }), signature);
    }
  }
});

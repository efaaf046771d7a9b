/** AWS RDS IAM: the token as it arrives at a server, its signature worked out anew by the rules of AWS Signature Version 4. */
import { createHash, createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import t from 'tap';
import { upstreamOf } from '../../../src/cli/settings/connection.js';
import { connectUpstream } from '../../../src/io/upstream/connect.js';
import { type ConnectionConfig, readConnection } from '../../../src/policy/read-connection.js';
import { readYaml } from '../../../src/policy/yaml-source.js';
import { encodeAuthenticationOk } from '../../../src/wire/authentication.js';
import { message } from '../../../src/wire/backend.js';
import { makeCertificate } from './certificates.js';
import { fakeServer, fatal, ready } from './fake-server.js';

const host = 'shop.cxyz.eu-central-1.rds.amazonaws.com';
const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: secret });
const authority = makeCertificate({ name: 'CA', authority: true });
const certificate = makeCertificate({ name: host, issuer: authority, hosts: [host, 'db.internal'] });

function read(source: string): ConnectionConfig {
  const { value, problems } = readYaml(source, 'dbguard.yaml', readConnection);
  if (value === undefined) throw new Error(problems.map(({ message }) => message).join());
  return value;
}

function configOf(url: string, rdsIam: unknown = true) {
  const source = JSON.stringify({ url, rds_iam: rdsIam });
  return upstreamOf(read(source), 'prod', { HOME: '/nonexistent', PGPASSWORD: 'stored' });
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html */
function signatureOf(token: string, region: string): string {
  const [authorityPart = '', query = ''] = token.split(/[/]?[?]/);
  const parameters = query
    .split('&')
    .filter((one) => !one.startsWith('X-Amz-Signature='))
    .sort();
  const date = new URLSearchParams(query).get('X-Amz-Date') ?? '';
  const canonical = ['GET', '/', parameters.join('&'), `host:${authorityPart}`, '', 'host', sha256('')].join('\n');
  const scope = `${date.slice(0, 8)}/${region}/rds-db/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((from, part) => hmac(from, part), `AWS4${secret}`);
  return hmac(key, toSign).toString('hex');
}

t.test('a token of its own for each login', async (t) => {
  const root = `${t.testdir({ 'ca.crt': authority.pem })}/ca.crt`;
  const tokens: string[] = [];
  let asks = 3;
  const server = await fakeServer(t, async (client) => {
    if ((await client.takePacket()).length === 4) {
      client.send('S');
      await client.secure(certificate);
      await client.takePacket();
    }
    // AuthenticationCleartextPassword, or MD5
    client.send(message(0x52, Buffer.from(asks === 3 ? [0, 0, 0, 3] : [0, 0, 0, 5, 1, 2, 3, 4])));
    const token = (await client.takeMessage()).toString().replace(/\0$/, '');
    tokens.push(token);
    if (token.includes('DBUser=nobody')) client.send(fatal('28P01', 'PAM authentication failed for user "nobody"'));
    else client.send(encodeAuthenticationOk(), ready());
  });
  const at = (name: string, user = 'app', mode = `sslmode=verify-full sslrootcert=${root}`) =>
    `host=${name} hostaddr=127.0.0.1 port=${server.port} user=${user} dbname=shop ${mode}`;
  const connect = async (url: string, rdsIam?: unknown) => {
    const config = configOf(url, rdsIam);
    (await connectUpstream(config, new Map())).socket.destroy();
    return config;
  };
  const failure = (url: string, rdsIam?: unknown) =>
    connect(url, rdsIam).then(
      () => undefined,
      (error: unknown) => error,
    );

  const config = await connect(at(host));
  (await connectUpstream(config, new Map())).socket.destroy();
  await connect(at('db.internal'), { region: 'us-gov-west-1' });
  t.equal(tokens.length, 3);
  for (const [token, name, region] of [
    [tokens[0], host, 'eu-central-1'],
    [tokens[1], host, 'eu-central-1'],
    [tokens[2], 'db.internal', 'us-gov-west-1'],
  ] as const) {
    const query = new URLSearchParams(token?.split('?')[1]);
    t.ok(token?.startsWith(`${name}:${server.port}/?`), String(token));
    t.match(Object.fromEntries(query), { Action: 'connect', DBUser: 'app', 'X-Amz-Expires': '900' });
    t.match(query.get('X-Amz-Credential'), `AKIDEXAMPLE/`);
    t.equal(query.get('X-Amz-Signature'), signatureOf(token ?? '', region), 'signed as AWS checks it');
  }
  t.match(await failure(at(host, 'nobody')), { code: 'upstream-auth', sqlState: '28P01' });
  t.match(await failure(at('db.internal')), {
    code: 'upstream-auth',
    message: /region of db\.internal/,
    hint: /rds_iam: \{ region/,
  });

  const count = tokens.length;
  for (const mode of ['sslmode=require', 'sslmode=disable']) {
    const stranger = await failure(at(host, 'app', mode));
    t.match(stranger, { code: 'upstream-tls', message: /not been verified/ }, `attack: ${mode} gets no token`);
  }
  asks = 5;
  const stored = await failure(at(host));
  t.match(stored, { code: 'upstream-auth', message: /stored password/, hint: /GRANT rds_iam TO app/ });
  t.equal(tokens.length, count, 'nothing was sent');
  for (const one of [stored, config])
    t.notMatch(inspect(one, { depth: 10, showHidden: true }), /X-Amz-Signature|wJalr/);
});

t.test('no credentials, no token', async (t) => {
  const { auth } = configOf(`host=${host}`);
  const before = { ...process.env };
  t.teardown(() => Object.assign(process.env, before));
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) delete process.env[name];
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/nonexistent',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
  });
  await t.rejects(
    Promise.resolve(auth.minted?.({ host, port: 5432, user: 'app' })).then(() => undefined),
    {
      message: /AWS gave no token for app/,
      hint: /aws sso login/,
    },
  );
});

t.test('who may say it', async (t) => {
  t.equal(configOf(`host=${host}`, false).auth.minted, undefined);
  t.equal(configOf(`host=${host}`).auth.password, undefined, 'PGPASSWORD is not sent in its place');
  const both = JSON.stringify({ url: 'host=x', rds_iam: true, password_command: ['x'] });
  t.throws(() => read(both), /not both/);
});

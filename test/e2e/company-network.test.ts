/** dbguard's commands in a company's network: which hosts they ask the proxy for, and with whose region. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { webIdentityCredentials } from '../../src/io/bucket/web-identity.js';
import { outwardFetch } from '../../src/io/http/outward-fetch.js';
import { startConnectProxy } from '../helpers/connect-proxy.js';
import { makeWorkspace } from '../helpers/workspace.js';

const proxy = await startConnectProxy({ route: () => undefined });
const workspace = makeWorkspace({ HTTPS_PROXY: proxy.url.replace('//', '//ada:hush-word@') });
t.teardown(async () => {
  workspace.remove();
  await proxy.close();
});
const aws = join(workspace.env.HOME ?? '', '.aws');
mkdirSync(aws);
const keys = 'aws_access_key_id=a\naws_secret_access_key=b\n';
writeFileSync(
  join(aws, 'config'),
  `[default]\nregion = eu-central-1\n[profile work]\nregion = ap-southeast-2\n${keys}[profile bare]\n${keys}`,
);
writeFileSync(join(aws, 'credentials'), `[default]\n${keys}`);
workspace.configure({ bucket: 's3://bkt/x' });

async function asked(args: readonly string[], env: Record<string, string> = {}): Promise<readonly string[]> {
  const before = proxy.asked.length;
  const { stderr, exitCode } = await workspace.dbguard(args, { env });
  t.not(exitCode, 0);
  t.notMatch(stderr, /hush-word|ada/, 'no credentials of the proxy');
  return [...new Set(proxy.asked.slice(before))];
}

t.test('the issuer, through the proxy', async (t) => {
  const login = ['login', '--no-open', '--issuer', 'https://login.example.com', '--client-id', 'c1'];
  t.strictSame(await asked(login), ['login.example.com:443']);
  t.strictSame(await asked(login, { NO_PROXY: 'example.com' }), [], 'NO_PROXY');
});

t.test('the bucket, in the region of the profile as the AWS CLI finds it', async (t) => {
  const list = ['transcripts', 'list'];
  const host = (region: string) => [`bkt.s3.${region}.amazonaws.com:443`];
  t.strictSame(await asked(list), host('eu-central-1'));
  t.strictSame(await asked(list, { AWS_PROFILE: 'work' }), host('ap-southeast-2'));
  t.strictSame(await asked(list, { AWS_PROFILE: 'bare' }), host('us-east-1'));
  t.strictSame(await asked(list, { AWS_PROFILE: 'work', AWS_REGION: 'eu-west-1' }), host('eu-west-1'));
  t.strictSame(await asked(list, { AWS_DEFAULT_REGION: 'eu-west-2' }), host('eu-west-2'));
  workspace.configure({ bucket: { url: 's3://bkt/x', region: 'eu-north-1' } });
  t.strictSame(await asked(list, { AWS_REGION: 'eu-west-1' }), host('eu-north-1'), 'the file wins');
});

t.test('credentials that come over the network come through the proxy, too', async (t) => {
  const list = ['transcripts', 'list'];
  const role = 'role_arn = arn:aws:iam::111122223333:role/x\n';
  const account = 'sso_account_id = 111122223333\nsso_role_name = dev\n';
  const start = 'https://corp.awsapps.com/start';
  writeFileSync(join(aws, 'token'), 'eyJ.x.y');
  writeFileSync(
    join(aws, 'config'),
    [
      `[profile sso]\nregion = eu-central-1\nsso_session = corp\n${account}`,
      `[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = ${start}`,
      `[profile legacy]\nregion = eu-central-1\nsso_region = eu-west-3\nsso_start_url = ${start}\n${account}`,
      `[profile base]\n${keys}[profile role]\nregion = eu-central-1\nsource_profile = base\n${role}`,
      `[profile web]\nregion = eu-central-1\nweb_identity_token_file = ${join(aws, 'token')}\n${role}`,
      `[profile process]\nregion = ap-southeast-2\ncredential_process = /bin/echo '{"Version":1,"AccessKeyId":"a","SecretAccessKey":"b"}'`,
    ].join('\n'),
  );
  mkdirSync(join(aws, 'sso', 'cache'), { recursive: true });
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  for (const name of ['corp', start]) {
    const file = `${createHash('sha1').update(name).digest('hex')}.json`;
    writeFileSync(
      join(aws, 'sso', 'cache', file),
      JSON.stringify({ startUrl: start, region: 'eu-west-1', accessToken: 'x', expiresAt }),
    );
  }
  workspace.configure({ bucket: 's3://bkt/x' });
  for (const [profile, host] of [
    ['sso', 'portal.sso.eu-west-1.amazonaws.com:443'],
    ['legacy', 'portal.sso.eu-west-3.amazonaws.com:443'],
    ['role', 'sts.eu-central-1.amazonaws.com:443'],
    ['web', 'sts.eu-central-1.amazonaws.com:443'],
    ['process', 'bkt.s3.ap-southeast-2.amazonaws.com:443'],
  ] as const) {
    t.strictSame(await asked(list, { AWS_PROFILE: profile }), [host], profile);
  }
  const { stderr } = await workspace.dbguard(list, { env: { AWS_PROFILE: 'sso' } });
  t.match(stderr, /cannot use the bucket s3:\/\/bkt\/x: the proxy 127\.0\.0\.1:\d+ refused portal\.sso\.\S+:443: HTTP/);
  t.match(stderr, /check it, HTTPS_PROXY and NO_PROXY/);
});

t.test('the role of a login, in each partition of AWS', async (t) => {
  for (const [region, host] of [
    ['eu-central-1', 'sts.eu-central-1.amazonaws.com'],
    ['us-gov-west-1', 'sts.us-gov-west-1.amazonaws.com'],
    ['cn-north-1', 'sts.cn-north-1.amazonaws.com.cn'],
    ['eusc-de-east-1', 'sts.eusc-de-east-1.amazonaws.eu'],
  ] as const) {
    const before = proxy.asked.length;
    const credentials = webIdentityCredentials({
      ...{ roleArn: 'arn:aws:iam::111122223333:role/x', region: async () => region, idToken: async () => 'x' },
      fetch: outwardFetch({ HTTPS_PROXY: proxy.url }),
    });
    await t.rejects(credentials(), { code: 'proxy-refused' });
    t.strictSame(proxy.asked.slice(before), [`${host}:443`]);
  }
});

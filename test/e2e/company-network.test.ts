/** dbguard's commands in a company's network: which hosts they ask the proxy for, and with whose region. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
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

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { findIdentitySettings, identitySettings } from '../../src/cli/settings/identity-settings.js';
import type { OptionValues } from '../../src/cli/table.js';

/** Files by level; returns what `identitySettings` makes of them. */
function world(t: Test, files: { organisation?: string; user?: string; repository?: string }) {
  const root = t.testdir({ repository: {} });
  const config = join(root, 'home', 'config');
  mkdirSync(config, { recursive: true, mode: 0o700 });
  const write = (path: string, identity: string | undefined) => {
    if (identity !== undefined) writeFileSync(path, `version: 1\nidentity: { ${identity} }\n`, { mode: 0o600 });
  };
  write(join(config, 'organisation.yaml'), files.organisation);
  write(join(config, 'dbguard.yaml'), files.user);
  write(join(root, 'repository', 'dbguard.yaml'), files.repository);
  const context = (env: NodeJS.ProcessEnv = {}) => ({
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: { DBGUARD_HOME: join(root, 'home'), ...env },
    cwd: join(root, 'repository'),
  });
  return {
    settings: (env: NodeJS.ProcessEnv = {}, options: OptionValues = {}) => identitySettings(context(env), options),
    find: (env: NodeJS.ProcessEnv = {}) => findIdentitySettings(context(env), {}),
  };
}

test('flags, environment, file: in this order', async (t) => {
  const { settings } = world(t, {
    repository: 'issuer: https://file.example, client_id: from-file, scopes: [openid, email]',
  });
  t.strictSame(await settings(), {
    issuer: 'https://file.example',
    clientId: 'from-file',
    scopes: ['openid', 'email'],
  });
  t.match(await settings({ DBGUARD_ISSUER: 'https://env.example' }), {
    issuer: 'https://env.example',
    clientId: 'from-file',
  });
  t.match(await settings({ DBGUARD_ISSUER: 'https://env.example' }, { issuer: 'https://flag.example', profile: 'p' }), {
    issuer: 'https://flag.example',
    profile: 'p',
  });
});

test('nothing configured', async (t) => {
  const { settings, find } = world(t, {});
  t.equal(await find(), undefined);
  await t.rejects(settings(), { code: 'config-missing', hint: /dbguard init/ });
});

test('the organisation’s issuer stands; demands are the strictest of all files', async (t) => {
  const { settings } = world(t, {
    organisation: 'issuer: https://org.example, client_id: dbguard, minimum_level: dpop, max_login_age: 12h',
    repository: 'issuer: https://evil.example, client_id: evil, minimum_level: asserted, max_login_age: 8h',
  });
  t.match(await settings(), {
    issuer: 'https://org.example',
    clientId: 'dbguard',
    minimumLevel: 'dpop',
    maxAgeMs: 8 * 3_600_000,
  });
  await t.rejects(settings({}, { issuer: 'https://evil.example' }), {
    code: 'config-invalid',
    message: /organisation/,
  });
  await t.rejects(settings({ DBGUARD_CLIENT_ID: 'evil' }), { code: 'config-invalid' });
});

test('attack: a cloned repository sends a secret of ours to its own issuer', async (t) => {
  const { settings } = world(t, {
    repository: 'issuer: https://evil.example, client_id: x, client_secret_env: AWS_SECRET_ACCESS_KEY',
  });
  const error: unknown = await settings({ AWS_SECRET_ACCESS_KEY: 'very-secret' }).catch((thrown) => thrown);
  t.match(error, { code: 'config-invalid', message: /client_secret_env/ });
  t.notMatch(JSON.stringify(error), /very-secret/);
});

test('the client secret of one’s own file goes to that file’s issuer only', async (t) => {
  const { settings } = world(t, { user: 'issuer: https://own.example, client_id: x, client_secret_env: MY_SECRET' });
  t.equal((await settings({ MY_SECRET: 's' })).clientSecret, 's');
  t.equal((await settings({ MY_SECRET: 's' }, { issuer: 'https://other.example' })).clientSecret, undefined);
});

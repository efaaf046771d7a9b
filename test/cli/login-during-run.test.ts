/** A session's login from end to end: real provider, real store, the real commands in "another terminal". */
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Test, test } from 'tap';
import { run as login } from '../../src/cli/commands/login.js';
import { run as logout } from '../../src/cli/commands/logout.js';
import type { DbguardError } from '../../src/errors.js';
import { type LoginKeeper, startLoginKeeper } from '../../src/identity/login-keeper.js';
import { loadLogin } from '../../src/identity/login-source.js';
import { openLoginSource } from '../../src/io/login/oidc-login-source.js';
import { Browser, clientId, startProvider } from '../identity/provider.js';

async function world(t: Test, scopes: string) {
  const lifetime = { seconds: 3600 };
  const provider = await startProvider({ returnsDeviceNonce: true, idTokenTtl: () => lifetime.seconds });
  t.teardown(() => provider.close());
  const cwd = t.testdir({
    'dbguard.yaml': `version: 1\nidentity: { issuer: ${provider.issuer}, client_id: ${clientId}, scopes: [${scopes}] }\n`,
  });
  // a file that the person names is the person's own
  const env = { DBGUARD_HOME: `${cwd}/home`, DBGUARD_TOKEN_STORE: 'file', DBGUARD_CONFIG: `${cwd}/dbguard.yaml` };
  const terminal = () => {
    const stderr = new PassThrough();
    stderr.on('data', (chunk) => {
      const link = String(chunk).match(/\(or open {2}(\S+) \)/)?.[1];
      if (link) new Browser().confirmDevice(link).catch(() => {});
    });
    return { stdin: new PassThrough(), stdout: new PassThrough(), stderr, env, cwd };
  };
  const source = () => openLoginSource(env, { issuer: provider.issuer, clientId });
  const start = async () => {
    const keeper = startLoginKeeper({ source: source(), login: await loadLogin(source()), watchMs: 20 });
    t.teardown(() => keeper.stop());
    return keeper;
  };
  return {
    provider,
    lifetime,
    logIn: () => login(terminal(), [], {}),
    logOut: () => logout(terminal(), [], {}),
    source,
    start,
  };
}

/** Resolves to the first state of this kind. */
async function state(keeper: LoginKeeper, valid: boolean): Promise<true | DbguardError> {
  for (;;) {
    const now = keeper.valid(Date.now());
    if ((now === true) === valid) return now;
    await sleep(20);
  }
}

test('a login that cannot be renewed ends the session’s statements; dbguard login lets them go on', async (t) => {
  const { lifetime, logIn, start } = await world(t, 'openid');
  await logIn();
  const keeper = await start();
  t.equal(await state(keeper, true), true);

  lifetime.seconds = 1;
  await logIn();
  t.match(await state(keeper, false), { code: 'login-expired', hint: /dbguard login \(in another terminal/ });
  const ended = keeper.login;
  lifetime.seconds = 3600;
  await logIn();
  t.equal(await state(keeper, true), true);
  t.not(keeper.login.loginKey.x, ended.loginKey.x);
});

test('a short-lived token is renewed in the background, with nobody noticing', async (t) => {
  const { provider, lifetime, logIn, source } = await world(t, 'openid, offline_access');
  lifetime.seconds = 3;
  await logIn();
  lifetime.seconds = 3600;
  const stored = await source().load();
  if (!stored) return t.fail('no login');
  const changes: unknown[] = [];
  const keeper = startLoginKeeper({
    source: source(),
    login: stored,
    watchMs: 20,
    onChange: (change) => changes.push(change),
  });
  t.teardown(() => keeper.stop());
  while (keeper.login.expiresAt === stored.expiresAt) await sleep(20);
  t.equal(keeper.valid(Date.now()), true);
  t.equal(keeper.login.loginKey.x, stored.loginKey.x);
  t.strictSame(changes, []);
  const renewals = provider.log.filter(({ form }) => form.get('grant_type') === 'refresh_token');
  t.equal(renewals.length, 1);
  t.not((await loadLogin(source())).refreshToken, stored.refreshToken, 'what rotated is in the store for the next run');
});

test('dbguard logout in another terminal ends the session’s statements', async (t) => {
  const { logIn, logOut, start } = await world(t, 'openid, offline_access');
  await logIn();
  const keeper = await start();
  await logOut();
  t.match(await state(keeper, false), { code: 'login-required', hint: /dbguard login/ });
});

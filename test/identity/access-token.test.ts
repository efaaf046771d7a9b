/** What goes to a server that takes OAuth, and what never goes into a transcript. */
import { type Test, test } from 'tap';
import { accessTokenFor } from '../../src/identity/access-token.js';
import { deviceLogin } from '../../src/identity/device-login.js';
import type { Login } from '../../src/identity/identity.js';
import { discoverIssuer } from '../../src/identity/issuer.js';
import { startLoginKeeper } from '../../src/identity/login-keeper.js';
import { refreshLogin } from '../../src/identity/refresh-login.js';
import { createSession } from '../../src/identity/session.js';
import { issuerFetch } from '../../src/io/login/oidc-fetch.js';
import { openDetails } from '../../src/io/spool/spool.js';
import { Browser, clientId, type ProviderOptions, startProvider } from './provider.js';

async function loggedIn(t: Test, options: ProviderOptions = {}, scopes?: readonly string[]) {
  const provider = await startProvider(options);
  t.teardown(() => provider.close());
  const settings = { issuer: provider.issuer, clientId, ...(scopes ? { scopes } : {}) };
  const issuer = await discoverIssuer(settings, { fetch: issuerFetch, now: Date.now });
  const login = await deviceLogin(issuer, {
    prompt: ({ verificationUriComplete = '' }) =>
      void new Browser().confirmDevice(verificationUriComplete).catch(() => {}),
  });
  return { provider, issuer, login };
}

test('the access token of a login, and the one of its refresh', async (t) => {
  const { provider, issuer, login } = await loggedIn(t, {}, ['openid', 'offline_access', 'db']);
  const token = accessTokenFor(login, { issuer: provider.issuer, scope: 'openid db' });
  t.not(token.value, login.idToken);
  t.ok((token.expiresAt ?? 0) > Date.now());
  t.doesNotThrow(() => accessTokenFor(login, { issuer: `${provider.issuer}/.well-known/openid-configuration` }));
  t.throws(() => accessTokenFor(login, { scope: 'db admin' }), { message: /scope admin/, hint: /identity\.scopes/ });
  t.throws(() => accessTokenFor(login, { issuer: 'https://other.example' }), { message: /other\.example/ });
  const { accessToken: _none, ...without } = login;
  t.throws(() => accessTokenFor(without, {}), { code: 'login-failed', hint: /dbguard login/ });
  t.throws(() => accessTokenFor({ ...without, method: 'workload' }, {}), {
    code: 'login-failed',
    hint: /ID token, which goes to no server/,
  });
  const renewed = await refreshLogin(issuer, login);
  t.not(accessTokenFor(renewed, { scope: 'db' }).value, token.value);
});

test('an access token whose time is over is renewed once for all that wait', async (t) => {
  const { login } = await loggedIn(t);
  const stale: Login = { ...login, accessToken: { value: 'stale', scopes: ['openid'], expiresAt: Date.now() } };
  let renewals = 0;
  const source = {
    now: Date.now,
    load: async () => stale,
    version: () => '1',
    renewable: () => true,
    renew: async () => {
      renewals++;
      return login;
    },
  };
  const keeper = startLoginKeeper({ source, login: stale });
  t.teardown(() => keeper.stop());
  const tokens = await Promise.all([keeper.accessToken({}), keeper.accessToken({}), keeper.accessToken({})]);
  t.strictSame(new Set(tokens), new Set([login.accessToken?.value]));
  t.equal(renewals, 1);
});

test('attack: what a reader of transcripts finds opens nothing', async (t) => {
  const dpop = { dpop: true, jwtAccessTokens: true } as const;
  const bound = await loggedIn(t, dpop);
  t.equal(bound.login.level, 'dpop', 'bound to the key, and good for nothing but the identity');
  const wide = await loggedIn(t, dpop, ['openid', 'offline_access', 'db']);
  t.equal(wide.login.level, 'asserted', 'a token that opens something is no evidence to be shown around');
  for (const { login } of [bound, wide, await loggedIn(t, { returnsDeviceNonce: true })]) {
    const credential = createSession(login, { now: Date.now(), lifetimeMs: 1000 });
    const details = openDetails({ credential, version: '0' });
    const text = JSON.stringify(details);
    t.notOk(text.includes(login.refreshToken ?? 'no refresh token'), 'refresh token');
    t.notOk(text.includes(login.loginKey.d), 'private key');
    const { accessToken, bindingAccessToken } = login;
    if (login.level !== 'dpop') t.notOk(text.includes(accessToken?.value ?? 'none'), 'access token');
    t.equal(details.accessToken, bindingAccessToken);
  }
});

import { type Test, test } from 'tap';
import { publicHalf } from '../../src/identity/binding.js';
import { deviceLogin } from '../../src/identity/device-login.js';
import { verifyBinding } from '../../src/identity/id-token.js';
import type { Login } from '../../src/identity/identity.js';
import { discoverIssuer, fetchIssuerKeys } from '../../src/identity/issuer.js';
import { storedLogins } from '../../src/identity/login-source.js';
import { refreshLogin, revokeLogin } from '../../src/identity/refresh-login.js';
import { issuerFetch } from '../../src/io/login/oidc-fetch.js';
import { openTokenStore } from '../../src/io/login/token-store.js';
import { Browser, clientId, type ProviderOptions, startProvider, type TestProvider } from './provider.js';

async function world(t: Test, options: ProviderOptions = {}) {
  const provider = await startProvider({ returnsDeviceNonce: true, ...options });
  t.teardown(() => provider.close());
  const connect = () => discoverIssuer({ issuer: provider.issuer, clientId }, { fetch: issuerFetch, now: Date.now });
  const login = await deviceLogin(await connect(), {
    prompt: ({ verificationUriComplete = '' }) => {
      new Browser().confirmDevice(verificationUriComplete).catch(() => {});
    },
  });
  return { provider, connect, login };
}

/** Changes the claims of the next ID token and signs them with a key of the attacker's, or passes `sign` the rest. */
function atRefresh(provider: TestProvider, change: (tokens: Record<string, unknown>) => Promise<void> | void): void {
  provider.meddle = (exchange) => {
    if (exchange.path === '/token' && exchange.status === 200) {
      const tokens = JSON.parse(exchange.body);
      void change(tokens);
      exchange.body = JSON.stringify(tokens);
    }
    return undefined;
  };
}

test('a refresh brings a new life span and token, keeps key, level and evidence', async (t) => {
  const { connect, login } = await world(t);
  const renewed = await refreshLogin(await connect(), login);
  t.not(renewed.refreshToken, login.refreshToken, 'it rotates');
  t.not(renewed.idToken, login.idToken);
  t.equal(renewed.bindingIdToken, login.bindingIdToken);
  t.equal(renewed.level, 'nonce');
  t.strictSame(renewed.loginKey, login.loginKey);
  t.ok(renewed.expiresAt >= login.expiresAt);
  t.equal(renewed.loggedInAt, login.loggedInAt, 'a refresh is no login');
});

test('with DPoP a stolen refresh token is worthless without the login key', async (t) => {
  const { connect, login } = await world(t, { dpop: true });
  const thief: Login = { ...login, loginKey: (await world(t)).login.loginKey };
  await t.rejects(refreshLogin(await connect(), thief), { name: 'DbguardError' });
  t.ok((await refreshLogin(await connect(), login)).refreshToken);
});

test('a used refresh token ends the login, in words', async (t) => {
  const { connect, login } = await world(t);
  await refreshLogin(await connect(), login);
  await t.rejects(refreshLogin(await connect(), login), {
    code: 'login-expired',
    message: 'the issuer has ended this login',
    hint: 'Run: dbguard login',
  });
});

test('eight processes at once: the rotating refresh token is used once, nobody is thrown out', async (t) => {
  const { connect, login, provider } = await world(t);
  const env = { DBGUARD_HOME: t.testdir(), DBGUARD_TOKEN_STORE: 'file' };
  await openTokenStore(env).set('p', login);
  const late = () => login.expiresAt - 1000;
  const renew = () =>
    storedLogins({
      store: openTokenStore(env),
      profile: 'p',
      now: late,
      refresh: async (current) => ({
        ...(await refreshLogin(await connect(), current)),
        expiresAt: late() + 3_600_000,
      }),
    }).renew(login);
  const results = await Promise.all(Array.from({ length: 8 }, renew));
  t.equal(new Set(results.map(({ refreshToken }) => refreshToken)).size, 1);
  const grants = provider.log.filter(({ form }) => form.get('grant_type') === 'refresh_token');
  t.equal(grants.length, 1);
});

test('an answer without ID token keeps what was proven', async (t) => {
  const { provider, connect, login } = await world(t);
  atRefresh(provider, (tokens) => {
    delete tokens.id_token;
    tokens.expires_in = 7200;
  });
  const renewed = await refreshLogin(await connect(), login);
  t.equal(renewed.idToken, login.idToken);
  t.ok(renewed.expiresAt > login.expiresAt);
});

test('attack: a refreshed ID token that was changed, or is somebody else’s', async (t) => {
  const { provider, connect, login } = await world(t);
  const other = await world(t);
  atRefresh(provider, (tokens) => {
    tokens.id_token = other.login.idToken;
  });
  await t.rejects(refreshLogin(await connect(), login), { code: 'login-failed' }, 'another issuer’s');
  const again = await world(t);
  atRefresh(again.provider, (tokens) => {
    const [header, payload, signature = ''] = String(tokens.id_token).split('.');
    tokens.id_token = `${header}.${payload}.${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`;
  });
  await t.rejects(refreshLogin(await again.connect(), again.login), { code: 'login-failed', message: /signature/ });
});

test('no refresh token, no network: what to do', async (t) => {
  const { provider, connect, login } = await world(t);
  const { refreshToken: _none, ...without } = login;
  await t.rejects(refreshLogin(await connect(), without), { code: 'login-expired', hint: /offline_access/ });
  const issuer = await connect();
  provider.meddle = () => 'hang-up';
  await t.rejects(refreshLogin(issuer, login), { code: 'login-failed', message: /cannot be reached/ });
});

test('logout: the issuer forgets the refresh token', async (t) => {
  const { connect, login } = await world(t);
  t.equal(await revokeLogin(await connect(), login), true);
  await t.rejects(refreshLogin(await connect(), login), { code: 'login-expired' });
  const { refreshToken: _none, ...without } = login;
  t.equal(await revokeLogin(await connect(), without), false);
});

test('an issuer that rotates its keys: the old evidence stands with the old key, unknown keys are refused', async (t) => {
  const { provider, connect, login } = await world(t);
  const other = await world(t);
  const foreign = JSON.stringify(await fetchIssuerKeys(await other.connect())).replaceAll('"k1"', '"k2"');
  provider.meddle = (exchange) => {
    if (exchange.path === '/jwks') exchange.body = foreign;
    return undefined;
  };
  await t.rejects(refreshLogin(await connect(), login), { code: 'login-failed', message: /key .*does not publish/ });
  const claim = { idToken: login.bindingIdToken, loginKey: publicHalf(login.loginKey), salt: login.salt };
  const expected = { issuer: provider.issuer, audience: clientId, now: login.loggedInAt };
  t.equal((await verifyBinding(claim, { keys: login.issuerKeys ?? [] }, expected)).level, 'nonce');
  await t.rejects(verifyBinding(claim, await fetchIssuerKeys(await connect()), expected), {
    code: 'issuer-key-unknown',
  });
});

test('published keys: only public ones that sign', async (t) => {
  const { provider, connect } = await world(t);
  provider.meddle = (exchange) => {
    if (exchange.path === '/jwks') {
      const { keys } = JSON.parse(exchange.body);
      exchange.body = JSON.stringify({
        keys: [...keys, { kty: 'oct', k: 'c2VjcmV0' }, { ...keys[0], d: 'x' }, null, 7],
      });
    }
    return undefined;
  };
  const { keys } = await fetchIssuerKeys(await connect());
  t.strictSame(
    keys.map(({ kty, kid }) => [kty, kid]),
    [['EC', 'k1']],
  );
  provider.meddle = (exchange) => {
    if (exchange.path === '/jwks') exchange.body = '{"keys": 7}';
    return undefined;
  };
  await t.rejects(fetchIssuerKeys(await connect()), { code: 'login-failed' });
});

import { decodeJwt, decodeProtectedHeader } from 'jose';
import { type Test, test } from 'tap';
import { bindingNonce, generateLoginKey, publicHalf } from '../../src/identity/binding.js';
import { deviceLogin } from '../../src/identity/device-login.js';
import { verifyBinding } from '../../src/identity/id-token.js';
import { discoverIssuer, fetchIssuerKeys } from '../../src/identity/issuer.js';
import { issuerFetch } from '../../src/io/login/oidc-fetch.js';
import { Browser, clientId, type Meddle, type ProviderOptions, startProvider, type TestProvider } from './provider.js';

async function world(t: Test, options: ProviderOptions = {}): Promise<TestProvider> {
  const provider = await startProvider(options);
  t.teardown(() => provider.close());
  return provider;
}

const discover = ({ issuer }: TestProvider, signal?: AbortSignal) =>
  discoverIssuer({ issuer, clientId }, { fetch: issuerFetch, now: Date.now, ...(signal ? { signal } : {}) });

/** Logs in while a person decides on the device page. */
async function logIn(provider: TestProvider, decision: 'confirm' | 'abort' | 'ignore' = 'confirm') {
  const browser = new Browser();
  return deviceLogin(await discover(provider), {
    prompt: ({ verificationUriComplete = '' }) => {
      // Without a confirmation the login itself fails: that is what the tests see.
      if (decision !== 'ignore') browser.confirmDevice(verificationUriComplete, decision).catch(() => {});
    },
  });
}

const atToken =
  (change: (tokens: Record<string, unknown>) => Record<string, unknown>): Meddle =>
  (exchange) => {
    if (exchange.path === '/token' && exchange.status === 200) {
      exchange.body = JSON.stringify(change(JSON.parse(exchange.body)));
    }
    return undefined;
  };

test('an issuer that returns the nonce: level nonce, provable from tokens and keys alone', async (t) => {
  const provider = await world(t, { returnsDeviceNonce: true });
  const login = await logIn(provider);
  t.strictSame(login.subject, { iss: provider.issuer, sub: 'dev-1', email: 'dev-1@example.test' });
  t.equal(login.level, 'nonce');
  t.equal(login.method, 'device');
  t.ok(login.refreshToken);
  t.equal(decodeJwt(login.bindingIdToken).nonce, bindingNonce(login.loginKey, login.salt));

  const keys = await fetchIssuerKeys(await discover(provider));
  const claim = { idToken: login.bindingIdToken, loginKey: publicHalf(login.loginKey), salt: login.salt };
  const expected = { issuer: provider.issuer, audience: clientId, now: login.loggedInAt };
  t.equal((await verifyBinding(claim, keys, expected)).level, 'nonce');
  await t.rejects(
    verifyBinding({ ...claim, loginKey: publicHalf(generateLoginKey()) }, keys, expected),
    /nonce of another login/,
    'a stolen ID token does not fit another key',
  );
  await t.rejects(verifyBinding(claim, keys, { ...expected, audience: 'other' }), /audience/);
  t.strictSame(
    login.issuerKeys,
    keys.keys.filter((key) => key.kid === 'k1'),
    'the key that signed is kept',
  );
});

test('an issuer that drops the nonce: level asserted', async (t) => {
  const login = await logIn(await world(t));
  t.equal(login.level, 'asserted');
  t.equal(decodeJwt(login.bindingIdToken).nonce, undefined);
  t.equal(login.bindingAccessToken, undefined);
});

test('an issuer with DPoP and JWT access tokens: level dpop, provable too', async (t) => {
  const provider = await world(t, { dpop: true, jwtAccessTokens: true });
  const login = await logIn(provider);
  t.equal(login.level, 'dpop');
  const keys = await fetchIssuerKeys(await discover(provider));
  const claim = {
    idToken: login.bindingIdToken,
    accessToken: login.bindingAccessToken ?? '',
    loginKey: publicHalf(login.loginKey),
    salt: login.salt,
  };
  const expected = { issuer: provider.issuer, audience: clientId, now: login.loggedInAt };
  t.equal((await verifyBinding(claim, keys, expected)).level, 'dpop');
  await t.rejects(verifyBinding({ ...claim, loginKey: publicHalf(generateLoginKey()) }, keys, expected), /not bound/);
});

test('nonce goes before DPoP; DPoP with opaque access tokens proves nothing more', async (t) => {
  t.equal(
    (await logIn(await world(t, { returnsDeviceNonce: true, dpop: true, jwtAccessTokens: true }))).level,
    'nonce',
  );
  t.equal((await logIn(await world(t, { dpop: true }))).level, 'asserted');
  t.equal((await logIn(await world(t, { jwtAccessTokens: true }))).level, 'asserted');
});

test('each algorithm that providers sign with', async (t) => {
  for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
    const login = await logIn(await world(t, { alg, returnsDeviceNonce: true }));
    t.equal(decodeProtectedHeader(login.idToken).alg, alg);
    t.equal(login.level, 'nonce');
  }
});

test('the request carries scope, nonce and PKCE; no private key, verifier or token where it does not belong', async (t) => {
  const provider = await world(t, { returnsDeviceNonce: true });
  const login = await logIn(provider);
  const request = provider.log.find(({ path }) => path === '/device/auth')?.form;
  t.equal(request?.get('scope'), 'openid email offline_access');
  t.equal(request?.get('nonce'), bindingNonce(login.loginKey, login.salt));
  t.equal(request?.get('code_challenge_method'), 'S256');
  const everything = provider.log.map(({ path, form }) => `${path} ${form}`).join('\n');
  t.notOk(everything.includes(login.loginKey.d));
  t.notOk(everything.includes(login.salt), 'the salt stays here until a transcript shows it');
});

test('slow_down lengthens the interval; pending is waited for', async (t) => {
  const provider = await world(t);
  const browser = new Browser();
  let link = '';
  let slowed = 0;
  provider.meddle = (exchange) => {
    if (exchange.path === '/token' && exchange.status === 400 && slowed === 0) {
      slowed++;
      exchange.body = JSON.stringify({ error: 'slow_down' });
      browser.confirmDevice(link).catch(() => {});
    }
    return undefined;
  };
  await deviceLogin(await discover(provider), {
    prompt: ({ verificationUriComplete = '' }) => {
      link = verificationUriComplete;
    },
  });
  t.equal(slowed, 1);
  const polls = provider.log.filter(({ path }) => path === '/token').length;
  t.equal(polls, 2, 'at the old interval of 50 ms it would have been asked again before the person was done');
});

test('the network goes and comes back while a person confirms', async (t) => {
  const provider = await world(t, { returnsDeviceNonce: true });
  let lost = 0;
  provider.meddle = (exchange) => {
    if (exchange.path !== '/token' || lost >= 3) return undefined;
    lost++;
    if (lost < 3) return 'hang-up';
    exchange.status = 503;
    exchange.body = 'the load balancer has no backend';
    return undefined;
  };
  const troubles: (string | undefined)[] = [];
  const browser = new Browser();
  let link = '';
  const login = await deviceLogin(await discover(provider), {
    prompt: ({ verificationUriComplete = '' }) => {
      link = verificationUriComplete;
    },
    trouble: (message) => {
      troubles.push(message);
      if (lost === 3) browser.confirmDevice(link).catch(() => {});
    },
  });
  t.equal(lost, 3);
  t.equal(login.level, 'nonce');
  t.match(troubles[0], /cannot be reached/);
  t.equal(troubles.at(-1), undefined);
});

test('denied, expired, given up: each with words and a next step', async (t) => {
  const provider = await world(t);
  await t.rejects(logIn(provider, 'abort'), { code: 'login-failed', message: /denied/, hint: /dbguard login/ });
  const short = await world(t, { deviceCodeTtl: 1 });
  await t.rejects(logIn(short, 'ignore'), { code: 'login-expired', message: /expired before/, hint: /dbguard login/ });
  const controller = new AbortController();
  const issuer = await discover(provider, controller.signal);
  const pending = deviceLogin(issuer, { prompt: () => controller.abort() });
  await t.rejects(pending, { code: 'login-failed', message: /given up/ });
});

test('a wrong issuer, client, grant or address: each with words and a next step', async (t) => {
  const provider = await world(t, { grantTypes: ['authorization_code', 'refresh_token'] });
  await t.rejects(logIn(provider), {
    code: 'login-failed',
    message: /does not allow the device code login for client dbguard/,
    hint: /--browser/,
  });
  const access = { fetch: issuerFetch, now: Date.now };
  const stranger = await discoverIssuer({ issuer: provider.issuer, clientId: 'stranger' }, access);
  await t.rejects(deviceLogin(stranger, { prompt: () => {} }), { message: /client id stranger/, hint: /client_id/ });
  await t.rejects(discoverIssuer({ issuer: `${provider.issuer}/nowhere`, clientId }, access), {
    code: 'login-failed',
    message: /does not answer as an OpenID Connect issuer/,
    hint: /\/nowhere\/\.well-known\/openid-configuration/,
  });
  const alias = provider.issuer.replace('127.0.0.1', 'localhost');
  await t.rejects(
    discoverIssuer({ issuer: alias, clientId }, access),
    { code: 'login-failed' },
    'names another issuer',
  );
  await t.rejects(discoverIssuer({ issuer: 'http://issuer.example', clientId }, access), { code: 'config-invalid' });
  await t.rejects(discoverIssuer({ issuer: 'not a url', clientId }, access), { code: 'config-invalid' });
  const { issuer } = provider;
  await provider.close();
  await t.rejects(discoverIssuer({ issuer, clientId }, access), {
    message: /cannot be reached: \S+/,
    hint: /network/,
  });
});

test('a clock that is wrong', async (t) => {
  const provider = await world(t);
  const rightNow = Date.now;
  t.teardown(() => {
    Date.now = rightNow;
  });
  provider.meddle = (exchange) => {
    if (exchange.path === '/token' && exchange.status === 200) Date.now = () => rightNow() + 2 * 3_600_000;
    return undefined;
  };
  await t.rejects(logIn(provider), { code: 'login-failed', message: /clock of this machine/, hint: /NTP/ });
});

test('attack: an ID token changed in transit is refused', async (t) => {
  const provider = await world(t, { returnsDeviceNonce: true });
  provider.meddle = atToken((tokens) => {
    const [header, payload = '', signature] = String(tokens.id_token).split('.');
    const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), email: 'ceo@example.test' };
    const forged = Buffer.from(JSON.stringify(claims)).toString('base64url');
    return { ...tokens, id_token: `${header}.${forged}.${signature}` };
  });
  await t.rejects(logIn(provider), { code: 'login-failed', message: /signature/ });
});

test('attack: the unsigned and the replayed ID token', async (t) => {
  const provider = await world(t, { returnsDeviceNonce: true });
  const earlier = await logIn(provider);
  provider.meddle = atToken((tokens) => ({ ...tokens, id_token: earlier.idToken }));
  await t.rejects(logIn(provider), { code: 'login-failed', message: /nonce of another login/ });
  provider.meddle = atToken((tokens) => {
    const header = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    return { ...tokens, id_token: `${header}.${String(tokens.id_token).split('.')[1]}.` };
  });
  await t.rejects(logIn(provider), { code: 'login-failed' });
});

test('attack: the middleman swaps the nonce for its own key’s', async (t) => {
  const provider = await world(t, { returnsDeviceNonce: true });
  const login = await logIn(provider);
  const mallory = generateLoginKey();
  const keys = await fetchIssuerKeys(await discover(provider));
  const claim = { idToken: login.bindingIdToken, loginKey: publicHalf(mallory), salt: login.salt };
  await t.rejects(
    verifyBinding(claim, keys, { issuer: provider.issuer, audience: clientId, now: login.loggedInAt }),
    /nonce of another login/,
  );
});

test('attack: a device page that is no web page is not shown', async (t) => {
  const provider = await world(t);
  for (const page of ['file:///etc/passwd', 'javascript:alert(1)', '--help', 'http://evil.example/device']) {
    provider.meddle = (exchange) => {
      if (exchange.path === '/device/auth') {
        exchange.body = JSON.stringify({ ...JSON.parse(exchange.body), verification_uri: page });
      }
      return undefined;
    };
    await t.rejects(logIn(provider, 'ignore'), { code: 'login-failed' }, page);
  }
});

test('attack: escape sequences in what the issuer says do not reach the terminal', async (t) => {
  const provider = await world(t);
  provider.meddle = (exchange) => {
    if (exchange.path === '/device/auth') {
      exchange.status = 400;
      exchange.body = JSON.stringify({
        error: 'invalid_scope',
        error_description: '\u001b]0;owned\u0007\u202edesrever',
      });
    }
    return undefined;
  };
  const error: unknown = await logIn(provider).catch((thrown) => thrown);
  t.match(error, { code: 'login-failed', message: /owned/ });
  t.notMatch((error as Error).message, /\p{C}/u);
});

test('no error of a login carries a token', async (t) => {
  const provider = await world(t, { returnsDeviceNonce: true });
  let secrets: string[] = [];
  const broken: ((tokens: Record<string, unknown>) => Record<string, unknown>)[] = [
    (tokens) => ({ ...tokens, token_type: 'strange' }),
    ({ id_token: _gone, ...tokens }) => tokens,
    (tokens) => ({ ...tokens, id_token: `${tokens.id_token}x` }),
    (tokens) => ({ ...tokens, expires_in: 'soon' }),
  ];
  for (const change of broken) {
    provider.meddle = atToken((tokens) => {
      secrets = [tokens.access_token, tokens.refresh_token, tokens.id_token].map(String);
      return change(tokens);
    });
    const error: unknown = await logIn(provider).catch((thrown) => thrown);
    t.match(error, { name: 'DbguardError' });
    const text = everythingIn(error);
    for (const secret of secrets) t.notOk(text.includes(secret.slice(0, 24)), change.toString().slice(0, 60));
  }
});

/** An error with all that hangs on it, as a logger might print it. */
function everythingIn(error: unknown): string {
  let text = '';
  for (let at: unknown = error; at !== undefined && at !== null; at = (at as Error).cause) {
    text += `${String(at)} ${(at as Error).stack ?? ''} ${JSON.stringify(at)}`;
  }
  return text;
}

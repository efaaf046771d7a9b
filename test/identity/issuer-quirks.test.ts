/** What real issuers answer where the standard says something else, and what stands between them and us. */
import fc from 'fast-check';
import { type Test, test } from 'tap';
import { deviceLogin } from '../../src/identity/device-login.js';
import { discoverIssuer } from '../../src/identity/issuer.js';
import { standardForm } from '../../src/identity/issuer-quirks.js';
import { issuerFetch } from '../../src/io/login/oidc-fetch.js';
import { Browser, clientId, type Exchange, type Meddle, startProvider, type TestProvider } from './provider.js';

async function world(t: Test): Promise<TestProvider> {
  const provider = await startProvider({ returnsDeviceNonce: true });
  t.teardown(() => provider.close());
  return provider;
}

/** Logs in, and confirms on the page that the prompt shows once `ready`; resolves to what the person has seen. */
async function logIn({ issuer }: TestProvider, ready: Promise<unknown> = Promise.resolve()) {
  const connected = await discoverIssuer({ issuer, clientId }, { fetch: issuerFetch, now: Date.now });
  const troubles: (string | undefined)[] = [];
  let page = '';
  let minutes = 0;
  const login = await deviceLogin(connected, {
    prompt: ({ verificationUri, userCode, expiresAt }) => {
      page = verificationUri;
      minutes = Math.round((expiresAt - Date.now()) / 60_000);
      const complete = `${verificationUri}?user_code=${userCode}`;
      void ready.then(() => new Browser().confirmDevice(complete)).catch(() => {});
    },
    trouble: (message) => void troubles.push(message),
  });
  return { login, page, minutes, troubles };
}

type Answer = Record<string, unknown>;

const atDevice =
  (change: (answer: Answer) => Answer): Meddle =>
  (exchange) => {
    if (exchange.path === '/device/auth') exchange.body = JSON.stringify(change(JSON.parse(exchange.body)));
    return undefined;
  };

/** Changes the answers of the first `times` polls; resolves after the last of them. */
function changePolls(provider: TestProvider, times: number, change: (exchange: Exchange) => void): Promise<void> {
  return new Promise((resolve) => {
    let left = times;
    provider.meddle = (exchange) => {
      if (exchange.path !== '/token' || left === 0) return undefined;
      change(exchange);
      if (--left === 0) resolve();
      return undefined;
    };
  });
}

const renamed = (from: string, to: string) => (answer: Answer) => {
  const { [from]: value, ...rest } = answer;
  return { ...rest, [to]: value };
};

test('device authorization answers as issuers send them: the prompt appears and the login succeeds', async (t) => {
  const deviations: Record<string, (answer: Answer) => Answer> = {
    'Google, ADFS, OpenAM: verification_url': renamed('verification_uri', 'verification_url'),
    'Azure AD v1: lifetime and interval as text, a message': (answer) => ({
      ...renamed('verification_uri', 'verification_url')(answer),
      expires_in: '600',
      interval: '0.05',
      message: 'To sign in, use a web browser ...',
    }),
    'an empty verification_uri_complete': (answer) => ({ ...answer, verification_uri_complete: '' }),
    'null for what is not there': (answer) => ({ ...answer, verification_uri_complete: null, message: null }),
    'no lifetime': ({ expires_in: _gone, ...answer }) => answer,
    'a lifetime beyond every timer': (answer) => ({ ...answer, expires_in: 1e15 }),
    'IdentityServer: a page without its origin': (answer) => ({ ...answer, verification_uri: '/device' }),
  };
  for (const [what, change] of Object.entries(deviations)) {
    const provider = await world(t);
    provider.meddle = atDevice(change);
    const { login, page, minutes } = await logIn(provider);
    t.equal(login.level, 'nonce', what);
    t.equal(page, `${provider.issuer}/device`, what);
    t.ok(minutes >= 9, what);
  }
});

test('intervals that are none mean 5 seconds', async (t) => {
  const device = { device_code: 'd', user_code: 'A', verification_uri: 'https://i.example/device', expires_in: 1800 };
  for (const interval of [0, '0', '', 'soon', -1, null, undefined, Number.NaN, [], {}, true]) {
    t.equal(standardForm(200, { ...device, interval }).answer.interval, 5, String(interval));
  }
  for (const [interval, meant] of [
    ['5', 5],
    ['7.5', 7.5],
    [10, 10],
    [1e9, 300],
  ] as const) {
    t.equal(standardForm(200, { ...device, interval }).answer.interval, meant);
  }
});

test('polls that something in between or an overloaded issuer answers: the login goes on', async (t) => {
  const html = '<!doctype html><html><title>Too many requests</title></html>';
  const deviations: Record<string, (exchange: Exchange) => void> = {
    '429 with html': (exchange) =>
      Object.assign(exchange, {
        status: 429,
        body: html,
        headers: { 'content-type': 'text/html', 'retry-after': '0' },
      }),
    'Okta: 429 with an error of its own': (exchange) =>
      Object.assign(exchange, { status: 429, body: JSON.stringify({ errorCode: 'E0000047' }) }),
    '429 with an OAuth error': (exchange) =>
      Object.assign(exchange, { status: 429, body: JSON.stringify({ error: 'too_many_requests' }) }),
    'Google: an error that is an object': (exchange) =>
      Object.assign(exchange, {
        status: 429,
        body: JSON.stringify({ error: { code: 429, status: 'RESOURCE_EXHAUSTED' } }),
      }),
    '502 with html': (exchange) =>
      Object.assign(exchange, { status: 502, body: html, headers: { 'content-type': 'text/html' } }),
    'a captive portal: 200 with html': (exchange) =>
      Object.assign(exchange, { status: 200, body: html, headers: { 'content-type': 'text/html' } }),
    'a captive portal: a redirect': (exchange) =>
      Object.assign(exchange, { status: 302, body: '', headers: { location: 'http://portal.example/' } }),
    'a firewall: 403 with html': (exchange) =>
      Object.assign(exchange, { status: 403, body: html, headers: { 'content-type': 'text/html' } }),
    'a proxy that wants a login': (exchange) =>
      Object.assign(exchange, { status: 407, body: html, headers: { 'proxy-authenticate': 'Basic' } }),
    'an empty answer': (exchange) => Object.assign(exchange, { status: 200, body: '' }),
  };
  for (const [what, change] of Object.entries(deviations)) {
    const provider = await world(t);
    const { login, troubles } = await logIn(provider, changePolls(provider, 2, change));
    t.equal(login.level, 'nonce', what);
    t.match(troubles[0], /^the issuer (?:answers HTTP \d+|cannot be reached), trying again$/, what);
    t.equal(troubles.at(-1), undefined, `${what}: over`);
  }
});

test('what is pending under other codes, types and forms is waited for', async (t) => {
  const pending = JSON.stringify({ error: 'authorization_pending' });
  const deviations: Record<string, Partial<Exchange>> = {
    'GitHub: 200 with the error': { status: 200, body: pending },
    'Google: 428': { status: 428, body: pending },
    'GitHub: a form': {
      status: 200,
      body: 'error=authorization_pending&error_description=wait',
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    },
    'JSON that says it is text': { status: 400, body: pending, headers: { 'content-type': 'text/plain' } },
    'with a byte order mark': { status: 400, body: `\ufeff${pending}` },
    '401 with a challenge': { status: 401, body: pending, headers: { 'www-authenticate': 'Basic realm="x"' } },
  };
  for (const [what, answer] of Object.entries(deviations)) {
    const provider = await world(t);
    const changed = changePolls(provider, 2, (exchange) => Object.assign(exchange, answer));
    const { login, troubles } = await logIn(provider, changed);
    t.equal(login.level, 'nonce', what);
    t.strictSame(troubles, [undefined], `${what}: no trouble`);
  }
});

test('the token answer: null, lists, text, no type', async (t) => {
  const provider = await world(t);
  provider.meddle = (exchange) => {
    if (exchange.path !== '/token' || exchange.status !== 200) return undefined;
    const { token_type: _gone, ...answer } = JSON.parse(exchange.body);
    exchange.body = JSON.stringify({ ...answer, scope: ['openid', 'email'], expires_in: '3600', session_state: null });
    return undefined;
  };
  t.equal((await logIn(provider)).login.level, 'nonce');
});

test('refusals under other names: each with words and a next step', async (t) => {
  for (const [answer, expected] of [
    [{ error: 'authorization_declined' }, { code: 'login-failed', message: /denied in the browser/ }],
    [{ error: 'code_expired' }, { code: 'login-expired', message: /expired before/ }],
    [{ error: 'bad_verification_code' }, { code: 'login-expired', hint: /dbguard login/ }],
    // Keycloak 26, where somebody lacks the role
    [{ error: 'not_allowed' }, { code: 'login-failed', hint: /role offline_access/ }],
  ] as const) {
    const provider = await world(t);
    const body = JSON.stringify(answer);
    const changed = changePolls(provider, 1, (exchange) => Object.assign(exchange, { status: 400, body }));
    await t.rejects(logIn(provider, changed), expected, answer.error);
  }
});

test('a page in between that stays, and a code that the issuer has no time for', async (t) => {
  const provider = await world(t);
  const page = { status: 403, body: '<html>blocked</html>', headers: { 'content-type': 'text/html' } };
  const never = changePolls(provider, 100, (exchange) => Object.assign(exchange, page));
  const blocked = { code: 'login-failed', message: /HTTP 403/, hint: /proxy|firewall/ };
  await t.rejects(logIn(provider, never), blocked, 'it ends before the code does');
  for (const [status, expected] of [
    [429, { code: 'login-failed', message: /too many requests/, hint: /minute/ }],
    [403, blocked],
    [200, { code: 'login-failed', message: /no answer of an issuer/ }],
  ] as const) {
    provider.meddle = (exchange) => {
      if (exchange.path === '/device/auth') Object.assign(exchange, { ...page, status });
      return undefined;
    };
    await t.rejects(logIn(provider), expected, `HTTP ${status} for the code`);
  }
  provider.meddle = (exchange) => {
    const answer = { status: 401, body: '{"error":"invalid_client"}', headers: { 'www-authenticate': 'Basic' } };
    if (exchange.path === '/device/auth') Object.assign(exchange, answer);
    return undefined;
  };
  await t.rejects(
    logIn(provider),
    { message: /does not know the client id/ },
    'RFC 6749 section 5.2: with a challenge',
  );
});

test('no answer makes a timer that Node cannot hold, or an exception', async (t) => {
  const value = fc.oneof(fc.jsonValue(), fc.double(), fc.constantFrom('5', '', '1e400', -0));
  const names = ['device_code', 'user_code', 'verification_uri', 'verification_url', 'expires_in', 'interval', 'error'];
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), value), fc.integer({ min: 200, max: 599 }), (body, status) => {
      const { answer } = standardForm(status, body);
      if (answer.device_code === undefined) return true;
      return [answer.expires_in, answer.interval].every((time) => Number(time) > 0 && Number(time) * 1000 < 2 ** 31);
    }),
  );
  t.pass();
});

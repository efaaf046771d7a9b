import { connect } from 'node:net';
import { decodeJwt } from 'jose';
import { type Test, test } from 'tap';
import { bindingNonce } from '../../src/identity/binding.js';
import { browserLogin } from '../../src/identity/browser-login.js';
import { discoverIssuer } from '../../src/identity/issuer.js';
import { issuerFetch } from '../../src/io/login/oidc-fetch.js';
import { listenForRedirect } from '../../src/io/login/oidc-redirect.js';
import { Browser, clientId, startProvider } from './provider.js';

async function world(t: Test) {
  const provider = await startProvider();
  t.teardown(() => provider.close());
  const redirect = await listenForRedirect();
  t.teardown(() => redirect.close());
  const issuer = await discoverIssuer({ issuer: provider.issuer, clientId }, { fetch: issuerFetch, now: Date.now });
  return { provider, redirect, issuer };
}

test('the nonce comes back where the device flow drops it; PKCE and state are used', async (t) => {
  const { provider, redirect, issuer } = await world(t);
  let page = new URL('about:blank');
  let lastPage = '';
  const login = await browserLogin(issuer, redirect, (opened) => {
    page = opened;
    void new Browser().go(opened.href).then(({ body }) => {
      lastPage = body;
    });
  });
  t.equal(login.level, 'nonce');
  t.equal(login.method, 'browser');
  t.equal(decodeJwt(login.bindingIdToken).nonce, bindingNonce(login.loginKey, login.salt));
  t.ok(login.refreshToken);
  t.equal(page.searchParams.get('code_challenge_method'), 'S256');
  t.ok(page.searchParams.get('state'));
  t.match(page.searchParams.get('redirect_uri'), /^http:\/\/127\.0\.0\.1:\d+\/callback$/);
  t.ok(provider.log.some(({ path, form }) => path === '/token' && form.get('code_verifier')));
  await redirect.close();
  t.match(lastPage, /Close this window/);
});

test('the person says no', async (t) => {
  const { redirect, issuer } = await world(t);
  const login = browserLogin(issuer, redirect, (page) => {
    const back = new URL(redirect.redirectUri);
    back.searchParams.set('state', page.searchParams.get('state') ?? '');
    back.searchParams.set('error', 'access_denied');
    back.searchParams.set('iss', issuer.metadata.issuer);
    void fetch(back);
  });
  await t.rejects(login, { code: 'login-failed', message: /denied/, hint: /dbguard login/ });
});

test('attack: answers with another state, method, host or path are turned away and end nothing', async (t) => {
  const { redirect, issuer } = await world(t);
  const statuses: number[] = [];
  const login = browserLogin(issuer, redirect, async (page) => {
    const attempt = async (url: URL, init?: RequestInit) => statuses.push((await fetch(url, init)).status);
    const forged = new URL(`${redirect.redirectUri}?code=stolen&state=guessed`);
    await attempt(forged);
    await attempt(new URL(`${redirect.redirectUri}?error=access_denied`));
    await attempt(forged, { method: 'POST' });
    await attempt(new URL('/elsewhere', forged));
    statuses.push(
      await rawStatus(forged, `GET ${forged.pathname}${forged.search} HTTP/1.1\r\nHost: evil.example\r\n\r\n`),
    );
    statuses.push(await rawStatus(forged, `GET // HTTP/1.1\r\nHost: ${forged.host}\r\n\r\n`));
    statuses.push(await rawStatus(forged, `GET http://evil.example/callback HTTP/1.1\r\nHost: ${forged.host}\r\n\r\n`));
    await new Browser().go(page.href);
  });
  t.equal((await login).level, 'nonce');
  t.strictSame(statuses, [400, 400, 405, 404, 400, 404, 404]);
});

test('attack: an answer of another issuer is refused (mix-up, RFC 9207)', async (t) => {
  const { redirect, issuer } = await world(t);
  const login = browserLogin(issuer, redirect, (page) => {
    const back = new URL(redirect.redirectUri);
    back.searchParams.set('state', page.searchParams.get('state') ?? '');
    back.searchParams.set('code', 'a-code-of-the-other-issuer');
    back.searchParams.set('iss', 'https://evil.example');
    void fetch(back);
  });
  await t.rejects(login, { code: 'login-failed' });
});

test('attack: a nonce that was changed on the way to the issuer', async (t) => {
  const { redirect, issuer } = await world(t);
  const login = browserLogin(issuer, redirect, (page) => {
    page.searchParams.set('nonce', 'the-nonce-of-somebody-else');
    void new Browser().go(page.href);
  });
  await t.rejects(login, { code: 'login-failed', message: /nonce/ });
});

test('where the browser may come back to', async (t) => {
  for (const uri of ['https://127.0.0.1/cb', 'http://example.com/cb', 'http://0.0.0.0/cb', 'nonsense']) {
    await t.rejects(listenForRedirect(uri), { code: 'usage' }, uri);
  }
  const first = await listenForRedirect('http://localhost/login');
  t.teardown(() => first.close());
  t.match(first.redirectUri, /^http:\/\/localhost:\d+\/login$/);
  await t.rejects(listenForRedirect(first.redirectUri), { code: 'listen-failed', hint: /--redirect-uri/ });
});

/** What `fetch` would not send. */
function rawStatus(url: URL, request: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname, () => socket.write(request));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('end', () => resolve(Number(text.split(' ')[1])));
  });
}

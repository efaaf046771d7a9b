import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Test, test } from 'tap';
import { deviceLogin } from '../../src/identity/device-login.js';
import { discoverIssuer } from '../../src/identity/issuer.js';
import { issuerFetch } from '../../src/io/oidc-fetch.js';
import { Browser, clientId, startProvider } from '../identity/provider.js';

async function serve(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('plain http goes to loopback only', async (t) => {
  for (const link of [
    'http://issuer.example/token',
    'http://192.0.2.1/',
    'http://127.0.0.1.evil.example/',
    'ftp://127.0.0.1/',
  ]) {
    await t.rejects(issuerFetch(link), { code: 'login-failed', message: /not https/ }, link);
  }
  const origin = await serve(t, (_request, response) => response.end('here'));
  t.equal(await (await issuerFetch(origin)).text(), 'here');
});

test('redirects are not followed, endless answers are cut', async (t) => {
  const origin = await serve(t, (request, response) => {
    if (request.url === '/away') {
      response.writeHead(302, { location: 'http://192.0.2.1/' });
      response.end();
      return;
    }
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const more = () => {
      while (response.write(chunk));
    };
    response.on('drain', more);
    more();
  });
  t.equal((await issuerFetch(`${origin}/away`)).status, 302);
  await t.rejects((await issuerFetch(origin)).text(), { code: 'login-failed', message: /too much/ });
});

test('attack: a discovery document that sends the tokens elsewhere', async (t) => {
  const provider = await startProvider();
  t.teardown(() => provider.close());
  provider.meddle = (exchange) => {
    if (exchange.path === '/.well-known/openid-configuration') {
      exchange.body = JSON.stringify({ ...JSON.parse(exchange.body), token_endpoint: 'http://192.0.2.1/token' });
    }
    return undefined;
  };
  const issuer = await discoverIssuer({ issuer: provider.issuer, clientId }, { fetch: issuerFetch, now: Date.now });
  const login = deviceLogin(issuer, {
    prompt: ({ verificationUriComplete = '' }) => {
      new Browser().confirmDevice(verificationUriComplete).catch(() => {});
    },
  });
  await t.rejects(login, { code: 'login-failed', message: /refusing to send a login to http:\/\/192\.0\.2\.1/ });
});

test('attack: a discovery document of another issuer', async (t) => {
  const origin = await serve(t, (_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ issuer: 'https://accounts.example', token_endpoint: 'https://accounts.example/token' }),
    );
  });
  await t.rejects(discoverIssuer({ issuer: origin, clientId }, { fetch: issuerFetch, now: Date.now }), {
    code: 'login-failed',
    message: /does not answer as an OpenID Connect issuer/,
  });
});

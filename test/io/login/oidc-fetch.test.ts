import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { deviceLogin } from '../../../src/identity/device-login.js';
import { discoverIssuer } from '../../../src/identity/issuer.js';
import { issuerFetch } from '../../../src/io/login/oidc-fetch.js';
import { Browser, clientId, startProvider } from '../../identity/provider.js';
import { makeCertificate } from '../upstream/certificates.js';

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

test('https: a certificate that nobody trusts is refused in words; NODE_EXTRA_CA_CERTS is how to trust it', async (t) => {
  const authority = makeCertificate({ name: 'Test CA', authority: true });
  const certificate = makeCertificate({ name: 'issuer', issuer: authority, hosts: ['127.0.0.1'] });
  const server = createTlsServer({ key: certificate.keyPem, cert: certificate.pem }, (_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ issuer }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await t.rejects(discoverIssuer({ issuer, clientId }, { fetch: issuerFetch, now: Date.now }), {
    code: 'login-failed',
    message: /TLS certificate .* not trusted: UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
    hint: /NODE_EXTRA_CA_CERTS/,
  });

  const folder = t.testdir();
  const [script, ca] = [join(folder, 'script.mts'), join(folder, 'ca.pem')];
  writeFileSync(ca, authority.pem);
  writeFileSync(
    script,
    `import { connectIssuer } from '${new URL('../../../src/io/login/oidc-login-source.js', import.meta.url).href}';
     console.log((await connectIssuer({ issuer: '${issuer}', clientId: 'dbguard' })).metadata.issuer);`,
  );
  const child = spawn(process.execPath, [...process.execArgv, script], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: ca },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  for await (const chunk of child.stdout) out += chunk;
  t.equal(out, `${issuer}\n`);
});

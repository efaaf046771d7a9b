/** A company's network: a real CONNECT proxy that counts what passes, a real TLS server with the company's own root. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { outwardFetch } from '../../../src/io/http/outward-fetch.js';
import { type ProxyBehaviour, startConnectProxy } from '../../helpers/connect-proxy.js';
import { makeCertificate } from '../upstream/certificates.js';

const authority = makeCertificate({ name: 'Company CA', authority: true });
const { pem: cert, keyPem: key } = makeCertificate({ name: 'login', hosts: ['login.example.com'], issuer: authority });
const site = createServer({ cert, key }, (request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => response.end(`${request.method} ${request.url} ${Buffer.concat(parts)}`));
});
site.listen(0, '127.0.0.1');
await once(site, 'listening');
const { port } = site.address() as AddressInfo;
t.teardown(() => site.close());
const ca = t.testdir({ 'company.pem': authority.pem });
const trusting = { NODE_EXTRA_CA_CERTS: join(ca, 'company.pem') };

async function proxy(t: Test, behaviour: Partial<ProxyBehaviour> = {}) {
  const started = await startConnectProxy({ route: () => port, ...behaviour });
  t.teardown(() => started.close());
  return started;
}

t.test('a request goes through the proxy, with the company’s root from NODE_EXTRA_CA_CERTS', async (t) => {
  const way = await proxy(t);
  const answer = await outwardFetch({ ...trusting, HTTPS_PROXY: way.url })('https://login.example.com/token', {
    method: 'POST',
    body: new URLSearchParams({ code: 'x' }),
  });
  t.equal(await answer.text(), 'POST /token code=x');
  t.strictSame(way.asked, ['login.example.com:443']);
  t.ok(way.carried() > 0);
});

t.test('the system’s own bundle counts too', async (t) => {
  const way = await proxy(t);
  const fetch = outwardFetch({ SSL_CERT_FILE: trusting.NODE_EXTRA_CA_CERTS, https_proxy: way.url });
  t.equal((await fetch('https://login.example.com/')).status, 200);
});

t.test('a root that nobody named is not believed', async (t) => {
  const way = await proxy(t);
  await t.rejects(outwardFetch({ HTTPS_PROXY: way.url })('https://login.example.com/'), {
    cause: { code: /VERIFY|SELF_SIGNED/ },
  });
});

t.test('a certificate of another host is not believed through a proxy either', async (t) => {
  const way = await proxy(t);
  const fetch = outwardFetch({ ...trusting, HTTPS_PROXY: way.url });
  await t.rejects(fetch('https://other.example.com/'), { cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } });
});

t.test('a login at the proxy; its password is in no error', async (t) => {
  const way = await proxy(t);
  const login = way.url.replace('//', '//ada:h%40sh@');
  await outwardFetch({ ...trusting, HTTPS_PROXY: login })('https://login.example.com/');
  t.strictSame(way.logins, [`Basic ${Buffer.from('ada:h@sh').toString('base64')}`]);
  const closed = await proxy(t, { instead: 'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n' });
  const error = await outwardFetch({ HTTPS_PROXY: closed.url.replace('//', '//ada:hush-word@') })(
    'https://login.example.com/',
  ).catch((reason: unknown) => reason);
  t.match(error, { code: 'proxy-refused', message: /127\.0\.0\.1:\d+ refused login\.example\.com:443: HTTP 407/ });
  t.notMatch(`${JSON.stringify(error)}${error}`, /hush/);
});

t.test('attack: what a proxy answers to CONNECT is not the answer of who is behind it', async (t) => {
  for (const status of ['201 Created', '204 No Content', '404 Not Found', '302 Found']) {
    const way = await proxy(t, { instead: `HTTP/1.1 ${status}\r\ncontent-length: 2\r\n\r\n{}` });
    await t.rejects(outwardFetch({ HTTPS_PROXY: way.url })('https://login.example.com/'), { message: /./ }, status);
  }
});

t.test('a proxy that is not there is named, with what to do', async (t) => {
  const error = await outwardFetch({ HTTPS_PROXY: 'http://127.0.0.1:1' })('https://login.example.com/').catch(
    (reason: unknown) => reason,
  );
  t.match(error, { code: 'proxy-refused', message: /the proxy 127\.0\.0\.1:1 cannot be used/, hint: /HTTPS_PROXY/ });
});

t.test('NO_PROXY and this machine go past it', async (t) => {
  const way = await proxy(t);
  const env = { ...trusting, HTTPS_PROXY: way.url, NO_PROXY: '.invalid' };
  await t.rejects(outwardFetch(env)('https://login.invalid/'), { cause: { code: /ENOTFOUND|EAI_AGAIN/ } });
  await t.rejects(outwardFetch(env)(`https://localhost:${port}/`), {
    cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
  });
  t.strictSame(way.asked, []);
});

import t from 'tap';
import { proxyFor, proxyLabel } from '../../../src/io/http/proxy-settings.js';

const proxy = 'http://proxy.corp:3128';
const through = (target: string, env: Record<string, string>) => proxyFor(new URL(target), env)?.href;

t.test('which variable counts', async (t) => {
  t.equal(through('https://a.example/', { HTTPS_PROXY: proxy }), `${proxy}/`);
  t.equal(through('https://a.example/', { https_proxy: proxy }), `${proxy}/`);
  t.equal(through('https://a.example/', { https_proxy: 'lower:1', HTTPS_PROXY: 'upper:1' }), 'http://lower:1/');
  t.equal(through('https://a.example/', { HTTP_PROXY: proxy }), undefined);
  t.equal(through('http://a.example/', { HTTP_PROXY: proxy }), `${proxy}/`);
  t.equal(through('https://a.example/', { ALL_PROXY: proxy }), `${proxy}/`);
  t.equal(
    through('https://a.example/', { HTTPS_PROXY: 'proxy.corp:8080' }),
    'http://proxy.corp:8080/',
    'without a scheme',
  );
  t.equal(through('https://a.example/', { HTTPS_PROXY: '' }), undefined);
  t.equal(through('https://a.example/', {}), undefined);
});

t.test('NO_PROXY', async (t) => {
  const cases: readonly (readonly [noProxy: string, target: string, exempt: boolean])[] = [
    ['*', 'https://a.example/', true],
    ['a.example', 'https://a.example/', true],
    ['a.example', 'https://b.a.example/', true],
    ['a.example', 'https://nota.example/', false],
    ['.a.example', 'https://b.a.example/', true],
    ['*.a.example', 'https://b.a.example/', true],
    ['A.Example', 'https://a.example/', true],
    ['a.example.', 'https://a.example/', true],
    ['x, a.example', 'https://a.example/', true],
    ['x a.example', 'https://a.example/', true],
    ['a.example:443', 'https://a.example/', true],
    ['a.example:8443', 'https://a.example/', false],
    ['a.example:8443', 'https://a.example:8443/', true],
    ['10.0.0.0/8', 'https://10.9.8.7/', true],
    ['10.0.0.0/8', 'https://11.0.0.1/', false],
    ['10.0.0.0/40', 'https://10.0.0.1/', false],
    ['10.1.2.3', 'https://10.1.2.3/', true],
    ['10.1.2.3:9000', 'https://10.1.2.3/', false],
    ['fd00::/8', 'https://[fd12::1]/', true],
    ['fd00::/8', 'https://[fe80::1]/', false],
    ['[fd12::1]:443', 'https://[fd12::1]/', true],
    ['10.0.0.0/8', 'https://ten.example/', false],
    ['', 'https://localhost:1/', true],
    ['', 'http://127.0.0.1:1/', true],
    ['', 'http://[::1]:1/', true],
    ['', 'https://localhost.example/', false],
  ];
  for (const [noProxy, target, exempt] of cases) {
    for (const name of ['NO_PROXY', 'no_proxy']) {
      const found = through(target, { HTTPS_PROXY: proxy, HTTP_PROXY: proxy, [name]: noProxy });
      t.equal(found === undefined, exempt, `${name}=${noProxy} ${target}`);
    }
  }
});

t.test('credentials of a proxy are in no text', async (t) => {
  t.equal(proxyLabel(new URL('http://ada:hush@proxy.corp')), 'proxy.corp:80');
  for (const value of ['socks5://ada:hush@proxy:1080', 'http://ada:hush@', 'http://ada:hush@proxy:99999']) {
    try {
      through('https://a.example/', { HTTPS_PROXY: value });
      t.fail(value);
    } catch (error) {
      t.match(error, { code: 'usage', message: 'HTTPS_PROXY is not the URL of an HTTP proxy' });
      t.notMatch(JSON.stringify(error), /hush|ada/);
    }
  }
});

import t from 'tap';
import { bearerIn } from '../../src/wire/oauthbearer.js';

const said = (text: string) => bearerIn(Buffer.from(text.replaceAll('^', '\u0001'), 'latin1'));

t.test('as libpq says it, and as RFC 7628 allows it', async (t) => {
  t.equal(said('n,,^auth=Bearer abc.def-_~+/==^^'), 'abc.def-_~+/==');
  t.equal(said('y,,^host=db^port=5432^auth=bearer   abc^^'), 'abc');
  t.equal(said('n,,^auth=^^'), '', 'a client that wants to know where to get one');
});

t.test('anything else', async (t) => {
  for (const text of [
    ...['', 'n', 'n,,', 'n,,^', 'n,,^^', 'n,,^auth=Bearer abc', 'n,,^auth=Bearer abc^', 'n,,^auth=Bearer abc^^x'],
    ...['p=tls-exporter,,^auth=Bearer abc^^', 'n,a=root,^auth=Bearer abc^^', 'n,,^auth=Basic abc^^', 'n,,^auth=abc^^'],
    ...[
      'n,,^auth=Bearer a^auth=Bearer b^^',
      'n,,^Auth=Bearer a^auth=Bearer b^^',
      'n,,^auth=Bearer a b^^',
      'n,,^host=db^^',
      'n,,^=x^^',
    ],
  ])
    t.throws(() => said(text), { message: /OAUTHBEARER|SASL/ }, text);
});

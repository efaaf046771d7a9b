import t from 'tap';
import { ScramClient } from '../../src/wire/scram-client.js';
import { deriveScramKeys, hmac, makeScramVerifier, storedKeyOf, xor } from '../../src/wire/scram-keys.js';
import { ScramServer, type ScramVerifiers } from '../../src/wire/scram-server.js';

const nonce = Buffer.alloc(18, 7);
const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');

/** RFC 7677 section 3. */
const vector = {
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

t.test('RFC 7677 vector: the keys give the proof and the server signature of the RFC', async (t) => {
  const keys = await deriveScramKeys('pencil', salt, 4096);
  const withoutProof = vector.clientFinal.slice(0, vector.clientFinal.indexOf(',p='));
  const authMessage = `${vector.clientFirst.slice(3)},${vector.serverFirst},${withoutProof}`;
  const proof = xor(keys.clientKey, hmac(storedKeyOf(keys.clientKey), authMessage));
  t.equal(`${withoutProof},p=${proof.toString('base64')}`, vector.clientFinal);
  t.equal(`v=${hmac(keys.serverKey, authMessage).toString('base64')}`, vector.serverFinal);
});

function client(password: string, overrides: Partial<ConstructorParameters<typeof ScramClient>[0]> = {}) {
  return new ScramClient({
    channelBinding: { kind: 'none' },
    randomNonce: Buffer.alloc(18, 1),
    keys: (salt, iterations) => deriveScramKeys(password, salt, iterations),
    minIterations: 4096,
    ...overrides,
  });
}

async function exchange(verifiers: ScramVerifiers, password: string) {
  const server = new ScramServer(verifiers, nonce);
  const one = client(password);
  const challenge = server.start(one.mechanism, one.first());
  if (challenge.kind === 'failure') return challenge;
  const outcome = server.finish(await one.respond(challenge.data));
  if (outcome.kind === 'final') one.verify(outcome.data);
  return outcome;
}

t.test('both sides agree on the right password, for every kind of password', async (t) => {
  for (const password of ['pencil', 'a,=b', 'Pässwörd', 'IX', '\u2168', 'x\u00adx', '🦀 crab', 'ا1']) {
    const outcome = await exchange([await makeScramVerifier(password, salt)], password);
    t.equal(outcome.kind, 'final', password);
  }
});

t.test('each of several passwords opens, and the client is shown the server that knows its own', async (t) => {
  const verifiers: ScramVerifiers = [await makeScramVerifier('one', salt), await makeScramVerifier('two', salt)];
  t.equal((await exchange(verifiers, 'one')).kind, 'final');
  t.equal((await exchange(verifiers, 'two')).kind, 'final');
  t.match(await exchange(verifiers, 'three'), { kind: 'failure', reason: 'refused' });
});

t.test('the server refuses messages that are malformed, out of order or sent twice', async (t) => {
  const verifier = await makeScramVerifier('pw', salt);
  const server = () => new ScramServer([verifier], nonce);
  const bad: [string, Buffer | undefined][] = [
    ['SCRAM-SHA-256-PLUS', Buffer.from('n,,n=,r=abc')],
    ['SCRAM-SHA-256', undefined],
    ['SCRAM-SHA-256', Buffer.from('')],
    ['SCRAM-SHA-256', Buffer.from('p=tls-server-end-point,,n=,r=abc')],
    ['SCRAM-SHA-256', Buffer.from('n,a=root,n=,r=abc')],
    ['SCRAM-SHA-256', Buffer.from('nx,,n=,r=abc')],
    ['SCRAM-SHA-256', Buffer.from('n,,m=ext,n=,r=abc')],
    ['SCRAM-SHA-256', Buffer.from('n,,n=,r=')],
    ['SCRAM-SHA-256', Buffer.from('n,,n=,r=a\u00e4')],
    ['SCRAM-SHA-256', Buffer.from('n,,n=,r=abc,m=x')],
    ['SCRAM-SHA-256', Buffer.from('n,,n=,r=abc\0')],
    ['SCRAM-SHA-256', Buffer.from(`n,,n=,r=${'a'.repeat(5000)}`)],
  ];
  for (const [mechanism, data] of bad) {
    t.match(server().start(mechanism, data), { kind: 'failure', reason: 'malformed' }, String(data));
  }
  t.match(server().finish(Buffer.from('c=biws,r=x,p=x')), { kind: 'failure', reason: 'malformed' }, 'finish first');

  const first = Buffer.from('n,,n=,r=abc');
  const full = `abc${nonce.toString('base64')}`;
  const proof = Buffer.alloc(32).toString('base64');
  for (const final of [
    '',
    `c=biws,r=${full}`,
    `c=eSws,r=${full},p=${proof}`,
    `c=biws,r=abc,p=${proof}`,
    `c=biws,r=${full},p=short`,
    `c=biws,r=${full},p=${proof},x=y`,
    `c=*,r=${full},p=${proof}`,
  ]) {
    const one = server();
    t.equal(one.start('SCRAM-SHA-256', first).kind, 'challenge');
    t.match(one.finish(Buffer.from(final)), { kind: 'failure', reason: 'malformed' }, final);
    t.match(one.finish(Buffer.from(final)), { kind: 'failure', message: /out of order/ }, 'no second try');
  }
  const twice = server();
  twice.start('SCRAM-SHA-256', first);
  t.match(twice.start('SCRAM-SHA-256', first), { kind: 'failure', reason: 'malformed' });
});

t.test('extensions that the client may ignore are part of what is signed', async (t) => {
  const verifier = await makeScramVerifier('pw', salt);
  const server = new ScramServer([verifier], nonce);
  t.equal(server.start('SCRAM-SHA-256', Buffer.from('y,,n=whoever,r=abc,x=1')).kind, 'challenge');
});

t.test('the client refuses a server that is careless, hostile or does not know the password', async (t) => {
  const own = Buffer.alloc(18, 1).toString('base64');
  const s = salt.toString('base64');
  const hostile: [string, RegExp][] = [
    [`r=${own},s=${s},i=4096`, /did not extend/],
    [`r=other${own},s=${s},i=4096`, /did not extend/],
    [`r=${own}x,s=${s},i=1`, /at least 4096/],
    [`r=${own}x,s=${s},i=0`, /impossible/],
    [`r=${own}x,s=${s},i=-5`, /impossible/],
    [`r=${own}x,s=${s},i=1e9`, /impossible/],
    [`r=${own}x,s=${s},i=999999999`, /impossible/],
    [`r=${own}x,s=!,i=4096`, /not base64/],
    [`r=${own}x,i=4096,s=${s}`, /s is missing/],
    [`r=${own}x,s=${s},i=4096,m=must`, /extension/],
    [`m=must,r=${own}x,s=${s},i=4096`, /missing/],
    ['e=other-error', /missing/],
    ['', /missing/],
  ];
  for (const [message, expected] of hostile) {
    await t.rejects(
      client('pw').respond(Buffer.from(message)),
      { name: 'ProtocolViolation', message: expected },
      message,
    );
  }
  const lenient = client('pw', { minIterations: 1 });
  t.match(String(await lenient.respond(Buffer.from(`r=${own}x,s=${s},i=1`))), /^c=biws,r=/);

  const one = client('pw');
  t.throws(() => one.verify(Buffer.from(`v=${Buffer.alloc(32).toString('base64')}`)), /could not prove/, 'too early');
  await one.respond(Buffer.from(`r=${own}x,s=${s},i=4096`));
  for (const final of [`v=${Buffer.alloc(32).toString('base64')}`, 'v=', 'v=AAAA', 'e=invalid-proof', '']) {
    t.throws(() => one.verify(Buffer.from(final)), { name: 'ProtocolViolation' }, final);
  }
});

t.test('gs2 header and channel binding data', async (t) => {
  const own = Buffer.alloc(18, 1).toString('base64');
  const serverFirst = Buffer.from(`r=${own}x,s=${salt.toString('base64')},i=4096`);
  const hash = Buffer.alloc(32, 9);
  const plus = client('pw', { channelBinding: { kind: 'tls-server-end-point', certificateHash: hash } });
  t.equal(plus.mechanism, 'SCRAM-SHA-256-PLUS');
  t.equal(String(plus.first()), `p=tls-server-end-point,,n=,r=${own}`);
  const c = /^c=([^,]*),/.exec(String(await plus.respond(serverFirst)))?.[1] ?? '';
  t.same(Buffer.from(c, 'base64'), Buffer.concat([Buffer.from('p=tls-server-end-point,,'), hash]));
  const could = client('pw', { channelBinding: { kind: 'not-offered' } });
  t.equal(could.mechanism, 'SCRAM-SHA-256');
  t.equal(String(could.first()), `y,,n=,r=${own}`);
  t.match(String(await could.respond(serverFirst)), /^c=eSws,/);
});

/** What a gateway takes in the place of a password, and what of it may stand in a transcript. */
import { type KeyObject, randomBytes, sign } from 'node:crypto';
import { SignJWT } from 'jose';
import t from 'tap';
import { verifyBearerToken, verifyShownToken } from '../../src/identity/bearer-token.js';
import type { IssuerKey } from '../../src/identity/identity.js';
import { proveSignature, provesSignature } from '../../src/identity/token-proof.js';
import { newKeyPair } from '../helpers/keys.js';

const now = Date.UTC(2026, 10, 30, 12);
const issuer = 'https://issuer.example';
const expected = { issuer, audience: 'gw', clients: ['gw', 'psql'], now, clockSkew: 30 };
const rsa = newKeyPair('rsa');
const ec = newKeyPair('ec');
const jwkOf = (key: KeyObject, kid: string) => ({ ...key.export({ format: 'jwk' }), kid }) as IssuerKey;
const keys = { keys: [jwkOf(rsa.publicKey, 'r'), jwkOf(ec.publicKey, 'e')] };
const session = randomBytes(32).toString('base64url');

const claims = { iss: issuer, sub: 'ada', aud: 'gw', iat: now / 1000 - 10, exp: now / 1000 + 300 };
const signed = (more: object = {}, head: object = {}, by: KeyObject = rsa.privateKey) =>
  new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg: 'RS256', kid: 'r', ...head }).sign(by);
const byEc = (more: object = {}) => signed(more, { alg: 'ES256', kid: 'e' }, ec.privateKey);
const shown = (one: { shown: string }, proof: string | undefined, to = session) =>
  verifyShownToken({ shown: one.shown, proof, session: to }, keys, expected);

t.test('an ID token, an access token, one of a client that may ask for it', async (t) => {
  for (const [more, head] of [
    [{}, {}],
    [{ nonce: 'of-a-login' }, {}],
    [{ azp: 'psql', aud: ['gw', 'api'] }, {}],
    [{ client_id: 'psql' }, { typ: 'at+jwt' }],
    [{ typ: 'Bearer', azp: 'psql' }, {}],
  ]) {
    const token = await verifyBearerToken(await signed(more, head), keys, expected);
    t.match(token, { subject: { iss: issuer, sub: 'ada' }, expiresAt: claims.exp * 1000 });
    t.match(token.shown, /\.$/, 'without a signature');
  }
});

t.test('what is no token for this gateway', async (t) => {
  const hmac = new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', kid: 'r' })
    .sign(Buffer.from(rsa.publicKey.export({ format: 'pem', type: 'spki' })));
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await signed()).split('.')[1]}.`;
  const wrong: Record<string, string> = {
    'another audience': await signed({ aud: 'dbguard' }),
    'another issuer': await signed({ iss: 'https://other.example' }),
    'another client': await signed({ azp: 'wiki' }),
    'two clients': await signed({ azp: 'psql', client_id: 'wiki' }),
    'several audiences, no client': await signed({ aud: ['gw', 'api'] }),
    expired: await signed({ exp: now / 1000 - 31 }),
    'not yet': await signed({ nbf: now / 1000 + 31 }),
    'from the future': await signed({ iat: now / 1000 + 31 }),
    'without an end': await signed({ exp: undefined }),
    'bound to a key': await signed({ cnf: { jkt: 'x' } }),
    'a refresh token': await signed({ typ: 'Refresh' }),
    'a logout token': await signed({ events: {} }),
    'critical extensions': await signed({}, { crit: ['b64'], b64: true }).catch(() => 'x.y.z'),
    'a stranger’s signature': await signed({}, {}, newKeyPair('rsa').privateKey),
    'alg none': none,
    'HS256 with the public key': await hmac,
  };
  for (const [what, token] of Object.entries(wrong)) await t.rejects(verifyBearerToken(token, keys, expected), what);
  await t.resolves(verifyBearerToken(await signed({ azp: 'anybody' }), keys, { ...expected, clients: 'any' }));
});

t.test('what a transcript has of it proves the issuer’s signature and opens nothing', async (t) => {
  const token = await signed();
  const taken = await verifyBearerToken(token, keys, expected);
  const proof = taken.prove(session, randomBytes);
  t.ok(proof);
  t.match(shown(taken, proof), { proven: true, subject: { sub: 'ada' } });
  t.notOk(`${taken.shown}${proof}`.includes(token.split('.')[2] ?? 'x'));
  await t.rejects(verifyBearerToken(taken.shown, keys, expected), 'nobody logs in with what is shown');
  await t.rejects(verifyBearerToken(`${taken.shown}${proof?.slice(0, 342)}`, keys, expected));

  const another = randomBytes(32).toString('base64url');
  t.throws(() => shown(taken, proof, another), 'of another session');
  t.throws(() => shown(taken, undefined), 'none');
  const other = await verifyBearerToken(await signed({ sub: 'eve' }), keys, expected);
  t.throws(() => shown(other, proof), 'of another token');
  t.throws(() => verifyShownToken({ shown: token, proof, session }, keys, expected), 'the signature stands there');
  for (let at = 0; at < 40; at++) {
    const bytes = Buffer.from(proof ?? '', 'base64url');
    const place = Math.floor((at / 40) * bytes.length);
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    t.throws(() => shown(taken, bytes.toString('base64url')), `changed at ${place}`);
  }
});

t.test('nobody proves a signature that he has not seen', async (t) => {
  const forged = { ...claims, sub: 'victim' };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signingInput = `${part({ alg: 'RS256', kid: 'r' })}.${part(forged)}`;
  const [key] = keys.keys;
  if (!key) throw new Error('no key');
  const text = { signingInput, key, session };
  const guesses = [
    randomBytes(256),
    Buffer.alloc(256),
    Buffer.alloc(256, 1),
    sign('sha256', Buffer.from('x'), rsa.privateKey),
  ];
  for (const guess of guesses) t.notOk(provesSignature(text, proveSignature(text, guess, randomBytes)));
  for (const proof of [
    '',
    'AAAA',
    Buffer.alloc(32 + 16 * 256).toString('base64url'),
    Buffer.alloc(32 + 16 * 256, 1).toString('base64url'),
  ])
    t.notOk(provesSignature(text, proof));
  t.ok(
    provesSignature(text, proveSignature(text, sign('sha256', Buffer.from(signingInput), rsa.privateKey), randomBytes)),
  );
});

t.test('of other signatures, and other exponents, nothing is shown', async (t) => {
  const taken = await verifyBearerToken(await byEc(), keys, expected);
  t.equal(taken.prove(session, randomBytes), undefined);
  t.match(shown(taken, undefined), { proven: false });
  const real = await verifyBearerToken(await signed(), keys, expected);
  t.throws(() => shown(taken, real.prove(session, randomBytes)), 'a proof of something else');
  const three = newKeyPair('rsa-3');
  const odd = { keys: [jwkOf(three.publicKey, 'r')] };
  const token = await verifyBearerToken(await signed({}, {}, three.privateKey), odd, expected);
  t.equal(token.prove(session, randomBytes), undefined);
});

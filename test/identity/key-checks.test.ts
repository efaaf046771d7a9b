/** Keys under which a signature proves nothing, for each place where a key comes in: login, session, issuer. */

import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'tap';
import { bindingNonce, certifyingKey, generateLoginKey, publicHalf, thumbprint } from '../../src/identity/binding.js';
import { verifyIdToken } from '../../src/identity/id-token.js';
import type { IssuerKey } from '../../src/identity/identity.js';
import { ed25519Fault, issuerKeyFault } from '../../src/identity/key-checks.js';
import { CERTIFICATE_TYPE, sessionId, verifyCertificate } from '../../src/identity/session.js';
import { newKeyPair } from '../helpers/keys.js';

interface Vectors {
  readonly ed25519: readonly { readonly what: string; readonly x: string }[];
  readonly issuer: readonly { readonly what: string; readonly alg: string; readonly jwk: IssuerKey }[];
  readonly sound: readonly { readonly what: string; readonly jwk: IssuerKey }[];
}

const vectors: Vectors = JSON.parse(readFileSync(new URL('../vectors/keys.json', import.meta.url), 'utf8'));
const now = Date.UTC(2026, 10, 23);
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

test('degenerate Ed25519 keys are no login keys and no session keys', async (t) => {
  const sid = sessionId(now);
  for (const { what, x } of vectors.ed25519) {
    const key = { kty: 'OKP', crv: 'Ed25519', x } as const;
    t.throws(() => certifyingKey(key), TypeError, what);
    const certificate = JSON.stringify({
      payloadType: CERTIFICATE_TYPE,
      payload: Buffer.from('{}').toString('base64'),
      signatures: [{ keyid: thumbprint(key), sig: Buffer.alloc(64).toString('base64') }],
    });
    const as = { code: 'transcript-invalid', message: /login key proves nothing/ };
    await t.rejects(verifyCertificate(certificate, key, { sid, at: now }), as, `${what}, as a login key`);
  }
});

test('attack: a point of order 1 signs every message without a private key', async (t) => {
  const [order1] = vectors.ed25519;
  // R and A the neutral element, S zero: S·B = R + h·A for every h. OpenSSL accepts it; we never get to ask.
  const neutral = Buffer.from(order1?.x ?? '', 'base64url');
  t.equal(neutral.toString('hex'), `01${'00'.repeat(31)}`);
  const keys = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: order1?.x, kid: 'k' }] };
  const claims = { iss: 'https://i.example', aud: 'dbguard', sub: 'boss', iat: now / 1000, exp: now / 1000 + 60 };
  const signature = Buffer.concat([neutral, Buffer.alloc(32)]).toString('base64url');
  const token = `${encode({ alg: 'EdDSA', kid: 'k' })}.${encode(claims)}.${signature}`;
  await t.rejects(verifyIdToken(token, keys, { issuer: 'https://i.example', audience: 'dbguard', now }), {
    code: 'login-failed',
    message: /proves nothing: it is a point of small order/,
  });
});

test('attack: an RSA exponent of 1 makes the padded message its own signature', async (t) => {
  const weak = vectors.issuer.find(({ what }) => what === 'exponent 1')?.jwk;
  const { privateKey } = newKeyPair('rsa');
  const head = `${encode({ alg: 'RS256' })}.${encode({ iss: 'https://i.example', aud: 'dbguard', sub: 'boss', iat: now / 1000, exp: now / 1000 + 60 })}`;
  const signature = sign('sha256', Buffer.from(head), privateKey).toString('base64url');
  const keys = { keys: weak ? [weak] : [] };
  await t.rejects(
    verifyIdToken(`${head}.${signature}`, keys, { issuer: 'https://i.example', audience: 'dbguard', now }),
    { message: /its own signature/ },
  );
});

test('issuers’ keys that prove nothing', async (t) => {
  const nonce = bindingNonce(generateLoginKey(), Buffer.alloc(16));
  for (const { what, alg, jwk } of vectors.issuer) {
    const token = `${encode({ alg, kid: 'k' })}.${encode({ iss: 'https://i.example', aud: 'dbguard', sub: 'boss', nonce, iat: 1, exp: 2 ** 40 })}.${Buffer.alloc(64).toString('base64url')}`;
    const keys = { keys: [{ ...jwk, kid: 'k' }] };
    const expected = { issuer: 'https://i.example', audience: 'dbguard', now, nonce };
    await t.rejects(verifyIdToken(token, keys, expected), { code: 'login-failed' }, what);
    // These two are found by importing them.
    if (/not on the curve|infinity|beyond the field/.test(what)) continue;
    t.type(issuerKeyFault(jwk), 'string', what);
  }
});

test('sound keys pass, also in great numbers', async (t) => {
  for (const { what, jwk } of vectors.sound) t.equal(issuerKeyFault(jwk), undefined, what);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
      const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
      const { x } = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' });
      return ed25519Fault(x) === undefined;
    }),
  );
  t.doesNotThrow(() => certifyingKey(publicHalf(generateLoginKey())));
});

test('what an issuer says a key is for', async (t) => {
  const { privateKey, publicKey } = newKeyPair('ec');
  const jwk = { ...publicKey.export({ format: 'jwk' }), kty: 'EC', kid: 'k' };
  const claims = { iss: 'https://i.example', aud: 'dbguard', sub: 'u', iat: now / 1000, exp: now / 1000 + 60 };
  const head = `${encode({ alg: 'ES256', kid: 'k' })}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(head), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const token = `${head}.${signature.toString('base64url')}`;
  const verify = (member: object) =>
    verifyIdToken(token, { keys: [{ ...jwk, ...member }] }, { issuer: claims.iss, audience: 'dbguard', now });
  for (const fits of [{}, { use: 'sig' }, { alg: 'ES256' }, { key_ops: ['verify'] }, { kid: undefined }]) {
    await t.resolves(verify(fits), JSON.stringify(fits));
  }
  for (const other of [{ use: 'enc' }, { alg: 'ES384' }, { key_ops: ['encrypt'] }, { alg: 'RS256' }]) {
    await t.rejects(
      verify(other),
      { code: 'login-failed', message: /not one for ES256 signatures/ },
      JSON.stringify(other),
    );
  }
});

import { createHash } from 'node:crypto';
import { test } from 'tap';
import {
  bindingLevel,
  bindingNonce,
  generateLoginKey,
  levelSatisfies,
  privateKeyObject,
  publicHalf,
  publicKeyObject,
  thumbprint,
} from '../../src/identity/binding.js';
import type { Ed25519Jwk } from '../../src/identity/identity.js';

const rfc8037: Ed25519Jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };

test('thumbprint of RFC 8037 appendix A.3', async (t) => {
  t.equal(thumbprint(rfc8037), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
});

test('the nonce is the documented hash, computed here in one line', async (t) => {
  const salt = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
  const preimage = Buffer.concat([
    Buffer.from('dbguard-bind-v1\0'),
    Buffer.from(thumbprint(rfc8037), 'base64url'),
    salt,
  ]);
  const nonce = bindingNonce(rfc8037, salt);
  t.equal(nonce, createHash('sha256').update(preimage).digest('base64url'));
  t.equal(nonce.length, 43);
  t.equal(bindingNonce(rfc8037, salt.toString('base64url')), nonce, 'the salt may come as text');
  t.not(bindingNonce(generateLoginKey(), salt), nonce);
  t.not(bindingNonce(rfc8037, Buffer.alloc(16)), nonce);
  t.throws(() => bindingNonce(rfc8037, Buffer.alloc(15)), RangeError);
  t.throws(() => bindingNonce(rfc8037, ''), RangeError);
});

test('a login key is a usable pair, its public half holds no d', async (t) => {
  const key = generateLoginKey();
  t.strictSame(Object.keys(publicHalf(key)), ['kty', 'crv', 'x']);
  t.equal(privateKeyObject(key).asymmetricKeyType, 'ed25519');
  t.equal(publicKeyObject(key).export({ format: 'jwk' }).x, key.x);
  t.throws(() => publicKeyObject({ kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }));
});

test('levels, best first', async (t) => {
  t.equal(bindingLevel({ nonce: true, confirmation: true, audience: true }), 'nonce');
  t.equal(bindingLevel({ nonce: false, confirmation: true, audience: true }), 'dpop');
  t.equal(bindingLevel({ nonce: false, confirmation: false, audience: true }), 'audience');
  t.equal(bindingLevel({ nonce: false, confirmation: false, audience: false }), 'asserted');
  t.ok(levelSatisfies('nonce', 'dpop'));
  t.ok(levelSatisfies('dpop', 'dpop'));
  t.notOk(levelSatisfies('asserted', 'audience'));
});

import { createHash, X509Certificate } from 'node:crypto';
import t from 'tap';
import { tlsServerEndPoint } from '../../src/wire/scram-channel-binding.js';
import { makeCertificate, type Signature } from '../io/upstream/certificates.js';

t.test('the hash of the signature, SHA-256 for the weak ones (RFC 5929 section 4.1)', async (t) => {
  const expected: readonly (readonly [Signature, string])[] = [
    ['rsa-sha1', 'sha256'],
    ['rsa-sha256', 'sha256'],
    ['ecdsa-sha256', 'sha256'],
    ['ecdsa-sha384', 'sha384'],
    ['ecdsa-sha512', 'sha512'],
    ['rsa-pss-sha384', 'sha384'],
  ];
  for (const [signature, hash] of expected) {
    const { der, pem } = makeCertificate({ name: 'db', signature });
    t.same(tlsServerEndPoint(der), createHash(hash).update(der).digest(), signature);
    t.ok(new X509Certificate(pem).verify(new X509Certificate(pem).publicKey), 'and OpenSSL takes the certificate');
  }
});

t.test('Ed25519 has no hash of its own: no channel binding', async (t) => {
  t.equal(tlsServerEndPoint(makeCertificate({ name: 'db', signature: 'ed25519' }).der), undefined);
});

t.test('bytes that are no certificate give nothing and never throw', async (t) => {
  const { der } = makeCertificate({ name: 'db' });
  const full = tlsServerEndPoint(der);
  t.ok(full);
  for (let cut = 0; cut < der.length; cut++)
    t.equal(tlsServerEndPoint(der.subarray(0, cut)), undefined, `first ${cut} bytes`);
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(100),
    Buffer.alloc(100, 0xff),
    Buffer.from('3084ffffffff', 'hex'),
  ]) {
    t.equal(tlsServerEndPoint(bytes), undefined);
  }
});

import { verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { bindingNonce, generateLoginKey, publicHalf, publicKeyObject, thumbprint } from '../../src/identity/binding.js';
import type { Login } from '../../src/identity/identity.js';
import { createSession, isSessionId, sessionId, sessionSigner, verifyCertificate } from '../../src/identity/session.js';

const now = Date.UTC(2026, 10, 23);
const login: Login = {
  subject: { iss: 'https://issuer.example', sub: 'u1' },
  level: 'nonce',
  clientId: 'dbguard',
  idToken: 'not looked at here',
  bindingIdToken: 'not looked at here',
  expiresAt: now + 3_600_000,
  loggedInAt: now,
  loginKey: generateLoginKey(),
  salt: Buffer.alloc(16).toString('base64url'),
};

test('session ids sort by time, have 80 random bits, and know their alphabet', async (t) => {
  t.equal(sessionId(0, Buffer.alloc(10)), '0'.repeat(26));
  t.equal(sessionId(2 ** 48 - 1, Buffer.alloc(10, 0xff)), `7${'z'.repeat(25)}`);
  t.ok(sessionId(now) < sessionId(now + 1));
  t.not(sessionId(now), sessionId(now));
  t.ok(isSessionId(sessionId(now)));
  for (const bad of [
    '',
    '../../etc/passwd',
    `8${'z'.repeat(25)}`,
    sessionId(now).toUpperCase(),
    `${sessionId(now)}\n`,
  ]) {
    t.notOk(isSessionId(bad), JSON.stringify(bad));
  }
  t.throws(() => sessionId(2 ** 48), RangeError);
  t.throws(() => sessionId(now, Buffer.alloc(4)), RangeError);
});

test('the session key signs, the login key vouches for it', async (t) => {
  const session = createSession(login, { now, lifetimeMs: 1000 });
  const bytes = Buffer.from('entry');
  const signature = sessionSigner(session).sign(bytes);
  const claims = await verifyCertificate(session.certificate, publicHalf(login.loginKey), {
    sid: session.sid,
    at: now + 1,
  });
  t.ok(verify(null, bytes, publicKeyObject(claims.sessionKey), signature));
  t.strictSame(claims.sessionKey, session.sessionJwk);
  t.equal(claims.notAfter - claims.notBefore, 1000);
  t.notMatch(session.certificate, login.loginKey.d, 'no private half in what is published');
});

test('a certificate for another session, time, or by another key is refused', async (t) => {
  const { certificate, sid } = createSession(login, { now, lifetimeMs: 1000 });
  const key = publicHalf(login.loginKey);
  const refuse = (text: string, loginKey = key, expected = { sid, at: now }) =>
    t.rejects(verifyCertificate(text, loginKey, expected), { code: 'transcript-invalid' });
  await refuse(certificate, publicHalf(generateLoginKey()));
  await refuse(certificate, { kty: 'OKP', crv: 'Ed25519', x: 'short' });
  await refuse(certificate, key, { sid: sessionId(now), at: now });
  await refuse(certificate, key, { sid, at: now - 1 });
  await refuse(certificate, key, { sid, at: now + 1001 });
  t.throws(() => createSession(login, { now, lifetimeMs: 1, sid: 'x/../y' }), RangeError);
});

test('every changed byte of the signed part is noticed, and junk is refused, never a crash', async (t) => {
  const { certificate, sid } = createSession(login, { now, lifetimeMs: 1000 });
  const key = publicHalf(login.loginKey);
  const envelope = JSON.parse(certificate);
  const payload = Buffer.from(envelope.payload, 'base64');
  let accepted = 0;
  for (let i = 0; i < payload.length; i++) {
    const changed = Buffer.from(payload);
    changed.writeUInt8(changed.readUInt8(i) ^ 1, i);
    try {
      await verifyCertificate(JSON.stringify({ ...envelope, payload: changed.toString('base64') }), key, {
        sid,
        at: now,
      });
      accepted++;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'transcript-invalid')) t.fail(String(error));
    }
  }
  t.equal(accepted, 0);
  const junk = ['', '{}', '[]', 'null', '{', JSON.stringify({ ...envelope, signatures: [] }), 'x'.repeat(9000)];
  junk.push(JSON.stringify({ ...envelope, payloadType: 'application/json' }));
  junk.push(JSON.stringify({ ...envelope, signatures: [{ sig: 7 }] }));
  junk.push(certificate.replace('{', `{"payloadType":"${envelope.payloadType}",`));
  for (const text of junk) {
    await t.rejects(verifyCertificate(text, key, { sid, at: now }), { code: 'transcript-invalid' }, text.slice(0, 40));
  }
});

test('the published vector, for other implementations', async (t) => {
  const vector = JSON.parse(readFileSync(new URL('../vectors/identity.json', import.meta.url), 'utf8'));
  t.equal(thumbprint(vector.loginKey), vector.thumbprint);
  t.equal(bindingNonce(vector.loginKey, vector.salt), vector.nonce);
  const { sid, sessionKey, notBefore, notAfter } = vector;
  const claims = await verifyCertificate(vector.certificate, publicHalf(vector.loginKey), { sid, at: notBefore });
  t.strictSame(claims, { sid, sessionKey, notBefore, notAfter });
});

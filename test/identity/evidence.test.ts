import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { test } from 'tap';
import { bindingNonce, generateLoginKey, publicHalf } from '../../src/identity/binding.js';
import { identityEvidence } from '../../src/identity/evidence.js';
import type { IssuerKey, Login } from '../../src/identity/identity.js';
import { createSession } from '../../src/identity/session.js';
import { type EvidenceExpectations, verifyIdentityEvidence } from '../../src/identity/verify-evidence.js';

const iss = 'https://issuer.example';
const now = Date.UTC(2026, 10, 23);
const HOUR = 3_600_000;

async function issuer() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const key: IssuerKey = { ...(await exportJWK(publicKey)), kty: 'EC', kid: 'k1' };
  const logIn = async (claims: JWTPayload = {}, change: Partial<Login> = {}): Promise<Login> => {
    const loginKey = generateLoginKey();
    const salt = Buffer.alloc(16, 3).toString('base64url');
    const payload = {
      iss,
      aud: 'dbguard',
      sub: 'u1',
      email: 'a@b.test',
      nonce: bindingNonce(loginKey, salt),
      iat: now / 1000,
      exp: now / 1000 + 3600,
      ...claims,
    };
    const idToken = await new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(privateKey);
    return {
      subject: { iss, sub: 'u1', email: 'a@b.test' },
      level: 'nonce',
      clientId: 'dbguard',
      idToken,
      bindingIdToken: idToken,
      expiresAt: now + HOUR,
      loggedInAt: now,
      loginKey,
      salt,
      issuerKeys: [key],
      method: 'device',
      ...change,
    };
  };
  return { keys: { keys: [key] }, logIn };
}

const open = async () => {
  const { keys, logIn } = await issuer();
  const login = await logIn();
  const session = createSession(login, { now: now + 1000, lifetimeMs: HOUR });
  const expected: EvidenceExpectations = { sid: session.sid, openedAt: now + 1000 };
  return { keys, logIn, login, session, expected, evidence: identityEvidence(session) };
};

test('from the issuer’s keys to the session key', async (t) => {
  const { keys, session, expected, evidence } = await open();
  const verified = await verifyIdentityEvidence(JSON.parse(JSON.stringify(evidence)), keys, expected);
  t.strictSame(verified.subject, { iss, sub: 'u1', email: 'a@b.test' });
  t.equal(verified.level, 'nonce');
  t.strictSame(verified.sessionKey, session.sessionJwk);
  t.equal(verified.notAfter, now + 1000 + HOUR);
  t.equal(evidence.issuerKeyId, 'k1');
  t.notMatch(JSON.stringify(evidence), new RegExp(session.login.loginKey.d), 'no private key goes into a transcript');
});

test('what an organisation expects is held against it', async (t) => {
  const { keys, expected, evidence } = await open();
  const refuse = (change: Partial<EvidenceExpectations>, message: RegExp) =>
    t.rejects(verifyIdentityEvidence(evidence, keys, { ...expected, ...change }), {
      code: 'transcript-invalid',
      message,
    });
  await refuse({ issuer: 'https://other.example' }, /another issuer/);
  await refuse({ audience: 'other' }, /another client/);
  await refuse({ openedAt: now - 1000 }, /opened before the login/);
  await refuse({ openedAt: now + 2000, maxLoginAgeMs: 1000 }, /too old/);
  await refuse({ openedAt: now + 3 * HOUR }, /had expired/);
  await refuse({ sid: 'another' }, /another session/);
  await t.resolves(verifyIdentityEvidence(evidence, keys, { ...expected, issuer: iss, audience: 'dbguard' }));
});

test('attack: each field changed, removed or of another type', async (t) => {
  const { keys, expected, evidence } = await open();
  const flat: Record<string, unknown> = { ...evidence };
  // A better method or an unknown key id changes nothing that is proven.
  const inert = new Set(['issuerKeyId', 'method']);
  for (const field of Object.keys(flat)) {
    for (const value of [undefined, null, 7, 'x', {}, []]) {
      if (inert.has(field)) continue;
      const changed = { ...flat, [field]: value };
      await t.rejects(
        verifyIdentityEvidence(changed, keys, expected),
        { code: 'transcript-invalid' },
        `${field} = ${JSON.stringify(value)}`,
      );
    }
  }
  for (const subject of [
    { ...evidence.subject, sub: 'u2' },
    { ...evidence.subject, email: 'ceo@b.test' },
    { iss, sub: 'u1' },
    { ...evidence.subject, iss: 'https://evil.example' },
  ]) {
    await t.rejects(verifyIdentityEvidence({ ...evidence, subject }, keys, expected), { code: 'transcript-invalid' });
  }
  for (const junk of [undefined, null, 'x', [], {}]) {
    await t.rejects(verifyIdentityEvidence(junk, keys, expected), { code: 'transcript-invalid' });
  }
});

test('attack: somebody else’s token with one’s own key, certificate or session', async (t) => {
  const { keys, logIn, expected, evidence, session } = await open();
  const thief = await logIn(
    { sub: 'u2', email: 'thief@b.test' },
    { subject: { iss, sub: 'u2', email: 'thief@b.test' } },
  );
  const own = createSession(thief, { now: now + 1000, lifetimeMs: HOUR, sid: session.sid });
  const refuse = (changed: object) =>
    t.rejects(verifyIdentityEvidence({ ...evidence, ...changed }, keys, expected), { code: 'transcript-invalid' });
  await refuse({ certificate: own.certificate });
  await refuse({ certificate: own.certificate, loginKey: publicHalf(thief.loginKey) });
  await refuse({ certificate: own.certificate, loginKey: publicHalf(thief.loginKey), salt: thief.salt });
  await refuse({ idToken: thief.bindingIdToken });
  const another = createSession(session.login, { now: now + 1000, lifetimeMs: HOUR });
  await refuse({ certificate: another.certificate });
});

test('attack: keys of the writer’s own, a level that the tokens do not prove', async (t) => {
  const { keys, logIn, expected, evidence } = await open();
  const forger = await issuer();
  await t.rejects(verifyIdentityEvidence(evidence, forger.keys, expected), { message: /does not fit any key/ });

  const weak = await logIn({ nonce: undefined });
  const session = createSession(weak, { now, lifetimeMs: HOUR });
  const claimed = identityEvidence(session);
  const at = { sid: session.sid, openedAt: now };
  await t.rejects(verifyIdentityEvidence(claimed, keys, at), {
    message: /nonce is claimed, the tokens prove asserted/,
  });
  const honest = { ...claimed, level: 'asserted' as const };
  t.equal((await verifyIdentityEvidence(honest, keys, at)).level, 'asserted');
  await t.rejects(verifyIdentityEvidence(honest, keys, { ...at, minimumLevel: 'dpop' }), {
    message: /dpop is demanded/,
  });
  t.equal(
    (await verifyIdentityEvidence({ ...evidence, level: 'asserted' }, keys, expected)).level,
    'asserted',
    'nobody is promoted above what the session showed to its user',
  );
});

test('evidence of years ago holds with the keys of years ago', async (t) => {
  const { keys, expected, evidence } = await open();
  t.ok(Date.now() !== now, 'no clock is read: the login’s time is an argument');
  t.equal((await verifyIdentityEvidence(evidence, keys, expected)).level, 'nonce');
  const late = { ...evidence, loggedInAt: now + 2 * HOUR };
  await t.rejects(verifyIdentityEvidence(late, keys, expected), { message: /expired/ });
});

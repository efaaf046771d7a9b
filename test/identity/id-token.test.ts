import { createHmac, createPublicKey, type JsonWebKey } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { test } from 'tap';
import { bindingNonce, generateLoginKey, publicHalf, thumbprint } from '../../src/identity/binding.js';
import { verifyBinding, verifyIdToken } from '../../src/identity/id-token.js';
import type { IssuerKey } from '../../src/identity/identity.js';
import type { JsonWebKeySet } from '../../src/identity/signed-claims.js';

const issuer = 'https://issuer.example';
const audience = 'dbguard';
const now = Date.UTC(2026, 10, 23);
const iat = now / 1000;
const loginKey = generateLoginKey();
const salt = Buffer.alloc(16, 7).toString('base64url');
const nonce = bindingNonce(loginKey, salt);

async function issuerKey(alg: string, kid?: string) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const { kty, ...rest } = await exportJWK(publicKey);
  const jwk: IssuerKey = { kty: kty ?? '', ...rest, ...(kid === undefined ? {} : { kid }) };
  const sign = (claims: JWTPayload = {}, header: object = kid === undefined ? {} : { kid }) =>
    new SignJWT({ iss: issuer, aud: audience, sub: 'u1', iat, exp: iat + 3600, ...claims })
      .setProtectedHeader({ alg, ...header })
      .sign(privateKey);
  return { jwk, sign, privateKey };
}

const set = (...keys: IssuerKey[]): JsonWebKeySet => ({ keys });
const expected = { issuer, audience, now };

test('every asymmetric algorithm of the field is understood', async (t) => {
  const rsa = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
  for (const alg of [...rsa, 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']) {
    const key = await issuerKey(alg, 'k');
    const verified = await verifyIdToken(await key.sign({ email: 'a@b.test' }), set(key.jwk), expected);
    t.strictSame(verified.subject, { iss: issuer, sub: 'u1', email: 'a@b.test' }, alg);
    t.equal(verified.level, 'asserted');
    t.equal(verified.expiresAt, now + 3_600_000);
    t.equal(verified.key.kid, 'k');
  }
});

test('the nonce decides the level, another nonce is refused', async (t) => {
  const key = await issuerKey('ES256', 'k');
  t.equal((await verifyIdToken(await key.sign({ nonce }), set(key.jwk), { ...expected, nonce })).level, 'nonce');
  t.equal((await verifyIdToken(await key.sign(), set(key.jwk), { ...expected, nonce })).level, 'asserted');
  const other = bindingNonce(generateLoginKey(), salt);
  await t.rejects(verifyIdToken(await key.sign({ nonce: other }), set(key.jwk), { ...expected, nonce }), {
    code: 'login-failed',
    message: /nonce of another login/,
  });
  await t.rejects(verifyIdToken(await key.sign({ nonce: '' }), set(key.jwk), { ...expected, nonce }), /nonce/);
});

test('a stolen ID token does not bind another key', async (t) => {
  const key = await issuerKey('ES256', 'k');
  const idToken = await key.sign({ nonce });
  t.equal(
    (await verifyBinding({ idToken, loginKey: publicHalf(loginKey), salt }, set(key.jwk), expected)).level,
    'nonce',
  );
  const thief = publicHalf(generateLoginKey());
  await t.rejects(verifyBinding({ idToken, loginKey: thief, salt }, set(key.jwk), expected), /nonce of another login/);
});

test('refused: wrong issuer, audience, authorized party, time, subject', async (t) => {
  const key = await issuerKey('ES256', 'k');
  const cases: [string, JWTPayload, { code: string; message: RegExp }][] = [
    [
      'issuer',
      { iss: 'https://evil.example' },
      { code: 'login-failed', message: /evil\.example.*expected https:\/\/issuer/ },
    ],
    ['audience', { aud: 'another' }, { code: 'login-failed', message: /audience "another", expected dbguard/ }],
    ['no audience', { aud: [] }, { code: 'login-failed', message: /audience/ }],
    ['azp', { azp: 'another' }, { code: 'login-failed', message: /another client/ }],
    ['audiences without azp', { aud: [audience, 'x'] }, { code: 'login-failed', message: /several audiences/ }],
    ['expired', { iat: iat - 7200, exp: iat - 3600 }, { code: 'login-expired', message: /expired/ }],
    ['not yet', { nbf: iat + 600 }, { code: 'login-failed', message: /not valid yet/ }],
    ['issued in the future', { iat: iat + 600 }, { code: 'login-failed', message: /in the future/ }],
    ['no subject', { sub: '' }, { code: 'login-failed', message: /no subject/ }],
  ];
  for (const [name, claims, error] of cases) {
    await t.rejects(verifyIdToken(await key.sign(claims), set(key.jwk), expected), error, name);
  }
  const withAzp = await key.sign({ aud: [audience, 'x'], azp: audience });
  t.equal((await verifyIdToken(withAzp, set(key.jwk), expected)).subject.sub, 'u1');
});

test('the time that counts is the login, with a tolerance', async (t) => {
  const key = await issuerKey('ES256', 'k');
  const token = await key.sign();
  const years = 5 * 365 * 86_400_000;
  await t.rejects(verifyIdToken(token, set(key.jwk), { ...expected, now: now + years }), { code: 'login-expired' });
  await t.resolves(verifyIdToken(token, set(key.jwk), { ...expected, now }));
  await t.rejects(verifyIdToken(token, set(key.jwk), { ...expected, now: now - 20_000 }), /future/);
  await t.resolves(verifyIdToken(token, set(key.jwk), { ...expected, now: now - 20_000, clockSkew: 30 }));
  await t.resolves(verifyIdToken(token, set(key.jwk), { ...expected, now: now + 3_610_000, clockSkew: 30 }));
});

test('alg none, HMAC with the public key, and swapped algorithms are refused', async (t) => {
  const key = await issuerKey('RS256', 'k');
  const none = new UnsecuredJWT({ iss: issuer, aud: audience, sub: 'u1', iat, exp: iat + 60 }).encode();
  await t.rejects(verifyIdToken(none, set(key.jwk), expected), { message: /signed with none/ });
  const hmac = await new SignJWT({ iss: issuer, aud: audience, sub: 'u1', iat, exp: iat + 60 })
    .setProtectedHeader({ alg: 'HS256', kid: 'k' })
    .sign(Buffer.from(JSON.stringify(key.jwk)));
  await t.rejects(verifyIdToken(hmac, set(key.jwk), expected), { message: /signed with HS256/ });
  const token = await key.sign();
  const [, payload, signature] = token.split('.');
  const header = Buffer.from(JSON.stringify({ alg: 'PS256', kid: 'k' })).toString('base64url');
  await t.rejects(verifyIdToken(`${header}.${payload}.${signature}`, set(key.jwk), expected), /does not fit any key/);
});

/** What a careless verifier may take for an HMAC secret: the published key in each of its forms. */
async function publicForms(jwk: IssuerKey): Promise<Buffer[]> {
  const key = createPublicKey({ key: { ...jwk } as JsonWebKey, format: 'jwk' });
  const pem = key.export({ type: 'spki', format: 'pem' }).toString();
  const parts = [jwk.x, jwk.y, jwk.n].filter((part) => typeof part === 'string');
  return [
    Buffer.from(pem),
    Buffer.from(pem.trim()),
    key.export({ type: 'spki', format: 'der' }),
    Buffer.from(JSON.stringify(jwk)),
    ...parts.flatMap((part) => [Buffer.from(part), Buffer.from(part, 'base64url')]),
    Buffer.alloc(0),
  ];
}

test('attack: algorithm confusion, for each kind of issuer key', async (t) => {
  const claims = { iss: issuer, aud: audience, sub: 'boss', nonce, iat, exp: iat + 3600 };
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const refused = (token: string, keys: JsonWebKeySet, what: string) =>
    t.rejects(verifyIdToken(token, keys, { ...expected, nonce }), { code: 'login-failed' }, what);
  for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA']) {
    const { jwk, sign } = await issuerKey(alg, 'k');
    for (const none of ['none', 'None', 'NONE', '']) {
      const head = `${encode({ alg: none, kid: 'k' })}.${encode(claims)}`;
      await refused(`${head}.`, set(jwk), `${alg}: "${none}"`);
      await refused(`${head}.${(await sign()).split('.')[2]}`, set(jwk), `${alg}: "${none}" with a signature`);
    }
    for (const [form, secret] of (await publicForms(jwk)).entries()) {
      for (const [hmac, digest] of [
        ['HS256', 'sha256'],
        ['HS512', 'sha512'],
        ['hs256', 'sha256'],
      ] as const) {
        const head = `${encode({ alg: hmac, kid: 'k' })}.${encode(claims)}`;
        const token = `${head}.${createHmac(digest, secret).update(head).digest('base64url')}`;
        await refused(token, set(jwk), `${alg}: ${hmac} with form ${form} of the public key`);
      }
    }
    // the issuer's payload and signature under every other algorithm's name
    const [, payload, signature] = (await sign(claims)).split('.');
    for (const other of ['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'ES256K', 'EdDSA', 'Ed25519', 'Ed448', 'HS256']) {
      if (other === alg || (alg === 'EdDSA' && other === 'Ed25519')) continue;
      await refused(`${encode({ alg: other, kid: 'k' })}.${payload}.${signature}`, set(jwk), `${alg} as ${other}`);
    }
    // a key of the attacker's, named by the token itself
    const own = await issuerKey(alg, 'k');
    for (const header of [
      { jwk: own.jwk },
      { jku: 'https://evil.example/jwks' },
      { x5u: 'https://evil.example' },
      {},
    ]) {
      await refused(await own.sign(claims, { kid: 'k', ...header }), set(jwk), `${alg}: ${JSON.stringify(header)}`);
    }
    const oct = { kty: 'oct', k: Buffer.from('secret').toString('base64url'), kid: 'k' };
    const head = `${encode({ alg: 'HS256', kid: 'k' })}.${encode(claims)}`;
    const shared = `${head}.${createHmac('sha256', 'secret').update(head).digest('base64url')}`;
    await refused(shared, set(jwk, oct), 'a symmetric key in the set');
  }
});

test('each changed character of a token is noticed', async (t) => {
  const key = await issuerKey('EdDSA', 'k');
  const token = await key.sign({ nonce });
  const body = token.lastIndexOf('.');
  let accepted = 0;
  for (let i = 0; i < body; i += 3) {
    const changed = `${token.slice(0, i)}${token[i] === 'A' ? 'B' : 'A'}${token.slice(i + 1)}`;
    await verifyIdToken(changed, set(key.jwk), expected).then(
      () => accepted++,
      () => {},
    );
  }
  t.equal(accepted, 0);
});

test('key rotation: old and new kid, sets without kid, a key that cannot be imported', async (t) => {
  const older = await issuerKey('ES256', 'old');
  const newer = await issuerKey('ES256', 'new');
  const token = await older.sign();
  t.equal((await verifyIdToken(token, set(newer.jwk, older.jwk), expected)).key.kid, 'old');
  await t.rejects(verifyIdToken(token, set(newer.jwk), expected), {
    code: 'issuer-key-unknown',
    message: /none of those at hand for https:\/\/issuer.example \(kid old\)/,
  });
  const nameless = [await issuerKey('ES256'), await issuerKey('ES256')] as const;
  const second = await nameless[1].sign();
  t.equal((await verifyIdToken(second, set(nameless[0].jwk, nameless[1].jwk), expected)).key, nameless[1].jwk);
  const broken: IssuerKey = { kty: 'EC', crv: 'P-256', x: '!', y: '!' };
  t.equal((await verifyIdToken(token, set(broken, older.jwk), expected)).key.kid, 'old');
  const impostor = await issuerKey('ES256', 'old');
  const forged = { code: 'login-failed', message: /does not fit any key/ };
  await t.rejects(verifyIdToken(await impostor.sign(), set(older.jwk), expected), forged);
  const unnamed = await (await issuerKey('ES256')).sign();
  await t.rejects(
    verifyIdToken(unnamed, set(older.jwk), expected),
    { code: 'issuer-key-unknown' },
    'a key of last year?',
  );
});

test('a DPoP-bound access token raises the level, a foreign one is refused', async (t) => {
  const key = await issuerKey('ES256', 'k');
  const idToken = await key.sign();
  const claim = { idToken, loginKey: publicHalf(loginKey), salt };
  const jkt = thumbprint(loginKey);
  const bound = { aud: 'urn:api', client_id: audience, cnf: { jkt } };
  const verifyWith = async (claims: JWTPayload) =>
    verifyBinding({ ...claim, accessToken: await key.sign(claims) }, set(key.jwk), expected);
  t.equal((await verifyWith(bound)).level, 'dpop');
  t.equal((await verifyWith({ aud: 'urn:api', azp: audience, cnf: { jkt } })).level, 'dpop');
  await t.rejects(verifyWith({ ...bound, sub: 'u2' }), /another subject/);
  await t.rejects(verifyWith({ ...bound, client_id: 'x' }), /another client/);
  await t.rejects(verifyWith({ ...bound, cnf: { jkt: thumbprint(generateLoginKey()) } }), /not bound/);
  await t.rejects(verifyWith({ aud: 'urn:api', client_id: audience }), /not bound/);
  await t.rejects(verifyWith({ ...bound, iss: 'https://evil.example' }), /issuer/);
});

test('workload tokens: audience level, nonce level when the audience carries the nonce', async (t) => {
  const key = await issuerKey('RS256', 'k');
  const options = { ...expected, workload: true, nonce };
  const plain = await key.sign({ azp: '1234567890' });
  t.equal((await verifyIdToken(plain, set(key.jwk), options)).level, 'audience');
  const carrying = await key.sign({ aud: `${audience}:${nonce}` });
  t.equal((await verifyIdToken(carrying, set(key.jwk), options)).level, 'nonce');
  const foreign = `${audience}:${bindingNonce(generateLoginKey(), salt)}`;
  for (const aud of [foreign, [foreign], [audience, foreign], [`${audience}:${nonce}`, foreign]]) {
    const token = await key.sign({ aud, azp: audience });
    for (const workload of [true, false]) {
      await t.rejects(verifyIdToken(token, set(key.jwk), { ...options, workload }), /audience/, JSON.stringify(aud));
    }
  }
  await t.rejects(verifyIdToken(carrying, set(key.jwk), expected), /audience/, 'of a key that is not ours');
  const byAnyIssuer = await verifyIdToken(carrying, set(key.jwk), { ...options, workload: false });
  t.equal(byAnyIssuer.level, 'nonce', 'whoever signs the nonce has signed the key');
  const unnamed = await verifyIdToken(await key.sign(), set(key.jwk), { ...options, workload: false });
  t.equal(unnamed.level, 'asserted', 'level audience is for issuers that the reader has named');
});

test('attack: a nonce that is not ours, whatever the token is said to be', async (t) => {
  const key = await issuerKey('ES256', 'k');
  for (const other of [bindingNonce(generateLoginKey(), salt), '', null, 0, [nonce], { nonce }, ` ${nonce}`]) {
    // as an issuer may sign it, right or wrong
    const token = await key.sign({
      nonce: other,
      aud: [audience, `${audience}:${nonce}`],
      azp: audience,
    } as JWTPayload);
    for (const workload of [true, false]) {
      await t.rejects(
        verifyIdToken(token, set(key.jwk), { ...expected, nonce, workload }),
        { code: 'login-failed', message: /nonce of another login/ },
        `${JSON.stringify(other)}, workload ${workload}`,
      );
    }
    await t.rejects(verifyIdToken(token, set(key.jwk), expected), /nonce of another login/, 'also where none is ours');
  }
});

test('attack: another token of the same issuer for the same client', async (t) => {
  const key = await issuerKey('ES256', 'k');
  const refused = { code: 'login-failed', message: /no ID token/ };
  const verify = (token: string) => verifyIdToken(token, set(key.jwk), { ...expected, nonce });
  for (const typ of ['at+jwt', 'logout+jwt', 'application/at+jwt', 'AT+JWT', 'dpop+jwt']) {
    await t.rejects(verify(await key.sign({}, { kid: 'k', typ })), refused, typ);
  }
  for (const typ of ['Bearer', 'Refresh', 'Offline', 'Logout']) {
    await t.rejects(verify(await key.sign({ typ })), refused, `Keycloak: ${typ}`);
  }
  const logout = { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } };
  await t.rejects(verify(await key.sign(logout)), refused, 'OpenID Connect Back-Channel Logout 2.4');
  await t.resolves(verify(await key.sign({ typ: 'ID' }, { kid: 'k', typ: 'JWT' })));
  const service = await verifyIdToken(await key.sign({}, { kid: 'k', typ: 'at+jwt' }), set(key.jwk), {
    ...expected,
    workload: true,
  });
  t.equal(service.level, 'audience', 'what client credentials bring is a service’s, where the reader says so');
});

test('an unverified e-mail address is not passed on', async (t) => {
  const key = await issuerKey('ES256', 'k');
  const email = 'ceo@example.test';
  const subjectFor = async (claims: JWTPayload) =>
    (await verifyIdToken(await key.sign({ email, ...claims }), set(key.jwk), expected)).subject;
  for (const verified of [false, 'false', 'False', '0', 0, null, '', 'no', 'unknown', [], {}, 'true false', 2]) {
    for (const claim of ['email_verified', 'xms_edov']) {
      t.strictSame(
        await subjectFor({ [claim]: verified }),
        { iss: issuer, sub: 'u1' },
        `${claim}: ${JSON.stringify(verified)}`,
      );
    }
  }
  for (const verified of [true, 'true', 'True', '1', 1]) {
    t.equal((await subjectFor({ email_verified: verified })).email, email, JSON.stringify(verified));
  }
  t.equal((await subjectFor({})).email, email, 'an issuer without that claim');
  t.equal((await subjectFor({ email_verified: true, xms_edov: false })).email, undefined);
  for (const odd of [7, null, [email], { email }]) {
    t.equal((await subjectFor({ email: odd } as JWTPayload)).email, undefined, JSON.stringify(odd));
  }
});

test('errors carry neither the token nor terminal control characters', async (t) => {
  const key = await issuerKey('ES256', 'k');
  const token = await key.sign({ aud: '\u001b]0;owned\u0007\u202e' });
  const error: unknown = await verifyIdToken(token, set(key.jwk), expected).catch((e) => e);
  const all = `${JSON.stringify(error, Object.getOwnPropertyNames(error))}`;
  t.notMatch(all, token.slice(-20));
  t.ok(error instanceof Error);
  t.equal((error as Error).cause, undefined);
  t.notMatch((error as Error).message, /\p{C}/u);
  for (const junk of ['', 'a.b', 'secret.secret.secret', `${'x'.repeat(70_000)}`]) {
    await t.rejects(verifyIdToken(junk, set(key.jwk), expected), { code: 'login-failed' });
    const thrown: unknown = await verifyIdToken(junk, set(key.jwk), expected).catch((e) => e);
    t.notMatch((thrown as Error).message, /secret/);
  }
});

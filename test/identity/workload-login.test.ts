import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type Test, test } from 'tap';
import { publicHalf } from '../../src/identity/binding.js';
import { verifyBinding } from '../../src/identity/id-token.js';
import { discoverIssuer, fetchIssuerKeys } from '../../src/identity/issuer.js';
import { loadLogin } from '../../src/identity/login-source.js';
import { workloadLogin } from '../../src/identity/workload-login.js';
import { issuerFetch } from '../../src/io/login/oidc-fetch.js';
import { openLoginSource } from '../../src/io/login/oidc-login-source.js';
import { GITHUB_ISSUER, githubToken, tokenFile, workloadTokenSource } from '../../src/io/login/oidc-workload-token.js';

const REQUEST_SECRET = 'the-bearer-of-the-job';

/** A platform as GitHub Actions is one: an issuer, and an endpoint that signs the audience it is asked for. */
async function platform(t: Test) {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'p1' };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', issuer);
    const answers: Record<string, () => Promise<unknown>> = {
      '/.well-known/openid-configuration': async () => ({ issuer, jwks_uri: `${issuer}/jwks` }),
      '/jwks': async () => ({ keys: [jwk] }),
      '/token': async () => ({ value: await sign(url.searchParams.get('audience') ?? '') }),
    };
    const allowed = url.pathname !== '/token' || request.headers.authorization === `Bearer ${REQUEST_SECRET}`;
    const answer = allowed ? answers[url.pathname] : undefined;
    response.writeHead(answer ? 200 : 403, { 'content-type': 'application/json' });
    response.end(JSON.stringify((await answer?.()) ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sign = (audience: string, lifetime = 600) =>
    new SignJWT({ sub: 'repo:acme/shop:ref:refs/heads/main' })
      .setProtectedHeader({ alg: 'RS256', kid: 'p1' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(Math.floor(Date.now() / 1000) + Math.min(0, lifetime))
      .setExpirationTime(Math.floor(Date.now() / 1000) + lifetime)
      .sign(privateKey);
  const connect = () => discoverIssuer({ issuer, clientId: 'dbguard' }, { fetch: issuerFetch, now: Date.now });
  return { issuer, sign, connect };
}

test('a token file: level audience; replaced files are read again, expired ones refused', async (t) => {
  const { sign, connect } = await platform(t);
  const path = join(t.testdir(), 'token');
  writeFileSync(path, `${await sign('dbguard')}\n`);
  const login = await workloadLogin(await connect(), tokenFile(path));
  t.equal(login.level, 'audience');
  t.equal(login.method, 'workload');
  t.equal(login.refreshToken, undefined);
  writeFileSync(path, await sign('dbguard', -120));
  await t.rejects(workloadLogin(await connect(), tokenFile(path)), { code: 'login-expired' });
  writeFileSync(path, await sign('sts.amazonaws.com'));
  await t.rejects(workloadLogin(await connect(), tokenFile(path)), { code: 'login-failed', message: /audience/ });
  await t.rejects(workloadLogin(await connect(), tokenFile(`${path}.gone`)), {
    message: /no such file/,
    hint: /--token-file/,
  });
});

test('a platform that signs our audience binds the key: level nonce, provable', async (t) => {
  const { issuer, connect } = await platform(t);
  const login = await workloadLogin(await connect(), githubToken(`${issuer}/token?api-version=2.0`, REQUEST_SECRET));
  t.equal(login.level, 'nonce');
  const verified = await verifyBinding(
    { idToken: login.bindingIdToken, loginKey: publicHalf(login.loginKey), salt: login.salt },
    await fetchIssuerKeys(await connect()),
    { issuer, audience: 'dbguard', now: login.loggedInAt },
  );
  t.equal(verified.level, 'nonce');
  const refused = githubToken(`${issuer}/token`, 'another-job');
  const error: unknown = await workloadLogin(await connect(), refused).catch((thrown) => thrown);
  t.match(error, { code: 'login-failed', message: /HTTP 403/, hint: /id-token: write/ });
  t.notMatch(JSON.stringify(error), /another-job/);
});

test('which token the environment offers', async (t) => {
  const source = workloadTokenSource({ DBGUARD_ID_TOKEN: 'abc', DBGUARD_ID_TOKEN_FILE: '/x' }, 'https://i.example');
  t.equal(await source?.('any'), 'abc');
  const github = { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://x.example', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 's' };
  t.ok(workloadTokenSource(github, GITHUB_ISSUER));
  t.equal(workloadTokenSource(github, 'https://i.example'), undefined, 'GitHub’s token is for GitHub’s issuer only');
  t.equal(workloadTokenSource({}, GITHUB_ISSUER), undefined);
});

test('a run in CI needs no login command; its key stays when the token is made anew', async (t) => {
  const { issuer, sign } = await platform(t);
  const env = { DBGUARD_HOME: t.testdir(), DBGUARD_ID_TOKEN: await sign('dbguard') };
  const source = openLoginSource(env, { issuer, clientId: 'dbguard' });
  const login = await loadLogin(source, { minimumLevel: 'audience' });
  t.equal(login.subject.sub, 'repo:acme/shop:ref:refs/heads/main');
  t.strictSame((await source.renew(login)).loginKey, login.loginKey);
  await t.rejects(loadLogin(source, { minimumLevel: 'nonce' }), { code: 'identity-insufficient' });
});

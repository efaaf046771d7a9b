import { writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type Test, test } from 'tap';
import { publicHalf } from '../../src/identity/binding.js';
import { verifyBinding } from '../../src/identity/id-token.js';
import { discoverIssuer, fetchIssuerKeys } from '../../src/identity/issuer.js';
import { loadLogin, loginEnded } from '../../src/identity/login-source.js';
import { workloadLogin } from '../../src/identity/workload-login.js';
import { issuerFetch } from '../../src/io/login/oidc-fetch.js';
import { openLoginSource } from '../../src/io/login/oidc-login-source.js';
import { requestedToken, tokenFile, workloadTokenSource } from '../../src/io/login/oidc-workload-token.js';

const REQUEST_SECRET = 'the-bearer-of-the-job';

/** A platform as GitHub Actions is one: an issuer, and an endpoint that signs the audience it is asked for. */
async function platform(t: Test, faults: ((response: ServerResponse) => void)[] = []) {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'p1' };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', issuer);
    const fault = url.pathname === '/token' ? faults.shift() : undefined;
    if (fault) return fault(response);
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
  const login = await workloadLogin(await connect(), requestedToken(`${issuer}/token?api-version=2.0`, REQUEST_SECRET));
  t.equal(login.level, 'nonce');
  const verified = await verifyBinding(
    { idToken: login.bindingIdToken, loginKey: publicHalf(login.loginKey), salt: login.salt },
    await fetchIssuerKeys(await connect()),
    { issuer, audience: 'dbguard', now: login.loggedInAt },
  );
  t.equal(verified.level, 'nonce');
  const refused = requestedToken(`${issuer}/token`, 'another-job');
  const error: unknown = await workloadLogin(await connect(), refused).catch((thrown) => thrown);
  t.match(error, { code: 'login-failed', message: /HTTP 403/, hint: /id-token: write/ });
  t.notMatch(JSON.stringify(error), /another-job/);
});

test('a token service that fails for a moment is asked again; one that refuses is not', async (t) => {
  const html = (response: ServerResponse) => response.writeHead(503).end('<html>unavailable</html>');
  const cut = (response: ServerResponse) => response.destroy();
  const pending = (response: ServerResponse) =>
    response.writeHead(403).end(`{"message":"Can't issue ID_TOKEN for job in 'Pending' state."}`);
  const refuses = (response: ServerResponse) => response.writeHead(403).end('{"message":"no permission"}');
  const first = await platform(t, [html, cut, pending]);
  const login = await workloadLogin(await first.connect(), requestedToken(`${first.issuer}/token`, REQUEST_SECRET));
  t.equal(login.level, 'nonce');
  const faults = [refuses, html];
  const second = await platform(t, faults);
  const refused = requestedToken(`${second.issuer}/token`, REQUEST_SECRET);
  await t.rejects(workloadLogin(await second.connect(), refused), { message: /HTTP 403/, hint: /id-token: write/ });
  t.equal(faults.length, 1, 'asked once');
  const third = await platform(t, [html, html, html, html]);
  const broken = requestedToken(`${third.issuer}/token`, REQUEST_SECRET);
  await t.rejects(workloadLogin(await third.connect(), broken), { message: /HTTP 503/, hint: /again/ });
});

test('which token the environment offers', async (t) => {
  const source = workloadTokenSource({ DBGUARD_ID_TOKEN: 'abc', DBGUARD_ID_TOKEN_FILE: '/x' });
  t.equal(await source?.('any'), 'abc');
  t.equal(workloadTokenSource({}), undefined);
  t.equal(workloadTokenSource({ DBGUARD_ID_TOKEN: '', ACTIONS_ID_TOKEN_REQUEST_URL: '' }), undefined);
});

test('Actions of GitHub Enterprise, Gitea and Forgejo: the issuer is whatever it is called', async (t) => {
  const { issuer } = await platform(t);
  const env = {
    DBGUARD_HOME: t.testdir(),
    ACTIONS_ID_TOKEN_REQUEST_URL: `${issuer}/token?placeholder=true`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_SECRET,
  };
  const people = 'https://people.example';
  for (const settings of [{ issuer }, { issuer: people, workloadIssuers: ['https://other.example', issuer] }]) {
    const login = await loadLogin(openLoginSource(env, { ...settings, clientId: 'dbguard' }), {
      minimumLevel: 'nonce',
    });
    t.match(login, { level: 'nonce', method: 'workload', subject: { iss: issuer } });
    t.match(decodeJwt(login.idToken).aud, /^dbguard:[\w-]{43}$/);
  }
  await t.rejects(openLoginSource(env, { issuer: people, clientId: 'dbguard' }).load(), {
    code: 'login-failed',
    message: `the token comes from issuer ${issuer}, expected ${people}`,
    hint: /workload_issuers/,
  });
});

test('half of a request’s variables: the other one is named', async (t) => {
  const [url, token] = ['ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'];
  t.throws(() => workloadTokenSource({ [url]: 'https://x.example' }), {
    message: `${token} is not set, although ${url} is`,
  });
  t.throws(() => workloadTokenSource({ [token]: 's', [url]: '' }), {
    message: `${url} is not set, although ${token} is`,
  });
});

test('a job without a token: the error names the variable, and no login that nobody can do', async (t) => {
  const cases: [NodeJS.ProcessEnv, RegExp, RegExp][] = [
    [{ GITHUB_ACTIONS: 'true', CI: 'true' }, /^ACTIONS_ID_TOKEN_REQUEST_URL is not set.*GitHub/, /id-token: write/],
    [{ GITHUB_ACTIONS: 'true', GITEA_ACTIONS: 'true' }, /^ACTIONS_ID_TOKEN_REQUEST_URL.*Gitea/, /id-token: write/],
    [{ GITHUB_ACTIONS: 'true', FORGEJO_ACTIONS: 'true' }, /Forgejo/, /enable-openid-connect: true/],
    [{ GITLAB_CI: 'true', CI: 'true' }, /^DBGUARD_ID_TOKEN is not set.*GitLab/, /id_tokens.*aud: our-aud/],
    [{ BUILDKITE: 'true', CI: 'true' }, /^DBGUARD_ID_TOKEN is not set/, /oidc request-token --audience our-aud/],
    [{ CIRCLECI: 'true', CI: 'true' }, /^DBGUARD_ID_TOKEN is not set/, /circleci run oidc get.*our-aud/],
    [{ TF_BUILD: 'True' }, /^DBGUARD_ID_TOKEN or DBGUARD_ID_TOKEN_FILE is not set/, /audience our-aud/],
    [{ CI: '1' }, /^DBGUARD_ID_TOKEN or DBGUARD_ID_TOKEN_FILE is not set/, /audience our-aud/],
    [{ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, /^DBGUARD_ID_TOKEN_FILE is not set/, /[Pp]roject.*our-aud/],
  ];
  const settings = { issuer: 'https://i.example', clientId: 'dbguard', audience: 'our-aud' };
  const home = { DBGUARD_HOME: t.testdir(), DBGUARD_TOKEN_STORE: 'file' };
  for (const [env, message, hint] of cases) {
    const error: unknown = await loadLogin(openLoginSource({ ...home, ...env }, settings)).catch((thrown) => thrown);
    t.match(error, { code: 'login-required', message, hint, exitCode: 77 });
    if (!env.KUBERNETES_SERVICE_HOST) t.notMatch(error, { hint: /dbguard login/ });
  }
  for (const env of [{}, { CI: 'false' }, { CI: '' }]) {
    await t.rejects(loadLogin(openLoginSource({ ...home, ...env }, settings)), {
      code: 'login-required',
      hint: 'Run: dbguard login',
    });
  }
});

test('a job’s token that has expired: a fresh one is waited for, nobody is told to log in', async (t) => {
  const { issuer, sign } = await platform(t);
  const path = join(t.testdir(), 'token');
  writeFileSync(path, await sign('dbguard'));
  const source = openLoginSource({ DBGUARD_ID_TOKEN_FILE: path }, { issuer, clientId: 'dbguard' });
  const login = await loadLogin(source);
  writeFileSync(path, await sign('dbguard', -120));
  await t.rejects(source.renew(login), { code: 'login-failed', message: /expired/, hint: /DBGUARD_ID_TOKEN_FILE/ });
  t.match(loginEnded(login, 'its time is over'), { hint: /^The platform/ });
  writeFileSync(path, await sign('dbguard'));
  t.strictSame((await source.renew(login)).loginKey, login.loginKey);
});

test('a run in CI needs no login command; its key stays when the token is made anew', async (t) => {
  const { issuer, sign } = await platform(t);
  const env = { DBGUARD_HOME: t.testdir(), DBGUARD_ID_TOKEN: await sign('dbguard') };
  const source = openLoginSource(env, { issuer, clientId: 'dbguard' });
  const login = await loadLogin(source, { minimumLevel: 'audience' });
  t.equal(login.subject.sub, 'repo:acme/shop:ref:refs/heads/main');
  t.strictSame((await source.renew(login)).loginKey, login.loginKey);
  for (const demand of [{ minimumLevel: 'nonce' }, { maxAgeMs: -60_000 }] as const) {
    const error: unknown = await loadLogin(source, demand).catch((thrown) => thrown);
    t.match(error, { code: /^(?:identity-insufficient|login-expired)$/, hint: /platform/ });
    t.notMatch(error, { hint: /dbguard login/ });
  }
});

/** What an opening entry claims, field by field, against what the issuer and the login key really said. */
import { sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'tap';
import { privateKeyObject, publicHalf, thumbprint } from '../../src/identity/binding.js';
import { createSession } from '../../src/identity/session.js';
import type { JsonWebKeySet } from '../../src/identity/signed-claims.js';
import { openDetails } from '../../src/io/spool/spool.js';
import { identify } from '../../src/review/identify.js';
import type { IdentityDemands } from '../../src/review/identity-demands.js';
import { type Finding, Findings } from '../../src/transcript/finding.js';
import { readOpen } from '../../src/transcript/open-entry.js';
import { clientId, issuerUrl, testIssuer } from '../transcript/people.js';

/** Years ago: nothing here reads a clock. */
const at = Date.UTC(2019, 4, 2);
const HOUR = 3_600_000;
const issuer = await testIssuer();
const login = await issuer.login('dev', { at });
const credential = createSession(login, { now: at + 1000, lifetimeMs: HOUR });
const opened = (by: typeof credential): Record<string, unknown> => ({
  v: 1,
  ...openDetails({ credential: by, version: '0.0.0' }),
  certificate: JSON.parse(by.certificate),
});
const details = opened(credential);

interface Judged {
  readonly level: string | undefined;
  /** What the opening entry is refused for; empty when it is not. */
  readonly refused: readonly string[];
}

type Found = JsonWebKeySet & { readonly unvouched?: true };

interface Circumstances {
  readonly keys?: Found | readonly Found[];
  readonly openedAt?: number;
  readonly storedAt?: number;
  /** Of dbguard, as the reader knows it; null: the reader does not. */
  readonly client?: string | null;
}

async function judge(fields: object, demands: IdentityDemands = {}, how: Circumstances = {}): Promise<Judged> {
  const { level, findings } = await look(fields, demands, how);
  return { level, refused: findings.filter(({ severity }) => severity === 'failure').map(({ message }) => message) };
}

async function look(
  fields: object,
  demands: IdentityDemands = {},
  how: Circumstances = {},
): Promise<{ level: string | undefined; findings: readonly Pick<Finding, 'severity' | 'code' | 'message'>[] }> {
  const { keys = issuer.keys, openedAt = at + 1000, storedAt, client = clientId } = how;
  const named = client === null ? demands : { clientId: client, ...demands };
  const { sid } = credential;
  const entry = { n: 0, t: openedAt * 1000, k: 'open', c: {}, fields: { ...fields } };
  const findings = new Findings();
  try {
    const source = { keysOf: async () => [keys].flat().map((set) => ({ ...set, origin: 'test' })) };
    const times = storedAt === undefined ? { openedAt } : { openedAt, storedAt };
    const { level } = await identify(sid, readOpen(entry), times, findings, source, named);
    return { level, findings: findings.list };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { level: undefined, findings: [{ severity: 'failure', code: 'open-unusable', message }] };
  }
}

test('evidence of years ago holds with the keys of years ago', async (t) => {
  t.strictSame(await judge(details), { level: 'nonce', refused: [] });
  t.notMatch(JSON.stringify(details), login.loginKey.d, 'no private key goes into a transcript');
});

test('what an organisation demands', async (t) => {
  const refused = async (demands: IdentityDemands, message: RegExp, openedAt = at + 1000) =>
    t.match((await judge(details, demands, { openedAt })).refused, [message]);
  await refused({ clientId: 'other' }, /for the client dbguard, not other/);
  await refused({ maxLoginAgeMs: HOUR / 60 }, /older than allowed/, at + HOUR / 10);
  await refused({}, /had expired by that time/, at + 3 * HOUR);
  t.strictSame(
    (await judge(details, { issuer: issuerUrl, clientId, maxLoginAgeMs: HOUR, minimumLevel: 'nonce' })).refused,
    [],
  );
});

test('attack: each field changed, removed or of another type', async (t) => {
  // They say nothing about who signs; an access token is looked at only where the ID token names no key.
  const inert = new Set([
    'version',
    'agent',
    'connection',
    'policy',
    'previous',
    'method',
    'accessToken',
    'audience',
    'level',
  ]);
  for (const field of Object.keys(details).filter((name) => !inert.has(name))) {
    for (const value of [undefined, null, 7, 'x', {}, []]) {
      const { refused } = await judge({ ...details, [field]: value });
      t.ok(refused.length > 0, `${field} = ${JSON.stringify(value)}`);
    }
  }
  for (const subject of [
    { ...login.subject, sub: 'u2' },
    { ...login.subject, email: 'ceo@b.test' },
    { iss: login.subject.iss, sub: login.subject.sub },
    { ...login.subject, iss: 'https://evil.example' },
  ]) {
    t.ok((await judge({ ...details, subject })).refused.length > 0, JSON.stringify(subject));
  }
  t.ok((await judge({ ...details, audience: 'another' })).refused.length > 0);
  t.ok((await judge({ ...details, loggedInAt: at + 2 * HOUR })).refused.length > 0, 'the token was over by then');
});

test('attack: somebody else’s token with one’s own key, certificate or session', async (t) => {
  const thief = await issuer.login('thief', { at });
  const own = createSession(thief, { now: at + 1000, lifetimeMs: HOUR, sid: credential.sid });
  const theirs = { certificate: JSON.parse(own.certificate), sessionKey: own.sessionJwk };
  const key = { loginKey: publicHalf(thief.loginKey) };
  const another = createSession(login, { now: at + 1000, lifetimeMs: HOUR });
  for (const change of [
    theirs,
    { ...theirs, ...key },
    { ...theirs, ...key, salt: thief.salt },
    { idToken: thief.bindingIdToken },
    { certificate: JSON.parse(another.certificate), sessionKey: another.sessionJwk },
  ]) {
    t.ok((await judge({ ...details, ...change })).refused.length > 0, Object.keys(change).join(', '));
  }
});

test('attack: keys of the writer’s own, a level that the token does not prove', async (t) => {
  const forger = await testIssuer();
  t.match((await judge(details, {}, { keys: forger.keys })).refused, [/does not fit any key/]);
  const weak = await issuer.login('dev', { at, level: 'asserted' });
  const session = createSession(weak, { now: at + 1000, lifetimeMs: HOUR, sid: credential.sid });
  const honest = opened(session);
  t.strictSame(await judge(honest), { level: 'asserted', refused: [] });
  t.match((await judge({ ...honest, level: 'nonce' })).refused, [
    /claims the evidence level nonce, its token proves asserted/,
  ]);
  t.match((await judge(honest, { minimumLevel: 'dpop' })).refused, [/dpop is demanded/]);
});

test('attack: a colleague is framed with the ID token of their transcript, whatever the writer claims', async () => {
  // The colleague's tokens: one that carries the nonce of their key, and one that carries none.
  const victims = [login, await issuer.login('dev', { at, level: 'asserted' })];
  const framer = await issuer.login('framer', { at });
  const own = createSession(
    { ...framer, salt: framer.salt },
    { now: at + 1000, lifetimeMs: HOUR, sid: credential.sid },
  );
  const claims = fc.record(
    {
      method: fc.constantFrom('workload', 'device', 'browser', '', 7, null),
      level: fc.constantFrom('nonce', 'dpop', 'audience', 'asserted', 'x'),
      audience: fc.constantFrom(clientId, `${clientId}:x`, 'other', '', null),
      workload: fc.boolean(),
      workloadIssuers: fc.constant([issuerUrl]),
      demands: fc.constant({ workloadIssuers: [issuerUrl] }),
      accessToken: fc.constantFrom(login.idToken, framer.idToken, 'x.y.z'),
      loggedInAt: fc.integer({ min: at - HOUR, max: at + 2 * HOUR }),
      issuerKeys: fc.constant(issuer.keys.keys),
    },
    { requiredKeys: [] },
  );
  const reader = fc.constantFrom<IdentityDemands>({}, { issuer: issuerUrl, clientId }, { clientId, audience: 'other' });
  for (const victim of victims) {
    const stolen = {
      ...details,
      subject: victim.subject,
      idToken: victim.bindingIdToken,
      loginKey: publicHalf(framer.loginKey),
      salt: framer.salt,
      sessionKey: own.sessionJwk,
      certificate: JSON.parse(own.certificate),
    };
    await fc.assert(
      fc.asyncProperty(claims, reader, async (claimed, demands) => {
        const { level, refused } = await judge({ ...stolen, ...claimed }, demands);
        if (refused.length > 0) return;
        // a token without nonce proves who logged in and nothing about the key: that is what the reader is told
        if (victim === login || level !== 'asserted') throw new Error(`${level} by ${JSON.stringify(claimed)}`);
      }),
      { numRuns: 150 },
    );
  }
});

test('attack: a colleague is framed by whoever runs another client of the issuer, and has its tokens carry any nonce', async (t) => {
  for (const level of ['nonce', 'asserted'] as const) {
    const lured = await issuer.login('colleague', { at, level, client: 'quiz-of-the-day' });
    const session = createSession(
      { ...lured, level: level === 'asserted' ? 'audience' : level },
      { now: at + 1000, lifetimeMs: HOUR, sid: credential.sid },
    );
    const readers: readonly IdentityDemands[] = [{}, { issuer: issuerUrl }, { workloadIssuers: [issuerUrl] }];
    for (const [fields, demands] of readers.flatMap((reader) => [
      [opened(session), reader] as const,
      [{ ...opened(session), clientId: 'dbguard', audience: 'quiz-of-the-day' }, reader] as const,
    ])) {
      const { level: reached, findings } = await look(fields, demands, { client: null });
      t.equal(reached, undefined, 'a reader who has not named a client');
      t.ok(findings.some(({ message }) => /quiz-of-the-day.*--client-id/.test(message)));
      t.match(await look(fields, demands), { findings: [{ severity: 'failure' }] }, 'and one who has');
    }
  }
  const own = await look({ ...details, audience: 'https://api' }, { audience: 'https://other' }, { client: null });
  t.match(own.findings, [{ severity: 'failure', message: /not https:\/\/other/ }], 'the audience alone is named');
});

test('level audience is for issuers that the reader has named', async (t) => {
  const job = await issuer.login('job', { at, level: 'asserted' });
  const session = createSession(
    { ...job, level: 'audience' },
    { now: at + 1000, lifetimeMs: HOUR, sid: credential.sid },
  );
  const fields = { v: 1, ...openDetails({ credential: session, version: '0.0.0' }), method: 'workload' };
  Object.assign(fields, { certificate: JSON.parse(session.certificate) });
  const named = { issuer: 'https://people.example', clientId, workloadIssuers: [issuerUrl] };
  t.strictSame(await look(fields, named), { level: 'audience', findings: [] });
  t.strictSame(await look({ ...fields, method: undefined }, named), { level: 'audience', findings: [] });
  const unnamed = await look(fields, { issuer: issuerUrl, clientId });
  t.match(unnamed, {
    level: 'asserted',
    findings: [{ severity: 'warning', message: /name the issuer/ }, { severity: 'warning' }],
  });
});

test('several issuers in one bucket, and keys that are not at hand: not proven, never forged', async (t) => {
  const unproven = [{ severity: 'warning', code: 'identity-unproven' }] as const;
  const people = { issuer: 'https://people.example', clientId };
  t.match(await look(details, people), { level: undefined, findings: unproven }, 'an issuer that nobody named');
  t.strictSame((await look(details, { ...people, workloadIssuers: [issuerUrl] })).findings, []);
  t.match(await look(details, {}, { keys: [] }), { level: undefined, findings: unproven });
  const rotated = await testIssuer(issuerUrl, 'k2');
  t.match(await look(details, {}, { keys: rotated.keys }), { findings: unproven }, 'the key of today is another one');
  t.match(await look(details, {}, { keys: [rotated.keys, issuer.keys] }), { level: 'nonce', findings: [] });
  const forger = await testIssuer(issuerUrl, 'k1');
  const beside = { ...forger.keys, unvouched: true } as const;
  t.match(
    await look(details, {}, { keys: beside }),
    { findings: unproven },
    'attack: a false key beside the transcripts',
  );
  t.match(await look(details, {}, { keys: [beside, issuer.keys] }), { level: 'nonce', findings: [] });
  t.match(
    await look(details, {}, { keys: forger.keys }),
    { findings: [{ severity: 'failure' }] },
    'another key by its name',
  );
});

test('attack: a login key used for ever', async (t) => {
  const DAY = 24 * HOUR;
  const later = async (days: number, demands: IdentityDemands = {}, stored = days) => {
    const session = createSession(login, { now: at + days * DAY, lifetimeMs: HOUR, sid: credential.sid });
    const fields = { ...details, sessionKey: session.sessionJwk, certificate: JSON.parse(session.certificate) };
    return look(fields, demands, { openedAt: at + days * DAY, storedAt: at + stored * DAY });
  };
  t.strictSame((await later(29)).findings, []);
  t.match((await later(31)).findings, [{ severity: 'failure', message: /older than allowed/ }]);
  t.strictSame((await later(31, { maxLoginAgeMs: 60 * DAY })).findings, []);
  t.match((await later(1, {}, 90)).findings, [{ severity: 'warning', code: 'login-old', message: /90 days/ }]);
  t.strictSame((await later(1, {}, 20)).findings, [], 'a machine that was without network');

  const tooLong = JSON.stringify({
    sid: credential.sid,
    sessionKey: credential.sessionJwk,
    notBefore: at,
    notAfter: at + 8 * DAY,
  });
  const type = 'application/vnd.dbguard.session-certificate.v1+json';
  const bytes = Buffer.from(`DSSEv1 ${type.length} ${type} ${tooLong.length} ${tooLong}`);
  const sig = sign(null, bytes, privateKeyObject(login.loginKey)).toString('base64');
  const certificate = { payloadType: type, payload: Buffer.from(tooLong).toString('base64'), signatures: [{ sig }] };
  t.match(await judge({ ...details, certificate }), { refused: [/more than 7 days/] });
});

test('a revoked login key: by the writer’s clock and by the bucket’s', async (t) => {
  const revoked = (since: number, key = login.loginKey) => ({
    revokedKeys: [{ thumbprint: thumbprint(key), since, reason: 'laptop stolen' }],
  });
  const fails = [{ severity: 'failure', code: 'login-revoked', message: /laptop stolen/ }] as const;
  t.match((await look(details, revoked(at))).findings, fails);
  t.strictSame((await look(details, revoked(at + HOUR), { storedAt: at + 2000 })).findings, [], 'it was before');
  t.match((await look(details, revoked(at + HOUR), { storedAt: at + 2 * HOUR })).findings, fails, 'attack: dated back');
  const another = await issuer.login('dev', { at });
  t.strictSame((await look(details, revoked(0, another.loginKey))).findings, [], 'the same person’s other key');
});

test('attack: degenerate keys in the opening entry', async (t) => {
  const vectors = JSON.parse(readFileSync(new URL('../vectors/keys.json', import.meta.url), 'utf8'));
  for (const { what, x } of vectors.ed25519) {
    const key = { kty: 'OKP', crv: 'Ed25519', x };
    t.ok((await judge({ ...details, loginKey: key })).refused.length > 0, `login key: ${what}`);
    const claims = { sid: credential.sid, sessionKey: key, notBefore: at, notAfter: at + HOUR };
    const type = 'application/vnd.dbguard.session-certificate.v1+json';
    const body = JSON.stringify(claims);
    const bytes = Buffer.from(`DSSEv1 ${type.length} ${type} ${body.length} ${body}`);
    const sig = sign(null, bytes, privateKeyObject(login.loginKey)).toString('base64');
    const certificate = { payloadType: type, payload: Buffer.from(body).toString('base64'), signatures: [{ sig }] };
    const { refused } = await judge({ ...details, sessionKey: key, certificate });
    t.match(refused, [/session key proves nothing/], `session key: ${what}`);
  }
});

test('attack: names that look like a colleague’s', async (t) => {
  const fails = async (sub: string) => {
    const odd = await issuer.login(sub, { at });
    const session = createSession(odd, { now: at + 1000, lifetimeMs: HOUR, sid: credential.sid });
    const fields = { v: 1, ...openDetails({ credential: session, version: '0.0.0' }) };
    return (await look({ ...fields, certificate: JSON.parse(session.certificate) })).findings.map(({ code }) => code);
  };
  for (const name of [
    'ad\u200ba',
    'ada\u00ad',
    '\u202eada',
    'аda',
    'adа',
    'ａda',
    'ada\ufe0f',
    'ada\u00a0',
    'ada\u3164',
    'ѕоре',
    'ﬁona',
    '𝐚da',
  ]) {
    t.same(new Set(await fails(name)), new Set(['identity-look-alike']), JSON.stringify(name));
  }
  for (const name of [
    'ada',
    'ada.lovelace',
    'jörg',
    'michał',
    'иван',
    'γιώργος',
    '李雷',
    'दीपा',
    "o'neil",
    'repo:acme/shop:ref:refs/heads/main',
  ]) {
    t.same(await fails(name), [], name);
  }
});

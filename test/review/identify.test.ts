/** What an opening entry claims, field by field, against what the issuer and the login key really said. */
import { test } from 'tap';
import { publicHalf } from '../../src/identity/binding.js';
import { createSession } from '../../src/identity/session.js';
import { openDetails } from '../../src/io/spool/spool.js';
import { type IdentityDemands, identify } from '../../src/review/identify.js';
import { Findings } from '../../src/transcript/finding.js';
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

async function judge(
  fields: object,
  demands: IdentityDemands = {},
  { keys = issuer.keys, openedAt = at + 1000 } = {},
): Promise<Judged> {
  const { sid } = credential;
  const entry = { n: 0, t: openedAt * 1000, k: 'open', c: {}, fields: { ...fields } };
  const findings = new Findings();
  try {
    const source = { keysOf: async () => [{ ...keys, origin: 'test' }] };
    const { level } = await identify(sid, readOpen(entry), openedAt, findings, source, demands);
    return {
      level,
      refused: findings.list.filter(({ severity }) => severity === 'failure').map(({ message }) => message),
    };
  } catch (error) {
    return { level: undefined, refused: [error instanceof Error ? error.message : String(error)] };
  }
}

test('evidence of years ago holds with the keys of years ago', async (t) => {
  t.strictSame(await judge(details), { level: 'nonce', refused: [] });
  t.notMatch(JSON.stringify(details), login.loginKey.d, 'no private key goes into a transcript');
});

test('what an organisation demands', async (t) => {
  const refused = async (demands: IdentityDemands, message: RegExp, openedAt = at + 1000) =>
    t.match((await judge(details, demands, { openedAt })).refused, [message]);
  await refused({ issuer: 'https://other.example' }, /the issuer is/);
  await refused({ clientId: 'other' }, /for the client dbguard, not other/);
  await refused({ maxLoginAgeMs: 500 }, /older than allowed/);
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

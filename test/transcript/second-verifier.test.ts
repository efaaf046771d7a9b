/** What an issuer may sign with, and which of its keys prove nothing: two verifiers, one answer. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { SignJWT } from 'jose';
import { test } from 'tap';
import { bindingNonce } from '../../src/identity/binding.js';
import type { IssuerKey } from '../../src/identity/identity.js';
import { subjectHash } from '../../src/transcript/object-key.js';
import { newKeyPair } from '../helpers/keys.js';
import { alteredHistories } from './altered-histories.js';
import { alteredProofs } from './altered-proofs.js';
import { issuerKeys, keys, recorded, salt, sid, startedAt, subject } from './vector.js';
import type { VectorCase } from './vector-cases.js';
import { judged, noPython, python } from './verifiers.js';

const kinds = { RS: 'rsa', PS: 'rsa', ES256: 'ec', ES384: 'P-384', ES512: 'P-521', EdDSA: 'ed25519' } as const;
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;

interface Key {
  readonly what: string;
  readonly jwk: IssuerKey;
}

const published: { readonly issuer: readonly Key[]; readonly sound: readonly Key[] } = JSON.parse(
  readFileSync(new URL('../vectors/keys.json', import.meta.url), 'utf8'),
);

function kindOf(alg: (typeof algorithms)[number]) {
  if (alg.startsWith('RS')) return kinds.RS;
  return alg.startsWith('PS') ? kinds.PS : kinds[alg as 'ES256' | 'ES384' | 'ES512' | 'EdDSA'];
}

/** One that holds, one whose signature is another's, one whose claims were changed. */
async function signedWith(alg: (typeof algorithms)[number]): Promise<VectorCase[]> {
  const { privateKey, publicKey } = newKeyPair(kindOf(alg));
  const issuerKeys = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: alg } as IssuerKey] };
  const sign = (aud: string) =>
    new SignJWT({ email: subject.email, nonce: bindingNonce(keys.login.jwk, salt) })
      .setProtectedHeader({ alg, kid: alg })
      .setIssuer(subject.iss)
      .setSubject(subject.sub)
      .setAudience(aud)
      .setIssuedAt(startedAt / 1000 - 60)
      .setExpirationTime(startedAt / 1000 + 3540)
      .sign(privateKey);
  const [token, other] = [await sign('dbguard'), await sign('other')];
  const [head, claims] = token.split('.');
  const given = (name: string, verdict: VectorCase['verdict'], idToken: string): VectorCase => ({
    name: `${alg}: ${name}`,
    verdict,
    sid,
    subject: subjectHash(subject),
    segments: recorded({ steps: ['final'], open: { idToken } }),
    issuerKeys,
    reader: { clientId: 'dbguard' },
  });
  return [
    given('a signature that holds', 'proven', token),
    given('the signature of another token', 'invalid', `${head}.${claims}.${other.split('.')[2]}`),
    given('a signature that is cut', 'invalid', token.slice(0, -4)),
    given('a signature of nothing but zeros', 'invalid', `${head}.${claims}.${zeros(token)}`),
  ];
}

function zeros(token: string): string {
  const { length } = Buffer.from(token.split('.')[2] ?? '', 'base64url');
  return Buffer.alloc(length).toString('base64url');
}

function lines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

test('every algorithm of an issuer', async (t) => {
  const cases = (await Promise.all(algorithms.map(signedWith))).flat();
  const file = join(t.testdir(), 'sessions.jsonl');
  writeFileSync(file, lines(cases));
  const second = noPython === false ? python(file) : undefined;
  t.equal(second?.stderr ?? '', '');
  for (const [n, one] of cases.entries()) {
    const { verdict, findings } = await judged(one);
    t.equal(verdict, one.verdict, `${one.name}: ${findings.map(({ message }) => message).join('; ')}`);
    if (second) t.equal(second.lines[n]?.verdict, one.verdict, `${one.name}: ${second.lines[n]?.why}`);
  }
});

test('each key of an issuer that proves nothing', { skip: noPython }, async (t) => {
  const { issuer, sound } = published;
  const file = join(t.testdir(), 'keys.jsonl');
  writeFileSync(file, lines([...issuer, ...sound].map(({ jwk }) => jwk)));
  const { lines: said, stderr } = python('--keys', file);
  t.equal(stderr, '');
  t.equal(said.length, issuer.length + sound.length);
  for (const [n, { what }] of issuer.entries()) t.not(said[n], null, what);
  for (const [n, { what }] of sound.entries()) t.equal(said[issuer.length + n], null, what);
});

/** Of a fixed seed: a disagreement is a fault of the document, and none that may show once in a hundred runs. */
test('histories that no honest writer writes', { skip: noPython }, async (t) => {
  const { ALTERED_HISTORIES: numRuns = '150', ALTERED_SEED: seed = '10' } = process.env;
  const cases = fc.sample(alteredHistories, { numRuns: Number(numRuns), seed: Number(seed) }).map(
    (segments, n): VectorCase => ({
      name: `altered ${n}`,
      verdict: 'invalid',
      ...{ sid, subject: subjectHash(subject), segments, issuerKeys, reader: { clientId: 'dbguard' } },
    }),
  );
  const file = join(t.testdir(), 'sessions.jsonl');
  writeFileSync(file, lines(cases));
  const { lines: said, stderr } = python(file);
  t.equal(stderr, '');
  const verdicts = new Set<string>();
  for (const [n, one] of cases.entries()) {
    const { verdict, findings } = await judged(one);
    verdicts.add(verdict);
    const why = findings.map(({ message }) => message).join('; ');
    if (said[n]?.verdict !== verdict)
      t.equal(said[n]?.verdict, verdict, `${said[n]?.why}, ${why}: ${lines(one.segments)}`);
  }
  t.ok(verdicts.has('proven') && verdicts.has('invalid'), 'some of each');
});

/**
 * Of a fixed seed, as above. Without keys of the issuer no token can be called forged, unless it is none: only a
 * certificate can, which needs no keys.
 */
test('certificates and tokens that were altered', { skip: noPython }, async (t) => {
  const { ALTERED_PROOFS: numRuns = '400', ALTERED_SEED: seed = '10' } = process.env;
  const all = fc.sample(alteredProofs, { numRuns: Number(numRuns), seed: Number(seed) });
  const file = join(t.testdir(), 'sessions.jsonl');
  writeFileSync(file, lines(all.map(({ given }) => given)));
  const { lines: said, stderr } = python(file);
  t.equal(stderr, '');
  for (const [n, { what, unsigned, unknown, given }] of all.entries()) {
    const { verdict, findings } = await judged(given);
    const why = `${what}: ${said[n]?.why}; ${findings.map(({ message }) => message).join('; ')}`;
    if (said[n]?.verdict !== verdict) t.equal(said[n]?.verdict, verdict, why);
    if (unsigned && verdict === 'proven') t.fail(`proven all the same: ${why}`);
    const refused = findings.find(({ severity, code }) => severity === 'failure' && code === 'identity-invalid');
    const isNoToken = /is not a signed JWT|is signed with|\(crit\)/.test(refused?.message ?? '');
    if (unknown && refused && !isNoToken) t.fail(`called forged by somebody without keys: ${why}`);
  }
  t.equal(said.length, all.length);
});

/** Sessions that a gateway signed for somebody: its own login, the person's token without its signature, and the proof of that. */
import { createHash } from 'node:crypto';
import { SignJWT } from 'jose';
import { bindingNonce } from '../../src/identity/binding.js';
import { proveSignature } from '../../src/identity/token-proof.js';
import type { IdentityDemands } from '../../src/review/identity-demands.js';
import { details, fixedRsaKey, issuerKeys, keys, salt, startedAt, subject, token } from './vector.js';

type Verdict = 'proven' | 'unproven' | 'invalid';

export interface GatewayCase {
  readonly name: string;
  readonly verdict: Verdict;
  readonly open: object;
  readonly reader?: object;
}

const rsa = fixedRsaKey('issuer');
const kid = 'rsa-1';
export const gatewayIssuerKeys = { keys: [...issuerKeys.keys, { ...rsa.jwk, kid, alg: 'RS256', use: 'sig' }] };
/** The gateway runs on a platform of its own, whose keys are the same. */
const platform = 'https://platform.example';
const gatewaySubject = { iss: platform, sub: 'system:serviceaccount:db:dbguard' };
export const gatewayReader = {
  issuer: subject.iss,
  clientId: 'dbguard',
  workloadIssuers: [platform],
  gateway: { audience: 'dbguard-gateway', clients: ['dbguard-gateway'], subjects: [gatewaySubject.sub] },
} as const satisfies IdentityDemands;

const ownToken = (more: object = {}) =>
  token({
    iss: platform,
    sub: gatewaySubject.sub,
    email: undefined,
    nonce: undefined,
    aud: `dbguard:${bindingNonce(keys.login.jwk, salt)}`,
    ...more,
  });

async function shownToken(more: object = {}, head: object = {}) {
  const claims = { email: subject.email, iss: subject.iss, sub: subject.sub, aud: 'dbguard-gateway' };
  const times = { iat: startedAt / 1000 - 60, exp: startedAt / 1000 + 240 };
  const all = Object.entries({ ...claims, ...times, ...more }).filter(([, value]) => value !== undefined);
  const jwt = await new SignJWT(Object.fromEntries(all))
    .setProtectedHeader({ alg: 'RS256', kid, ...head })
    .sign(rsa.key);
  const [first, second, signature = ''] = jwt.split('.');
  return { signingInput: `${first}.${second}`, signature: Buffer.from(signature, 'base64url') };
}

function proofOf({ signingInput, signature }: Awaited<ReturnType<typeof shownToken>>, session = details.sessionKey.x) {
  let drawn = 0;
  const random = (size: number) => createHash('shake256', { outputLength: size }).update(`random ${drawn++}`).digest();
  return proveSignature({ signingInput, key: rsa.jwk, session }, signature, random);
}

export async function gatewayCases(): Promise<GatewayCase[]> {
  const person = await shownToken();
  const gateway = {
    subject: gatewaySubject,
    level: 'nonce',
    clientId: 'dbguard',
    loggedInAt: startedAt - 60_000,
    idToken: await ownToken(),
  };
  const sound = {
    level: 'gateway',
    clientId: 'dbguard-gateway',
    audience: 'dbguard-gateway',
    method: undefined,
    loggedInAt: startedAt - 1000,
    idToken: `${person.signingInput}.`,
    proof: proofOf(person),
    gateway,
  };
  const one = (name: string, verdict: Verdict, more: object = {}, reader?: object): GatewayCase => ({
    name: `a gateway: ${name}`,
    verdict,
    open: { ...sound, ...more },
    ...(reader && { reader: { ...gatewayReader, ...reader } }),
  });
  const shown = async (name: string, verdict: Verdict, more: object, head: object = {}, reader?: object) => {
    const other = await shownToken(more, head);
    return one(name, verdict, { idToken: `${other.signingInput}.`, proof: proofOf(other) }, reader);
  };
  const own = (name: string, verdict: Verdict, more: object, reader?: object) =>
    one(name, verdict, { gateway: { ...gateway, ...more } }, reader);
  const eve = await shownToken({ sub: 'eve' });
  const ed = await token({ aud: 'dbguard-gateway', nonce: undefined });
  const { gateway: _, ...unnamed } = gatewayReader;
  return [
    one('for a person', 'proven'),
    await shown(
      'an access token of a client that may ask',
      'proven',
      { client_id: 'dbguard-gateway' },
      { typ: 'at+jwt' },
    ),
    own(
      'that is a person itself',
      'proven',
      {
        subject: { iss: subject.iss, sub: 'ops' },
        idToken: await token({ sub: 'ops', email: undefined }),
      },
      { gateway: { ...gatewayReader.gateway, subjects: ['ops'] } },
    ),
    own('whose platform’s token names no key', 'proven', {
      level: 'audience',
      idToken: await ownToken({ aud: 'dbguard' }),
    }),
    { ...one('that the reader has not named', 'unproven'), reader: { ...unnamed } },
    one(
      'of another name than the reader’s',
      'unproven',
      {},
      { gateway: { ...gatewayReader.gateway, subjects: ['x'] } },
    ),
    one('whose person’s issuer the reader has not named', 'unproven', {}, { issuer: 'https://other.example' }),
    one('for a token of whose signature nothing can be shown', 'unproven', {
      idToken: `${ed.split('.').slice(0, 2).join('.')}.`,
      proof: undefined,
    }),
    own('whose token names no key at all', 'unproven', {
      subject: { iss: subject.iss, sub: gatewaySubject.sub },
      level: 'asserted',
      idToken: await token({ sub: gatewaySubject.sub, email: undefined, nonce: undefined }),
    }),
    one('without a proof', 'invalid', { proof: undefined }),
    one('with a proof for another session', 'invalid', { proof: proofOf(person, keys.other.jwk.x) }),
    one('with a proof for another token', 'invalid', { proof: proofOf(eve) }),
    one('with a proof by whoever has not seen the signature', 'invalid', {
      proof: proofOf({ ...person, signature: Buffer.alloc(256, 1) }),
    }),
    one('with a proof that is cut', 'invalid', { proof: sound.proof.slice(0, -4) }),
    one('with a proof of nothing but zeros', 'invalid', { proof: Buffer.alloc(32 + 16 * 256).toString('base64url') }),
    one('with a proof of something else', 'invalid', { idToken: `${ed.split('.').slice(0, 2).join('.')}.` }),
    one('that shows the whole token', 'invalid', {
      idToken: `${person.signingInput}.${person.signature.toString('base64url')}`,
    }),
    one('for somebody else than the token names', 'invalid', { idToken: `${eve.signingInput}.`, proof: proofOf(eve) }),
    one('for another address than the token’s', 'invalid', { subject: { ...subject, email: 'x@example.test' } }),
    one('long after the token was shown', 'invalid', { loggedInAt: startedAt - 600_000 }),
    one('before the token was shown', 'invalid', { loggedInAt: startedAt + 200_000 }),
    one('for another audience', 'invalid', { audience: 'dbguard' }),
    await shown('a token for another audience', 'invalid', { aud: 'dbguard' }),
    await shown('a token of another client', 'invalid', { azp: 'wiki' }),
    await shown('a token that names two clients', 'invalid', { azp: 'dbguard-gateway', client_id: 'wiki' }),
    await shown('a token for several, of no client', 'invalid', { aud: ['dbguard-gateway', 'api'] }),
    await shown('a token that had expired', 'invalid', { exp: startedAt / 1000 - 200 }),
    await shown('a token that was not valid yet', 'invalid', { nbf: startedAt / 1000 + 200 }),
    await shown('a token that is bound to a key', 'invalid', { cnf: { jkt: 'x' } }),
    await shown('a refresh token', 'invalid', { typ: 'Refresh' }),
    await shown('a logout token', 'invalid', {}, { typ: 'logout+jwt' }),
    own(
      'whose own level is less than the reader’s minimum',
      'invalid',
      { level: 'audience', idToken: await ownToken({ aud: 'dbguard' }) },
      { minimumLevel: 'dpop' },
    ),
    one('whose own level is the reader’s minimum', 'proven', {}, { minimumLevel: 'nonce' }),
    own('that is a local key', 'invalid', { level: 'local' }),
    own('that shows another key’s token', 'invalid', { idToken: await ownToken({ aud: `dbguard:${'A'.repeat(43)}` }) }),
    own(
      'that is another than its token names',
      'invalid',
      { subject: { ...gatewaySubject, sub: 'x' } },
      {
        gateway: { ...gatewayReader.gateway, subjects: ['x'] },
      },
    ),
    one('that calls itself a person', 'invalid', { level: 'nonce' }),
    one('without its own login', 'invalid', { gateway: undefined }),
    { name: 'a person with a proof', verdict: 'invalid', open: { proof: sound.proof } },
  ];
}

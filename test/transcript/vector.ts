/** A session from fixed keys, clock and salts: the same bytes in each run, for other implementations to check against. */
import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { SignJWT } from 'jose';
import { bindingNonce, publicHalf, thumbprint } from '../../src/identity/binding.js';
import type { IssuerKey, JsonWebKeyPrivate } from '../../src/identity/identity.js';
import { CERTIFICATE_TYPE } from '../../src/identity/session.js';
import { Chain } from '../../src/transcript/chain.js';
import type { Disclosures, EntryBody } from '../../src/transcript/entry.js';
import { sessionPrefix, subjectHash } from '../../src/transcript/object-key.js';
import { openEntry } from '../../src/transcript/open-entry.js';

/** 2026-11-23T12:00:00Z in milliseconds. */
const startedAt = Date.UTC(2026, 10, 23, 12);
const sid = '01kar60600vectxrvectxrvect';
const subject = { iss: 'https://issuer.example', sub: 'u1', email: 'u1@example.test' };

export interface TranscriptVector {
  readonly description: string;
  readonly issuerKeys: { readonly keys: readonly IssuerKey[] };
  /** Key of each object without its number. */
  readonly prefix: string;
  /** Lines of each segment, before gzip. */
  readonly segments: readonly (readonly string[])[];
  readonly expected: {
    readonly sid: string;
    readonly sub: string;
    readonly entries: number;
    readonly statements: number;
    readonly head: string;
  };
}

export async function makeVector(): Promise<TranscriptVector> {
  const issuer = fixedKey('issuer');
  const login = fixedKey('login key');
  const session = fixedKey('session key');
  const salt = createHash('sha256').update('salt').digest().subarray(0, 16).toString('base64url');
  const kid = 'vector-1';
  const issuerKeys = { keys: [{ ...publicHalf(issuer.jwk), kid, alg: 'EdDSA', use: 'sig' }] };
  const idToken = await new SignJWT({ email: subject.email, nonce: bindingNonce(login.jwk, salt) })
    .setProtectedHeader({ alg: 'EdDSA', kid })
    .setIssuer(subject.iss)
    .setSubject(subject.sub)
    .setAudience('dbguard')
    .setIssuedAt(startedAt / 1000 - 60)
    .setExpirationTime(startedAt / 1000 + 3540)
    .sign(issuer.key);
  const chain = chainOf();
  const details = {
    subject,
    level: 'nonce',
    clientId: 'dbguard',
    method: 'device',
    loggedInAt: startedAt - 60_000,
    loginKey: publicHalf(login.jwk),
    salt,
    idToken,
    sessionKey: publicHalf(session.jwk),
    certificate: certify(login, session.jwk),
    connection: { name: 'shop', host: 'db.example', port: 5432, database: 'shop', user: 'app' },
    policy: { name: 'guarded', digest: createHash('sha256').update('policy').digest('base64url') },
    version: '0.1.0',
    agent: 'psql',
  };
  const add = (body: EntryBody, disclosures?: Disclosures): string => chain.add(body, disclosures).line.trimEnd();
  const signature = (): string => chain.sign({ sign: (bytes) => sign(null, bytes, session.key) }).trimEnd();
  const segments = [
    [add(openEntry(details)), add(chain.seal(false)), signature()],
    [
      add({
        k: 'connection',
        conn: 1,
        event: 'open',
        user: 'app',
        database: 'shop',
        applicationName: 'psql',
        backendPid: 4711,
      }),
      add(
        { k: 'statement', conn: 1, protocol: 'query', tx: 'I', decision: 'allow', rule: 'builtin:read' },
        {
          sql: 'SELECT \'é\', "Name" FROM t -- 😀\n',
        },
      ),
      signature(),
      add({ k: 'outcome', of: 3, how: 'done', tag: 'SELECT 1', rows: 1, bytes: 42, us: 830, tx: 'I' }),
      add(
        {
          k: 'statement',
          conn: 1,
          protocol: 'execute',
          tx: 'I',
          decision: 'ask',
          rule: 'builtin:delete-unbounded',
        },
        { sql: 'DELETE FROM orders WHERE id < $1 AND note IS DISTINCT FROM $2', bind: ['10', null] },
      ),
      signature(),
      add(
        { k: 'verdict', of: 5, decision: 'deny', by: 'person', channel: 'terminal', waitedMs: 4100 },
        { reason: 'not today' },
      ),
      add(chain.seal(false)),
      signature(),
    ],
    [add(chain.seal(true)), signature()],
  ];
  return {
    description: 'One complete session. Ed25519 throughout; the keys are SHA-256 of "dbguard vector: <name>" as seeds.',
    issuerKeys,
    prefix: sessionPrefix(subjectHash(subject), sid),
    segments,
    expected: { sid, sub: subject.sub, entries: chain.size, statements: chain.totals.statements, head: chain.head },
  };
}

function chainOf(): Chain {
  let time = startedAt * 1000;
  const now = (): number => {
    time += 1500;
    return time;
  };
  return new Chain(sid, {
    now,
    randomBytes: (size) => createHash('shake256', { outputLength: size }).update('salts').digest(),
  });
}

interface FixedKey {
  readonly key: KeyObject;
  readonly jwk: JsonWebKeyPrivate;
}

function fixedKey(name: string): FixedKey {
  const seed = createHash('sha256').update(`dbguard vector: ${name}`).digest();
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]); // RFC 8410 section 7
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const { x = '', d = '' } = key.export({ format: 'jwk' });
  return { key, jwk: { kty: 'OKP', crv: 'Ed25519', x, d } };
}

function certify(login: FixedKey, sessionKey: JsonWebKeyPrivate): string {
  const claims = { sid, sessionKey: publicHalf(sessionKey), notBefore: startedAt, notAfter: startedAt + 3_600_000 };
  const payload = JSON.stringify(claims);
  const preAuth = `DSSEv1 ${CERTIFICATE_TYPE.length} ${CERTIFICATE_TYPE} ${Buffer.byteLength(payload)} ${payload}`;
  return JSON.stringify({
    payloadType: CERTIFICATE_TYPE,
    payload: Buffer.from(payload).toString('base64'),
    signatures: [{ keyid: thumbprint(login.jwk), sig: sign(null, Buffer.from(preAuth), login.key).toString('base64') }],
  });
}

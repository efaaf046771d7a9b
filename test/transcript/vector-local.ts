/** Sessions of a key that nobody vouches for: what such a one may be, and what it may never pass for. */
import { publicHalf, thumbprint } from '../../src/identity/binding.js';
import { LOCAL_ISSUER } from '../../src/identity/subject-name.js';
import { keys, startedAt, subject, token } from './vector.js';
import type { VectorCase, VectorReader } from './vector-cases.js';

export interface LocalCase {
  readonly verdict: VectorCase['verdict'];
  /** Of the opening entry, over that of a local key. */
  readonly open?: Readonly<Record<string, unknown>>;
  readonly reader?: VectorReader;
}

export const localSubject = { iss: LOCAL_ISSUER, sub: `local:${thumbprint(keys.login.jwk)}` };

/** The opening entry's fields of a local key. */
export const localOpen = {
  subject: localSubject,
  level: 'local',
  clientId: '',
  method: undefined,
  loginKey: publicHalf(keys.login.jwk),
  idToken: '',
};

const anybody: VectorReader = {};

export const localCases: Readonly<Record<string, LocalCase>> = {
  'a local key': { verdict: 'local', reader: anybody },
  'a local key, to a reader who takes that': { verdict: 'local', reader: { minimumLevel: 'local' } },
  'a local key, to a reader who takes that beside an issuer': {
    verdict: 'local',
    reader: { issuer: subject.iss, clientId: 'dbguard', minimumLevel: 'local' },
  },
  'a local key, to a reader who has named an issuer': { verdict: 'invalid', reader: { issuer: subject.iss } },
  'a local key, to a reader who has named an issuer of workloads': {
    verdict: 'invalid',
    reader: { workloadIssuers: [subject.iss] },
  },
  'a local key, to a reader who demands the weakest word of an issuer': {
    verdict: 'invalid',
    reader: { minimumLevel: 'asserted' },
  },
  'a local key, to a reader who demands a provider': { verdict: 'invalid', reader: { identityRequired: true } },
  'a local key that names an issuer': { verdict: 'invalid', open: { subject } },
  'a local key in the name of another': {
    verdict: 'invalid',
    open: { subject: { ...localSubject, sub: `local:${thumbprint(keys.other.jwk)}` } },
  },
  'a local key with a name of a person’s choice': {
    verdict: 'invalid',
    open: { subject: { ...localSubject, sub: 'ada' } },
  },
  'a local key with an e-mail address': {
    verdict: 'invalid',
    open: { subject: { ...localSubject, email: subject.email } },
  },
  'a local key with somebody’s token': { verdict: 'invalid', open: { idToken: await token() } },
  'a local key with somebody’s access token': { verdict: 'invalid', open: { accessToken: await token() } },
  'a local key with a client': { verdict: 'invalid', open: { clientId: 'dbguard' } },
  'a local key with an audience': { verdict: 'invalid', open: { audience: 'dbguard' } },
  'a local key that was logged in': { verdict: 'invalid', open: { method: 'device' } },
  'a local key that was made later': { verdict: 'invalid', open: { loggedInAt: startedAt + 3_600_000 } },
  'a local key that claims an issuer’s word': { verdict: 'invalid', open: { level: 'nonce' } },
  'a local key with a token that claims an issuer’s word': {
    verdict: 'invalid',
    open: { level: 'nonce', clientId: 'dbguard', idToken: await token() },
  },
  'a local key with a token made for its name': {
    verdict: 'invalid',
    open: {
      level: 'nonce',
      clientId: 'dbguard',
      idToken: await token({ iss: LOCAL_ISSUER, sub: localSubject.sub, email: undefined }),
    },
  },
};

/**
 * Sessions whose chain and signatures hold, with a certificate or an ID token that was altered: bytes of it, its fields
 * with a signature that is none of them, and fields that their signer did sign and no honest one would.
 */
import * as fc from 'fast-check';
import { subjectHash } from '../../src/transcript/object-key.js';
import {
  certificate,
  issuerKeys,
  keys,
  otherSid,
  recorded,
  sid,
  signing,
  startedAt,
  subject,
  token,
} from './vector.js';
import type { VectorCase } from './vector-cases.js';

export interface AlteredProof {
  readonly what: string;
  /** Whoever altered it has neither key: no reader may find it proven. */
  readonly unsigned: boolean;
  readonly given: VectorCase;
}

type Proof = Partial<Record<'idToken' | 'certificate', string>>;

interface Alteration {
  readonly what: string;
  readonly unsigned: boolean;
  readonly proof: Proof;
}

const genuine = { idToken: await token(), certificate: certificate() };
const signed = {
  idToken: await Promise.all([
    token({ sub: 'u2' }),
    token({ aud: 'other' }),
    token({ nonce: 'x' }),
    token({}, keys.other),
    token({}, keys.issuer, { kid: 'vector-2' }),
  ]),
  certificate: [
    certificate({ sid: otherSid }),
    certificate({ notAfter: startedAt + 1 }),
    certificate({}, signing(keys.other)),
  ],
};
const which = fc.constantFrom('idToken', 'certificate');

/** Bytes of the text itself. */
const edited = fc
  .record({
    which,
    at: fc.nat(),
    gone: fc.integer({ min: 0, max: 3 }),
    put: fc.oneof(
      fc.string({ maxLength: 3 }),
      fc.constantFrom('.', '=', '"', '\\u0061', '-', '_', '+', '/', 'A', ' ', '\n', '\0', '{', '}'),
    ),
  })
  .map(({ which, at, gone, put }): Alteration => {
    const text = genuine[which];
    const place = at % text.length;
    const after = text.slice(0, place) + put + text.slice(place + gone);
    return {
      what: `${which}: ${gone} out and ${JSON.stringify(put)} in at ${place}`,
      unsigned: true,
      proof: { [which]: after },
    };
  })
  .filter(({ proof }) => !isSameProof(proof));

/** JSON knows several ways to write one certificate. That is another text, and nothing else. */
function isSameProof(proof: Proof): boolean {
  const { idToken = genuine.idToken, certificate: text = genuine.certificate } = proof;
  if (idToken !== genuine.idToken) return false;
  try {
    return JSON.stringify(JSON.parse(text)) === genuine.certificate;
  } catch {
    return false;
  }
}

/** The parts of one beside the signature of another. */
const mixed = fc
  .record({ part: fc.nat({ max: 2 }), of: fc.constantFrom(...signed.idToken) })
  .map(({ part, of }): Alteration => {
    const parts = genuine.idToken.split('.');
    parts[part] = of.split('.')[part] ?? '';
    return { what: `part ${part} of another token`, unsigned: true, proof: { idToken: parts.join('.') } };
  })
  .filter(({ proof }) => !isSameProof(proof));

const oddities = fc.constantFrom<unknown>(
  ...[
    null,
    true,
    0,
    -1,
    1.5,
    2 ** 53,
    1e300,
    '',
    'x',
    [],
    ['dbguard'],
    {},
    [null],
    'ＤＢguard',
    '\u200b',
    'none',
    'HS256',
  ],
);

const decoded = (text: string): Record<string, unknown> => JSON.parse(Buffer.from(text, 'base64url').toString());
const encoded = (value: unknown, as: 'base64' | 'base64url'): string => Buffer.from(JSON.stringify(value)).toString(as);

/** A field of the header or the claims, under the signature of what stood there before. */
const claimed = fc
  .record({
    part: fc.constantFrom(0, 1),
    field: fc.constantFrom(
      'alg',
      'kid',
      'crit',
      'b64',
      'jwk',
      'sub',
      'email',
      'nonce',
      'aud',
      'iss',
      'iat',
      'exp',
      'nbf',
      'azp',
    ),
    value: oddities,
  })
  .map(({ part, field, value }): Alteration => {
    const parts = genuine.idToken.split('.');
    parts[part] = encoded({ ...decoded(parts[part] ?? ''), [field]: value }, 'base64url');
    const what = `${field} ${JSON.stringify(value)} in part ${part} of the token`;
    return { what, unsigned: true, proof: { idToken: parts.join('.') } };
  });

interface Envelope {
  payloadType: unknown;
  payload: string;
  signatures: { keyid: string; sig: string }[];
}
type EnvelopeEdit = (envelope: Envelope, other: Envelope) => Partial<Envelope>;

const withClaims = ({ payload }: Envelope, claims: object): Partial<Envelope> => ({
  payload: encoded({ ...decoded(payload), ...claims }, 'base64'),
});

/** What surrounds the certificate's payload, and the payload under the signature of what stood there before. */
const envelopes: Readonly<Record<string, EnvelopeEdit>> = {
  'another type': () => ({ payloadType: 'application/json' }),
  'a type that is none': () => ({ payloadType: ['x'] }),
  'no signature': () => ({ signatures: [] }),
  'another’s signature': (_, { signatures }) => ({ signatures }),
  'another’s payload': (_, { payload }) => ({ payload }),
  'a longer life': (one) => withClaims(one, { notAfter: startedAt + 8e9 }),
  'another session': (one) => withClaims(one, { sid: otherSid }),
  'a signature of zeros': ({ signatures }) => ({
    signatures: signatures.map((one) => ({ ...one, sig: `${'A'.repeat(86)}==` })),
  }),
};
const wrapped = fc
  .record({ name: fc.constantFrom(...Object.keys(envelopes)), of: fc.constantFrom(...signed.certificate) })
  .map(({ name, of }): Alteration => {
    const one: Envelope = JSON.parse(genuine.certificate);
    const altered = { ...one, ...envelopes[name]?.(one, JSON.parse(of)) };
    return { what: `the certificate: ${name}`, unsigned: true, proof: { certificate: JSON.stringify(altered) } };
  });

/** Its signer did sign it: what it is worth is for the verifiers to say, and they say the same. */
const certified = fc
  .record({
    field: fc.constantFrom('sid', 'sessionKey', 'notBefore', 'notAfter', 'extra'),
    value: fc.oneof(oddities, fc.constantFrom<unknown>(startedAt, startedAt + 1, startedAt - 1, startedAt + 8e8)),
  })
  .map(({ field, value }): Alteration => {
    const what = `a certificate with ${field} ${JSON.stringify(value)}`;
    return { what, unsigned: false, proof: { certificate: certificate({ [field]: value }) } };
  });

const dealt = fc.constantFrom<Alteration>(
  ...signed.idToken.map((idToken, n) => ({ what: `token ${n} of another`, unsigned: false, proof: { idToken } })),
  ...signed.certificate.map((text, n) => ({
    what: `certificate ${n} of another`,
    unsigned: false,
    proof: { certificate: text },
  })),
  { what: 'a token that is empty', unsigned: true, proof: { idToken: '' } },
  { what: 'a certificate that is empty', unsigned: true, proof: { certificate: '' } },
);

const segmentsWith = (proof: Proof): string[][] => recorded({ steps: ['final'], open: proof });

/** `unknown`: the reader has no keys of the issuer. */
export const alteredProofs: fc.Arbitrary<AlteredProof & { readonly unknown: boolean }> = fc
  .record({
    alteration: fc.oneof(
      { weight: 4, arbitrary: edited },
      mixed,
      { weight: 2, arbitrary: claimed },
      wrapped,
      certified,
      dealt,
    ),
    unknown: fc.boolean(),
  })
  .map(({ alteration: { what, unsigned, proof }, unknown }) => ({
    what,
    unsigned,
    unknown,
    given: {
      name: what,
      verdict: 'invalid',
      ...{ sid, subject: subjectHash(subject), segments: segmentsWith(proof) },
      issuerKeys: unknown ? { keys: [] } : issuerKeys,
      reader: { clientId: 'dbguard' },
    },
  }));

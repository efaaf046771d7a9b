import fc from 'fast-check';
import t from 'tap';
import { decodeAuthentication, decodePassword, decodeSaslInitialResponse } from '../../src/wire/authentication.js';
import { ProtocolViolation } from '../../src/wire/messages.js';
import { tlsServerEndPoint } from '../../src/wire/scram-channel-binding.js';
import { ScramClient } from '../../src/wire/scram-client.js';
import { makeScramVerifier } from '../../src/wire/scram-keys.js';
import { ScramServer } from '../../src/wire/scram-server.js';
import { decodeNegotiateProtocolVersion, decodeStartup, encodeStartup } from '../../src/wire/startup.js';

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));

/** A plausible head with any bytes behind it: gets further into the decoder than noise does. */
const packets = fc
  .tuple(fc.constantFrom(0x30000, 0x30002, 80877102, 80877103, 80877104), bytes, fc.integer({ min: -2, max: 2 }))
  .map(([code, body, off]) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(Math.max(0, 8 + body.length + off), 0);
    head.writeUInt32BE(code, 4);
    return Buffer.concat([head, body]);
  });

/** Text that is nearly a SCRAM message. */
const scramText = fc
  .array(
    fc.constantFrom(
      'n,,',
      'y,,',
      'p=x,,',
      'n=',
      'r=abc',
      'c=biws',
      'p=AAAA',
      ',',
      's=AAAA',
      'i=4096',
      'm=x',
      'e=y',
      'v=AAAA',
      '=',
      'é',
      '\0',
    ),
  )
  .map((pieces) => Buffer.from(pieces.join('')));

function onlyViolations(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    return error instanceof ProtocolViolation;
  }
}

t.test('any first packet is understood, incomplete or a violation, and never more than was sent', async (t) => {
  fc.assert(
    fc.property(fc.oneof(bytes, packets), (input) => {
      const first = decodeStartup(input);
      return !('length' in first) || first.length <= input.length;
    }),
    { numRuns: 3000 },
  );
  t.pass('holds');
});

t.test('what is incomplete stays so until it is decided, whatever comes next', async (t) => {
  fc.assert(
    fc.property(fc.oneof(bytes, packets), bytes, (input, more) => {
      const first = decodeStartup(input);
      if (first.kind === 'incomplete') return true;
      t.same(decodeStartup(Buffer.concat([input, more])), first);
      return true;
    }),
    { numRuns: 300 },
  );
});

t.test('startup parameters there and back', async (t) => {
  const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'));
  fc.assert(
    fc.property(
      fc.dictionary(
        text.filter((name) => name !== '' && !name.startsWith('_pq_.')),
        text,
      ),
      (given) => {
        const wanted = new Map([...Object.entries(given), ['user', 'u'] as const]);
        const first = decodeStartup(encodeStartup(2, wanted));
        return first.kind === 'startup' && JSON.stringify([...first.parameters]) === JSON.stringify([...wanted]);
      },
    ),
  );
  t.pass('holds');
});

t.test('the decoders of authentication messages throw nothing but violations', async (t) => {
  fc.assert(
    fc.property(bytes, (body) => {
      const whole = Buffer.concat([Buffer.alloc(5), body]);
      return (
        onlyViolations(() => decodeAuthentication(whole, 0, whole.length)) &&
        onlyViolations(() => decodePassword(whole, 0, whole.length)) &&
        onlyViolations(() => decodeSaslInitialResponse(whole, 0, whole.length)) &&
        onlyViolations(() => decodeNegotiateProtocolVersion(whole, 0, whole.length))
      );
    }),
    { numRuns: 2000 },
  );
  t.pass('holds');
});

t.test('SCRAM: no noise logs in, none throws', async (t) => {
  const verifier = await makeScramVerifier('pw', Buffer.alloc(16), 4096);
  fc.assert(
    fc.property(fc.oneof(bytes, scramText), fc.oneof(bytes, scramText), (first, second) => {
      const server = new ScramServer([verifier], Buffer.alloc(18));
      server.start('SCRAM-SHA-256', first);
      return server.finish(second).kind === 'failure';
    }),
    { numRuns: 2000 },
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(bytes, scramText), async (input) => {
      const client = new ScramClient({
        channelBinding: { kind: 'none' },
        randomNonce: Buffer.alloc(18),
        keys: async () => ({ clientKey: Buffer.alloc(32), serverKey: Buffer.alloc(32) }),
        minIterations: 1,
      });
      const answer = await client.respond(input).catch((error: unknown) => error);
      return answer instanceof ProtocolViolation && onlyViolations(() => client.verify(input));
    }),
    { numRuns: 1000 },
  );
  t.pass('holds');
});

t.test('any bytes for a certificate give a hash or nothing', async (t) => {
  const der = fc
    .array(fc.constantFrom('30', '06', '02', 'a0', '80', '81', '82', '84', '00', '01', '7f', 'ff', '2a8648ce3d040302'))
    .map((pieces) => Buffer.from(pieces.join(''), 'hex'));
  fc.assert(
    fc.property(fc.oneof(bytes, der), (input) => {
      const hash = tlsServerEndPoint(input);
      return hash === undefined || hash.length >= 28;
    }),
    { numRuns: 3000 },
  );
  t.pass('holds');
});

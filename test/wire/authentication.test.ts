import t from 'tap';
import {
  decodeAuthentication,
  decodePassword,
  decodeSaslInitialResponse,
  decodeSaslResponse,
  encodeAuthenticationCleartext,
  encodeAuthenticationMd5,
  encodeAuthenticationOk,
  encodeAuthenticationSasl,
  encodeAuthenticationSaslContinue,
  encodeAuthenticationSaslFinal,
  encodePassword,
  encodeSaslInitialResponse,
  encodeSaslResponse,
} from '../../src/wire/authentication.js';
import { ProtocolViolation } from '../../src/wire/messages.js';

t.test('requests of the server, there and back, anywhere in a buffer', async (t) => {
  for (const [bytes, expected] of [
    [encodeAuthenticationOk(), { kind: 'ok' }],
    [encodeAuthenticationCleartext(), { kind: 'cleartext' }],
    [encodeAuthenticationMd5(Buffer.from([1, 2, 3, 4])), { kind: 'md5', salt: Buffer.from([1, 2, 3, 4]) }],
    [encodeAuthenticationSasl(['A', 'B-PLUS']), { kind: 'sasl', mechanisms: ['A', 'B-PLUS'] }],
    [encodeAuthenticationSasl([]), { kind: 'sasl', mechanisms: [] }],
    [encodeAuthenticationSaslContinue(Buffer.from('r=x')), { kind: 'sasl-continue', data: Buffer.from('r=x') }],
    [encodeAuthenticationSaslFinal(Buffer.from('v=x')), { kind: 'sasl-final', data: Buffer.from('v=x') }],
  ] as const) {
    t.same(decodeAuthentication(bytes, 0, bytes.length), expected);
    const padded = Buffer.concat([Buffer.from('junk'), bytes, Buffer.from('junk')]);
    t.same(decodeAuthentication(padded, 4, 4 + bytes.length), expected);
    t.equal(bytes[0], 'R'.charCodeAt(0));
    t.equal(bytes.readInt32BE(1), bytes.length - 1);
  }
});

t.test('a message cut anywhere is a violation, or a shorter payload where the payload has no length', async (t) => {
  for (const bytes of [
    encodeAuthenticationOk(),
    encodeAuthenticationMd5(Buffer.from([1, 2, 3, 4])),
    encodeAuthenticationSasl(['SCRAM-SHA-256']),
  ]) {
    for (let cut = 5; cut < bytes.length; cut++) {
      t.throws(() => decodeAuthentication(bytes.subarray(0, cut), 0, cut), ProtocolViolation, `first ${cut} bytes`);
    }
  }
  const long = Buffer.concat([encodeAuthenticationOk(), Buffer.from([0])]);
  t.throws(() => decodeAuthentication(long, 0, long.length), ProtocolViolation, 'left over bytes');
});

t.test('methods that are not spoken are named', async (t) => {
  for (const [code, name] of [
    [2, 'Kerberos V5'],
    [7, 'GSSAPI'],
    [8, 'GSSAPI'],
    [9, 'SSPI'],
    [99, 'method 99'],
  ] as const) {
    const bytes = encodeAuthenticationOk();
    bytes.writeInt32BE(code, 5);
    t.same(decodeAuthentication(bytes, 0, bytes.length), { kind: 'unsupported', name });
  }
});

t.test('answers of the client, there and back, and cut at every byte', async (t) => {
  const password = encodePassword('pä ss');
  t.equal(decodePassword(password, 0, password.length), 'pä ss');
  for (let cut = 5; cut < password.length; cut++) {
    t.throws(() => decodePassword(password.subarray(0, cut), 0, cut), ProtocolViolation);
  }
  t.throws(() => encodePassword('a\0b'), ProtocolViolation, 'a NUL would cut the password');

  const initial = encodeSaslInitialResponse('SCRAM-SHA-256', Buffer.from('n,,'));
  t.same(decodeSaslInitialResponse(initial, 0, initial.length), {
    mechanism: 'SCRAM-SHA-256',
    data: Buffer.from('n,,'),
  });
  for (let cut = 5; cut < initial.length; cut++) {
    t.throws(() => decodeSaslInitialResponse(initial.subarray(0, cut), 0, cut), ProtocolViolation);
  }
  const none = Buffer.from(encodeSaslInitialResponse('X', Buffer.alloc(0)));
  none.writeInt32BE(-1, 7);
  t.same(decodeSaslInitialResponse(none, 0, none.length), { mechanism: 'X', data: undefined });
  none.writeInt32BE(-2, 7);
  t.throws(() => decodeSaslInitialResponse(none, 0, none.length), ProtocolViolation, 'a negative length');

  const response = encodeSaslResponse(Buffer.from('c=biws'));
  t.same(decodeSaslResponse(response, 0, response.length), Buffer.from('c=biws'));
});

t.test('what is decoded does not change with the buffer it came from', async (t) => {
  const bytes = encodeAuthenticationMd5(Buffer.from([1, 2, 3, 4]));
  const request = decodeAuthentication(bytes, 0, bytes.length);
  bytes.fill(0);
  t.same(request, { kind: 'md5', salt: Buffer.from([1, 2, 3, 4]) });
});

import t, { type Test } from 'tap';
import { ProtocolViolation } from '../../src/wire/messages.js';
import {
  decodeNegotiateProtocolVersion,
  decodeStartup,
  encodeCancelRequest,
  encodeNegotiateProtocolVersion,
  encodeSslRequest,
  encodeStartup,
  maxStartupPacketLength,
} from '../../src/wire/startup.js';

/** A packet by hand: length word, code, body. */
function packet(code: number, body = '', length?: number): Buffer {
  const bytes = Buffer.from(body, 'latin1');
  const head = Buffer.alloc(8);
  head.writeUInt32BE(length ?? 8 + bytes.length, 0);
  head.writeUInt32BE(code, 4);
  return Buffer.concat([head, bytes]);
}

const v30 = 0x30000;
const cancelCode = 80877102;

/** At every offset: the bytes so far are incomplete, the whole is the whole, whatever comes behind. */
function splitEverywhere(t: Test, bytes: Buffer, expected: object): void {
  for (let cut = 0; cut < bytes.length; cut++) {
    t.same(decodeStartup(bytes.subarray(0, cut)), { kind: 'incomplete' }, `first ${cut} bytes`);
  }
  t.same(decodeStartup(bytes), expected);
  t.same(decodeStartup(Buffer.concat([bytes, Buffer.from('more')])), expected, 'bytes behind it are not looked at');
}

t.test('startup 3.0 and 3.2, split at every byte', async (t) => {
  const parameters: [string, string][] = [
    ['user', 'app'],
    ['database', 'größe'],
    ['options', ''],
  ];
  for (const minor of [0, 2]) {
    const bytes = encodeStartup(minor, parameters);
    splitEverywhere(t, bytes, {
      kind: 'startup',
      major: 3,
      minor,
      parameters: new Map(parameters),
      unknownOptions: [],
      length: bytes.length,
    });
  }
});

t.test('protocol options stay apart from parameters', async (t) => {
  const bytes = packet(0x3270f, 'user\0app\0_pq_.grease\0x\0_pq_.other\0\0\0');
  const first = decodeStartup(bytes);
  t.match(first, { kind: 'startup', minor: 9999, unknownOptions: ['_pq_.grease', '_pq_.other'] });
  t.same(first.kind === 'startup' && [...first.parameters], [['user', 'app']]);
});

t.test('encryption requests, split at every byte', async (t) => {
  splitEverywhere(t, encodeSslRequest(), { kind: 'ssl', length: 8 });
  splitEverywhere(t, packet(80877104), { kind: 'gss', length: 8 });
  t.match(decodeStartup(packet(80877103, 'x')), { kind: 'violation' });
});

t.test('cancel requests with keys of 4 to 256 bytes', async (t) => {
  for (const size of [4, 32, 256]) {
    const key = Buffer.alloc(size, 0xab);
    const bytes = encodeCancelRequest(-7, key);
    splitEverywhere(t, bytes, { kind: 'cancel', pid: -7, key, length: bytes.length });
  }
  for (const size of [0, 3, 257]) {
    t.match(decodeStartup(encodeCancelRequest(1, Buffer.alloc(size))), { kind: 'violation' }, `${size} bytes`);
  }
  t.match(decodeStartup(packet(cancelCode)), { kind: 'violation' }, 'no process id either');
});

t.test('the key of a cancel request is the caller’s own copy', async (t) => {
  const bytes = encodeCancelRequest(1, Buffer.from('abcd'));
  const first = decodeStartup(bytes);
  bytes.fill(0);
  t.same(first.kind === 'cancel' && first.key, Buffer.from('abcd'));
});

t.test('a length is judged by its four bytes, before anything is buffered', async (t) => {
  const announce = (length: number) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(length, 0);
    return decodeStartup(head).kind;
  };
  t.equal(announce(0), 'violation');
  t.equal(announce(7), 'violation');
  t.equal(announce(8), 'incomplete');
  t.equal(announce(maxStartupPacketLength + 4), 'incomplete');
  t.equal(announce(maxStartupPacketLength + 5), 'violation');
  t.equal(announce(0xffffffff), 'violation');
  t.equal(decodeStartup(Buffer.from('GET / HTTP/1.1\r\n')).kind, 'violation', 'a browser');
  t.equal(decodeStartup(Buffer.from([0x16])).kind, 'tls', 'a TLS ClientHello, after one byte');
});

t.test('the longest packet that a server takes', async (t) => {
  const value = 'x'.repeat(maxStartupPacketLength - 4 - 'user\0u\0a\0\0\0'.length);
  const bytes = encodeStartup(0, [
    ['user', 'u'],
    ['a', value],
  ]);
  t.equal(bytes.length, maxStartupPacketLength + 4);
  t.equal(decodeStartup(bytes).kind, 'startup');
  t.throws(
    () =>
      encodeStartup(0, [
        ['user', 'u'],
        ['a', `${value}x`],
      ]),
    ProtocolViolation,
  );
});

t.test('malformed parameters are violations', async (t) => {
  for (const [name, body] of [
    ['nothing at all', ''],
    ['no terminator', 'user\0app\0'],
    ['a name without a value', 'user\0app\0database\0'],
    ['a value without its end', 'user\0app'],
    ['bytes behind the terminator', 'user\0app\0\0x'],
    ['a parameter twice', 'user\0app\0user\0root\0\0'],
    ['an option twice', 'user\0app\0_pq_.x\0a\0_pq_.x\0b\0\0'],
    ['a name that is not UTF-8', 'user\0a\xff\0\0'],
  ] as const) {
    t.match(decodeStartup(packet(v30, body)), { kind: 'violation', code: '08P01' }, name);
  }
  t.match(decodeStartup(packet(v30, '\0')), { kind: 'violation', code: '28000' }, 'no user');
  t.match(decodeStartup(packet(v30, 'user\0\0\0')), { kind: 'violation', code: '28000' }, 'empty user');
  t.match(decodeStartup(packet(0x20000, 'x')), { kind: 'violation', code: '0A000', message: /2\.0/ });
  t.match(decodeStartup(packet(0x40000, '\0')), { kind: 'violation', code: '0A000', message: /4\.0/ });
});

t.test('what is encoded cannot smuggle in another parameter', async (t) => {
  t.throws(() => encodeStartup(0, [['user', 'app\0user\0root']]), ProtocolViolation);
  t.throws(() => encodeStartup(0, [['us\0er', 'app']]), ProtocolViolation);
  t.throws(() => encodeStartup(0, [['', 'app']]), ProtocolViolation);
});

t.test('NegotiateProtocolVersion there and back', async (t) => {
  const negotiation = { minor: 2, unknownOptions: ['_pq_.a', '_pq_.b'] };
  const bytes = encodeNegotiateProtocolVersion(negotiation);
  t.same(decodeNegotiateProtocolVersion(bytes, 0, bytes.length), negotiation);
  t.equal(bytes.readUInt32BE(5), 0x30002, 'the whole version word, as servers send it');
  const minorOnly = Buffer.from(bytes);
  minorOnly.writeUInt32BE(2, 5);
  t.same(decodeNegotiateProtocolVersion(minorOnly, 0, bytes.length), negotiation, 'the minor version alone');
  for (let cut = 5; cut < bytes.length; cut++) {
    t.throws(() => decodeNegotiateProtocolVersion(bytes.subarray(0, cut), 0, cut), ProtocolViolation);
  }
  const four = Buffer.from(bytes);
  four.writeUInt32BE(0x40000, 5);
  t.throws(() => decodeNegotiateProtocolVersion(four, 0, four.length), ProtocolViolation);
});
